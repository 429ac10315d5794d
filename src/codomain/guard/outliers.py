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
    remoteness : ndarray of shape (n_samples,), float32
        Mean distance to the listed neighbours divided by theirs to their own; 1 is usual.
    flagged : ndarray of shape (n_samples,), bool
        Whether the row is an outlier.
    threshold : float
        Remoteness from which a row is one.
    """

    remoteness: NDArray[np.float32]
    flagged: NDArray[np.bool_]
    threshold: float


def remote_rows(indices: NDArray[np.int32], far: NDArray[np.float32], counts: NDArray[np.bool_]) -> Odd:
    """Flag rows whose neighbours are far away while those neighbours have near ones.

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
    remoteness = np.ones(n, dtype=np.float32)
    remoteness[judged] = mean[judged] / theirs[judged]
    if judged.sum() < 50:
        return Odd(remoteness, np.zeros(n, dtype=bool), float("inf"))
    # An exponential tail is fitted to the top tenth by its median, which a few outliers do not move.
    logs = np.log(remoteness[judged])
    start = np.quantile(logs, 0.9)
    scale = np.median(logs[logs > start] - start) / np.log(2) if np.any(logs > start) else 0.0
    threshold = float(np.exp(start + scale * np.log(0.1 / RATE)))
    # Beside a very dense spot a perfectly ordinary row looks remote, so it must also be remote in the whole space.
    flagged = judged & (remoteness > threshold) & (mean > np.median(mean[judged]))
    if flagged.sum() > AT_MOST * n:
        threshold = float(np.quantile(remoteness[judged], 1 - AT_MOST))
        flagged &= remoteness > threshold
    return Odd(remoteness, flagged, threshold)
