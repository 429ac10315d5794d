"""What several measures of one space need, computed once: lengths, a sample of rows, neighbour lists."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import Neighbors, UserError, unit_rows
from codomain.core.maths.blocks import slices
from codomain.measure.one_space import local
from codomain.measure.shared.interval import FOLDS, jackknife_interval

_ORDINARY = 30  # powers of two between which float32 holds squares and their sums
Lists = tuple[NDArray[Any], NDArray[Any]]


class Sampled:
    """A space as its measures use it; what takes long is computed when it is first needed."""

    def __init__(
        self, X: Any, labels: Sequence[Any] | None, neighbors: Neighbors | None, seed: int, most: int, most_listed: int
    ) -> None:
        self.X, (self.n, self.d) = X, X.shape
        self.seed, self.rng = seed, np.random.default_rng(seed)
        self.labels, self.neighbors = labels, neighbors
        self.lengths, self.keys = self._scan()
        self.chosen = self._draw(min(self.n, most), 1)
        self.fold = np.random.default_rng([seed, 2]).permutation(len(self.chosen)) % FOLDS
        self.k = 0 if self.n < 3 else min(15, self.n - 1) if neighbors is None else neighbors.indices.shape[1]
        self.m = min(self.n, most_listed)
        self.k_sample = min(self.k, self.m - 1)

    def _draw(self, rows: int, purpose: int) -> NDArray[np.int64]:
        """Draw rows, the same ones whichever measures are made."""
        return np.sort(np.random.default_rng([self.seed, purpose]).choice(self.n, rows, replace=False))

    @cached_property
    def sample(self) -> NDArray[np.float32]:
        """Rows for moments; very long or very short ones are brought near 1 by a power of two, which rounds nothing."""
        rows = self._rows(self.chosen)
        exponent = int(np.frexp(np.max(np.abs(rows), initial=0))[1])
        return np.ldexp(rows, -exponent) if abs(exponent) > _ORDINARY else rows

    @cached_property
    def _list_numbers(self) -> NDArray[np.int64]:
        return self._draw(self.m, 3)

    @cached_property
    def list_rows(self) -> NDArray[np.float32]:
        """Rows of length 1 that are compared all with all."""
        return unit_rows(self._rows(self._list_numbers))

    @cached_property
    def random_directions(self) -> NDArray[np.float32]:
        """As many random directions."""
        return unit_rows(np.random.default_rng([self.seed, 4]).standard_normal((self.m, self.d), np.float32))

    @cached_property
    def lists(self) -> Lists:
        """Neighbours among `list_rows`, and their cosines."""
        if self.neighbors is None or self.n > self.m:
            return local.neighbor_lists(self.list_rows, self.k_sample)
        return np.asarray(self.neighbors.indices, np.int64), self.neighbors.scores

    @cached_property
    def random_lists(self) -> Lists:
        """Neighbours among the random directions."""
        return local.neighbor_lists(self.random_directions, self.k_sample)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows that `indices` and `scores` are about."""
        return np.arange(self.n) if self.neighbors is not None else self._list_numbers

    @property
    def indices(self) -> NDArray[Any]:
        """The lists that were given, else those of `list_rows`."""
        return self.lists[0] if self.neighbors is None else self.neighbors.indices

    @property
    def scores(self) -> NDArray[Any]:
        """Their cosines."""
        return self.lists[1] if self.neighbors is None else self.neighbors.scores

    @cached_property
    def dense_scores(self) -> NDArray[Any]:
        """Cosines with the nearest among all rows, for the rows of `list_rows` when no lists were given."""
        if self.neighbors is not None or self.n <= self.m:
            return self.scores
        return local.neighbor_scores(self.list_rows, self._list_numbers, self.X, self.k_sample)

    def _scan(self) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
        """Read every row once: its length, and a hash of its numbers."""
        lengths, keys = np.empty(self.n), np.empty(self.n, np.uint64)
        multipliers = np.random.default_rng(0).integers(1, 2**63, self.d, np.uint64) * np.uint64(2) + np.uint64(1)
        for block in slices(self.n):
            rows = np.asarray(self.X[block], np.float64) + 0.0  # -0 becomes 0
            lengths[block] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            if not np.isfinite(lengths[block]).all():
                bad = block.start + int(np.flatnonzero(~np.isfinite(lengths[block]))[0])
                raise UserError(f"Row {bad} holds a value that is not finite, or is too long.", needed="finite numbers")
            bits = rows.view(np.uint64)
            # The low half of a float32 widened to float64 is empty, so fold the high half in.
            keys[block] = (bits ^ (bits >> np.uint64(29))) @ multipliers
        return lengths, keys

    def _rows(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.concatenate([np.asarray(self.X[chosen[some]], np.float32) for some in slices(len(chosen), 4096)])

    def interval(self, values: NDArray[Any], measure: Callable[[NDArray[Any]], float]) -> tuple[float, float]:
        """Interval from leaving out a tenth of the rows at a time."""
        fold = self.rng.permutation(len(values)) % FOLDS
        parts = [measure(values[fold != f]) for f in range(FOLDS) if len(values) > FOLDS]
        return jackknife_interval(measure(values), parts)

    def describe_sample(self) -> str:
        """Describe in words the rows of the sample."""
        return f"{len(self.sample):,} rows drawn at random" if len(self.sample) < self.n else f"all {self.n:,} rows"

    def describe_lists(self) -> str:
        """Describe in words the rows of the lists."""
        return f"all {self.n:,} rows" if len(self.rows) == self.n else f"{self.m:,} rows drawn at random"


def label_codes(labels: Sequence[Any]) -> NDArray[np.int64]:
    """Give each label a number; -1 for None, "" and nan."""
    numbers: dict[Any, int] = {}
    missing = (label is None or label == "" or label != label for label in labels)
    return np.array(
        [-1 if gone else numbers.setdefault(label, len(numbers)) for label, gone in zip(labels, missing, strict=True)],
        np.int64,
    )
