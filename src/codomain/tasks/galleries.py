"""Digits as queries and as a gallery, for nets that must search what another net has seen."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from codomain.core import unit_rows


class DigitGallery(NamedTuple):
    """Scans of digits of shape (n, 64), from 0 to 1, and what they show."""

    X: NDArray[np.float32]
    y: NDArray[np.intp]
    gallery: NDArray[np.float32]
    gallery_y: NDArray[np.intp]
    queries: NDArray[np.float32]
    queries_y: NDArray[np.intp]


def digit_gallery(seed: int) -> DigitGallery:
    """Split the digits: half to train on, a quarter each for the gallery and the queries."""
    pixels, digits = load_digits(return_X_y=True)
    pixels = (pixels / 16).astype(np.float32)
    X, rest, y, rest_y = train_test_split(pixels, digits, test_size=0.5, random_state=seed, stratify=digits)
    gallery, queries, gallery_y, queries_y = train_test_split(
        rest, rest_y, test_size=0.5, random_state=seed, stratify=rest_y
    )
    return DigitGallery(X, y, gallery, gallery_y, queries, queries_y)


def average_precision(
    Q: NDArray[Any], truth: NDArray[Any], gallery: NDArray[Any], labels: NDArray[Any]
) -> NDArray[np.float64]:
    """Average precision, 0 to 1, of each query that looks by cosine for rows of its class, of shape (n_queries,)."""
    order = np.argsort(-(unit_rows(Q) @ unit_rows(gallery).T), axis=1, kind="stable")
    hits = truth[:, None] == labels[order]
    precision = hits.cumsum(axis=1) / np.arange(1, len(labels) + 1)
    return np.asarray((precision * hits).sum(axis=1) / hits.sum(axis=1))
