"""Digits to be searched, and how well that went."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import label_ranking_average_precision_score

from codomain.tasks.galleries import average_precision, digit_gallery


def test_every_digit_is_in_one_part_with_its_label():
    data = digit_gallery(3)
    pixels, digits = load_digits(return_X_y=True)
    parts = (data.X, data.y), (data.gallery, data.gallery_y), (data.queries, data.queries_y)
    assert [len(rows) for rows, _ in parts] == [898, 449, 450]
    found = sorted((*(16 * row), label) for rows, labels in parts for row, label in zip(rows, labels, strict=True))
    assert found == sorted((*row, label) for row, label in zip(pixels, digits, strict=True))


def test_average_precision_by_hand():
    # The first query ranks the gallery right, wrong, right: (1 + 2/3) / 2; the second wrong, right, wrong: 1/2.
    gallery, labels = np.array([[1.0, 0.0], [0.9, 0.5], [0.5, 0.9]]), np.array([0, 1, 0])
    Q = np.array([[1.0, -0.1], [0.5, 0.8]])
    np.testing.assert_allclose(average_precision(Q, np.array([0, 1]), gallery, labels), [5 / 6, 1 / 2])


def test_its_mean_is_scikit_learns():
    rng = np.random.default_rng(0)
    Q, gallery, truth, labels = rng.normal(size=(9, 4)), rng.normal(size=(30, 4)), np.arange(9) % 3, np.arange(30) % 3
    cosines = Q / np.linalg.norm(Q, axis=1)[:, None] @ (gallery / np.linalg.norm(gallery, axis=1)[:, None]).T
    theirs = label_ranking_average_precision_score(truth[:, None] == labels, cosines)
    assert average_precision(Q, truth, gallery, labels).mean() == pytest.approx(theirs)
