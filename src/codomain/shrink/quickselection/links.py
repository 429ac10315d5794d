"""Sparse links between two layers, which are dropped and grown while they are trained."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

MOMENTUM, DECAY = 0.9, 1e-5  # share of the last step kept; share of a link lost in a step
SPREAD = 0.1  # standard deviation of a new link


class Links:
    """Links from `n_in` to `n_out` units, as sorted positions in the flattened matrix, their weights and momentum."""

    def __init__(self, n_in: int, n_out: int, n_links: int, rng: np.random.RandomState, dtype: Any) -> None:
        self.shape = n_in, n_out
        self.rng = rng
        self.places = np.sort(self._draw_free(np.empty(0, dtype=np.int64), min(n_links, n_in * n_out)))
        self.weights = rng.normal(0, SPREAD, len(self.places)).astype(dtype)
        self.speed = np.zeros_like(self.weights)
        self._build_matrix()

    def gradient(self, before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
        """Sum over rows of input times error of the output, only for existing links; memory rows * links."""
        sums: NDArray[Any] = np.einsum("rl,rl->l", before[:, self.sources], after[:, self.targets])
        return sums

    def step(self, gradient: NDArray[Any], rate: float) -> None:
        """Move the weights down the gradient, with momentum and decay, in place."""
        self.speed *= MOMENTUM
        self.speed -= rate * gradient
        self.weights += self.speed
        self.weights *= 1 - DECAY

    def evolve(self, share: float) -> None:
        """Drop the share of positive and of negative links nearest to zero, and grow as many at random free places."""
        keep = np.ones(len(self.weights), dtype=bool)
        for size in (self.weights, -self.weights):
            side = np.flatnonzero(size > 0)
            keep[side[np.argsort(size[side], kind="stable")[: int(share * len(side))]]] = False
        n_new = int((~keep).sum())
        places = np.concatenate([self.places[keep], self._draw_free(self.places[keep], n_new)])
        new = self.rng.normal(0, SPREAD, n_new).astype(self.weights.dtype)
        order = np.argsort(places)
        self.places = places[order]
        self.weights = np.concatenate([self.weights[keep], new])[order]
        self.speed = np.concatenate([self.speed[keep], np.zeros_like(new)])[order]
        self._build_matrix()

    def _draw_free(self, taken: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Draw places without a link, without listing all places."""
        found = np.empty(0, dtype=np.int64)
        while len(found) < count:
            places = self.rng.randint(self.shape[0] * self.shape[1], size=2 * (count - len(found)) + 8, dtype=np.int64)
            fresh = self.rng.permutation(np.setdiff1d(places, np.concatenate([taken, found])))
            found = np.concatenate([found, fresh[: count - len(found)]])
        return found

    def _build_matrix(self) -> None:
        """Build the sparse matrix that shares the links' weights."""
        self.sources, self.targets = np.divmod(self.places, self.shape[1])
        starts = np.searchsorted(self.sources, np.arange(self.shape[0] + 1))
        self.matrix = csr_array((self.weights, self.targets, starts), shape=self.shape, copy=False)
        self.weights = self.matrix.data
