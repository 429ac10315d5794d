"""Heads that need no training loop, each with the scores that every row would get from the other rows alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)  # of ridge, in mean squared lengths of a centred row
SHRINKAGES = (0.8, 0.5, 0.2, 0.05, 0.01)  # of the covariance towards a sphere


@dataclass(frozen=True)
class Fit:
    """A linear score of features, and what the checked rows score when each is left out in turn.

    Attributes
    ----------
    coef : ndarray of shape (n_classes, n_features)
        Weights.
    intercept : ndarray of shape (n_classes,)
        What is added.
    left_out : ndarray of shape (n_checked, n_classes)
        Scores of the checked rows from a head that has not seen them.
    """

    coef: NDArray[Any]
    intercept: NDArray[Any]
    left_out: NDArray[Any]


class Turned:
    """Features turned to their principal directions, in which every penalty has a closed form.

    Parameters
    ----------
    F : ndarray of shape (n_samples, n_features)
        Features.
    which : ndarray of shape (n_samples,)
        Class of each row, from 0.
    checked : ndarray of int
        Rows to score as if left out; all of classes with at least two rows.
    """

    def __init__(self, F: NDArray[Any], which: NDArray[np.intp], checked: NDArray[np.intp]) -> None:
        self.which, self.checked, self.n = which, checked, len(F)
        self.sizes = np.bincount(which)
        self.centre = F.mean(axis=0, dtype=np.float64).astype(F.dtype)
        centred = F - self.centre
        wide = F.shape[1] > len(F)
        spread, V = np.linalg.eigh((centred @ centred.T if wide else centred.T @ centred).astype(np.float64))
        kept = spread > max(spread.max(), 0) * np.finfo(F.dtype).eps * 10
        self.spread = spread[kept]
        if wide:
            V = centred.T @ (V[:, kept] / np.sqrt(self.spread)).astype(F.dtype)
        else:
            V = V[:, kept].astype(F.dtype)
        # Of all rows only their sums by class are needed in the new directions, beside the rows to be checked.
        members = csr_array((np.ones(len(F), F.dtype), (which, np.arange(len(F)))))
        self.V, self.Z, self.sums = V, centred[checked] @ V, (members @ centred) @ V
        # How much of the classes' sizes to take out of the scores; where all are equal it makes no difference.
        self.powers = (1.0,) if self.sizes.min() == self.sizes.max() else (0.0, 0.5, 1.0)
        self.means = self.sums / self.sizes[:, None].astype(F.dtype)

    def ridge(self) -> Iterator[Fit]:
        """Yield least squares onto the class indicators, for each penalty and each weight of the classes' sizes."""
        Z, rows, n = self.Z, np.arange(len(self.checked)), self.n
        own, sizes = self.which[self.checked], self.sizes
        squares = np.square(Z)
        for penalty in PENALTIES:
            weights = 1 / (self.spread + penalty * self.spread.sum() / n)
            W = (self.sums * weights).astype(Z.dtype)
            scores = Z @ W.T + (sizes / n).astype(Z.dtype)
            # A row pulls its own fit by its leverage h; without it, the fit is (fit - h y) / (1 - h).
            h = squares @ weights.astype(Z.dtype) + Z.dtype.type(1 / n)
            scores[rows, own] -= h
            scores /= (1 - h)[:, None]
            for power in self.powers:
                # Large classes get large scores; by a power of 1 each is its share of what its size would give it.
                level = (n / len(sizes) / sizes) ** power
                left_out = scores * level.astype(Z.dtype)
                left_out[rows, own] *= ((sizes / np.maximum(sizes - 1, 1)) ** power).astype(Z.dtype)[own]
                yield self._fit(W * level.astype(Z.dtype)[:, None], sizes / n * level, left_out)

    def gaussians(self, shrinkages: tuple[float, ...] = SHRINKAGES) -> Iterator[Fit]:
        """Yield Gaussians of one covariance, with and without the classes' shares; shrinkage 1: nearest prototype."""
        means = self.means.astype(np.float64)
        within = (np.diag(self.spread) - (means.T * self.sizes) @ means) / max(self.n - len(means), 1)
        spread, U = np.linalg.eigh(within)
        spread = np.maximum(spread, 0)
        level = spread.mean() or 1.0
        Z, M = self.Z @ U.astype(self.Z.dtype), means @ U
        own, rows = self.which[self.checked], np.arange(len(Z))
        fewer = np.maximum(self.sizes - 1, 1)
        for shrinkage in shrinkages:
            precision = 1 / ((1 - shrinkage) * spread + shrinkage * level)
            scale = np.sqrt(precision)
            share = (1 - shrinkage) / max(self.n - len(means), 1)
            scores = self._without(Z * scale.astype(Z.dtype), (M * scale).astype(Z.dtype), share)
            # The mean of few rows lies off the true one, which makes its class look farther away than it is.
            off = 0.5 * spread @ precision
            W = ((M * precision) @ U.T).astype(self.Z.dtype)
            bias = off / self.sizes - 0.5 * np.square(M * scale).sum(axis=1)
            for weight in (1 - power for power in self.powers):
                left_out = scores + (off / self.sizes + weight * np.log(self.sizes)).astype(Z.dtype)
                left_out[rows, own] += (off * (1 / fewer - 1 / self.sizes) - weight * np.log(self.sizes / fewer))[own]
                yield self._fit(W, bias + weight * np.log(self.sizes), left_out)

    def _without(self, Z: NDArray[Any], M: NDArray[Any], share: float) -> NDArray[Any]:
        """Return minus half the squared distance to each mean, mean and covariance without the row itself."""
        own, rows = self.which[self.checked], np.arange(len(Z))
        more = (self.sizes / np.maximum(self.sizes - 1, 1))[own].astype(Z.dtype)  # n / (n - 1) of the row's class
        inner, between = Z @ M.T, M @ M.T
        lengths = np.einsum("ij,ij->i", Z, Z)
        squared = lengths[:, None] - 2 * inner + np.diag(between)
        # Taking a row out of the covariance is a change of rank one, which Sherman and Morrison's formula inverts.
        cross = lengths[:, None] - inner[rows, own][:, None] - inner + between[own]
        pull = np.asarray(share * more, dtype=Z.dtype)
        squared += (pull / np.maximum(1 - pull * squared[rows, own], 1e-6))[:, None] * np.square(cross)
        squared[rows, own] *= np.square(more)
        return np.asarray(-0.5 * squared)

    def _fit(self, W: NDArray[Any], bias: NDArray[Any], left_out: NDArray[Any]) -> Fit:
        """Turn the weights back to the features as they came."""
        coef = W @ self.V.T
        return Fit(coef, (bias - coef @ self.centre).astype(coef.dtype), left_out)
