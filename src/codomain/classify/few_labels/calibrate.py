"""Probabilities that keep their word: one temperature, fitted on scores of rows that the head has not seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

ENOUGH = 2_000  # rows that settle one number


def log_loss(scores: NDArray[Any], which: NDArray[np.intp]) -> float:
    """Return the mean surprise at the right class, in nats."""
    scores = scores - scores.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(scores)), which]))


def temperature(scores: NDArray[Any], which: NDArray[np.intp]) -> tuple[float, float]:
    """Return what to divide scores by for the least log-loss, and that log-loss in nats.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes)
        Of rows that were left out.
    which : ndarray of shape (n_samples,)
        Their classes, from 0.

    Returns
    -------
    tuple of float
        Temperature in the unit of the scores, and log-loss.
    """
    level = float(np.std(scores)) or 1.0
    step = -(-len(scores) // ENOUGH)
    scores, which = scores[::step] / scores.dtype.type(level), which[::step]
    found = minimize_scalar(
        lambda x: log_loss(scores * scores.dtype.type(np.exp(x)), which),
        bounds=(-4, 6), method="bounded", options={"xatol": 0.01},
    )  # fmt: skip
    return level * float(np.exp(-found.x)), float(found.fun)


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share counted on n rows; all of 0 to 1 without rows."""
    if n == 0:
        return 0.0, 1.0
    z = 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def balanced(hits: NDArray[Any], sizes: NDArray[Any]) -> tuple[float, float, float]:
    """Return the mean share found of the classes that have rows, and its 95 % interval; nan, 0 and 1 without rows.

    Parameters
    ----------
    hits, sizes : ndarray of shape (n_classes,)
        Rows of each class that were found, and rows that were asked about.
    """
    there = sizes > 0
    if not there.any():
        return float("nan"), 0.0, 1.0
    hits, sizes = hits[there], sizes[there]
    value = float(np.mean(hits / sizes))
    careful = (hits + 1) / (sizes + 2)  # a class found whole in three rows is not known to be found always
    half = 1.96 * float(np.sqrt(np.sum(careful * (1 - careful) / sizes))) / len(sizes)
    return value, max(0.0, value - half), min(1.0, value + half)


def calibration_error(probabilities: NDArray[Any], which: NDArray[np.intp], bins: int = 15) -> float:
    """Return how far the probability of the likeliest class is from how often it is right, 0 to 1.

    Rows are split by that probability into bins of equal width; gaps are averaged by the rows in them.
    """
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == which
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=sure, minlength=bins) - np.bincount(place, weights=right, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))
