"""Rows that are far from everything, judged by how far their neighbours are from theirs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 1 / 2000  # rows of a space without outliers that would be accused
AT_MOST = 0.05


@dataclass(frozen=True)
class Odd:
    """How remote each row is, and the rule that decides which are outliers.

    Parameters
    ----------
    locally : ndarray of shape (n_samples,), float32
        Mean distance to the listed neighbours divided by theirs to their own; 1 is usual.
    overall : ndarray of shape (n_samples,), float32
        Mean distance to the listed neighbours divided by its median over all rows; 1 is usual.
    bars : tuple of two float
        Values of the two from which a row is an outlier.
    score : ndarray of shape (n_samples,), float32
        The larger of the two, each divided by its bar.
    flagged : ndarray of shape (n_samples,), bool
        Whether the row is an outlier.
    """

    locally: NDArray[np.float32]
    overall: NDArray[np.float32]
    bars: tuple[float, float]
    score: NDArray[np.float32]
    flagged: NDArray[np.bool_]


def _bar(values: NDArray[np.float32]) -> float:
    """Value that the usual tail passes once in 1 / RATE rows.

    An exponential tail is fitted to the top tenth of the logarithms by its median, which a few outliers do not move.
    """
    logs = np.log(values)
    start = np.quantile(logs, 0.9)
    above = logs[logs > start] - start
    scale = np.median(above) / np.log(2) if len(above) else 0.0
    return float(np.exp(start + scale * np.log(0.1 / RATE)))


def remote_rows(indices: NDArray[np.int32], far: NDArray[np.float32], counts: NDArray[np.bool_]) -> Odd:
    """Flag rows whose neighbours are far away, by the measure of those neighbours or of the whole space.

    Parameters
    ----------
    indices : ndarray of shape (n_samples, k)
        Neighbour lists.
    far : ndarray of shape (n_samples, k)
        Distances to them.
    counts : ndarray of shape (n_samples, k), bool
        Which entries count: copies of a row do not make it less odd.

    Returns
    -------
    Odd
        Remoteness of each row and who is flagged.
    """
    n = len(indices)
    listed = counts.sum(axis=1)
    mean = np.where(counts, far, 0).sum(axis=1) / np.maximum(listed, 1)
    known = (listed > 0) & (mean > 0)
    voices = counts & known[indices]
    theirs = np.where(voices, mean[indices], 0).sum(axis=1) / np.maximum(voices.sum(axis=1), 1)
    judged = known & (theirs > 0)
    locally, overall = np.ones(n, dtype=np.float32), np.ones(n, dtype=np.float32)
    if judged.sum() < 50:
        return Odd(
            locally, overall, (float("inf"), float("inf")), np.zeros(n, dtype=np.float32), np.zeros(n, dtype=bool)
        )
    locally[judged] = mean[judged] / theirs[judged]
    overall[judged] = mean[judged] / np.median(mean[judged])
    bars = _bar(locally[judged]), _bar(overall[judged])
    # Beside a very dense spot a perfectly ordinary row looks remote, so it must also be remote in the whole space.
    score = np.maximum(np.where(overall > 1, locally / bars[0], 0), overall / bars[1])
    flagged = judged & (score > 1)
    if flagged.sum() > AT_MOST * n:
        flagged &= score > np.quantile(score, 1 - AT_MOST)
    return Odd(locally, overall, bars, score, flagged)
