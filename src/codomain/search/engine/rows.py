"""Rows read block by block: scaled float32 for products, float64 for the last word."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import Matrix, unit_rows
from codomain.core.maths.blocks import slices

BLOCK = 4096  # rows read at a time
IN_MEMORY = 1 << 30  # bytes of scaled rows worth keeping rather than making again for every block


class Rows:
    """Rows read block by block: scaled float32 for the products, float64 for the last word."""

    def __init__(self, source: Matrix, metric: str) -> None:
        self.source, self.cosine = source, metric == "cosine"
        self.dim = int(source.shape[1])
        self.heads: NDArray[np.int64] | None = None
        self.cache: NDArray[np.float32] | None = None
        self.inverse: NDArray[np.float64] | None = None  # of the lengths, where float64 holds their squares
        self.length = int(source.shape[0])
        self.longest = 1.0

    def __len__(self) -> int:
        return self.length

    def keep(self, heads: NDArray[np.int64]) -> None:
        """Go on with these rows only, and hold their scaled copy when it is small."""
        self.heads = None if len(heads) == len(self) else heads
        self.length = len(heads)
        if self.length * self.dim * 4 <= IN_MEMORY:
            cache = np.empty((self.length, self.dim), np.float32)
            for block in slices(self.length, BLOCK):
                cache[block] = self._scaled(block.start, block.stop)
            self.cache = cache
        lengths = np.ones(self.length)
        for block in slices(self.length if self.cosine else 0, BLOCK):
            rows = np.asarray(self.raw(block.start, block.stop), np.float64)
            lengths[block] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        if lengths.min(initial=1) > 1e-100 and lengths.max(initial=1) < 1e100:
            self.inverse = 1 / lengths

    def raw(self, start: int, stop: int) -> NDArray[Any]:
        """Rows as they came."""
        where: Any = slice(start, min(stop, len(self))) if self.heads is None else self.heads[start:stop]
        return np.asarray(self.source[where])

    def block(self, start: int, stop: int) -> NDArray[np.float32]:
        """Float32 rows whose inner product is the score."""
        return self._scaled(start, stop) if self.cache is None else self.cache[start:stop]

    def _scaled(self, start: int, stop: int) -> NDArray[np.float32]:
        rows = self.raw(start, stop)
        if rows.dtype.kind != "f":
            rows = rows.astype(np.float64)
        return np.asarray(unit_rows(rows) if self.cosine else rows, np.float32)

    def exact(self, which: NDArray[Any]) -> NDArray[np.float64]:
        """Rows (m,) in float64, of length 1 for the cosine."""
        rows = self.doubles(which)
        return unit_rows(rows) if self.cosine else rows

    def doubles(self, which: NDArray[Any]) -> NDArray[np.float64]:
        """Rows as they came, in float64."""
        return np.asarray(self.source[which if self.heads is None else self.heads[which]], np.float64)

    def dots(self, which: NDArray[Any], others: NDArray[Any], base: "Rows | None" = None) -> NDArray[np.float32]:
        """Scores of rows (m,) with others (m, w) of `base`, settled in float64 and rounded once: shape (m, w)."""
        base = base or self
        scores = np.empty(others.shape, np.float32)
        # 1 MB of doubles stays in the cache; without lengths, as much as spares scaling a row many times.
        room = 1 << (20 if self.inverse is None or base.inverse is None else 17)
        step = max(1, room // (self.dim * others.shape[1] + 1))
        for start in range(0, len(which), step):
            mine, theirs = which[start : start + step], others[start : start + step]
            if self.inverse is None or base.inverse is None:
                known, where = np.unique(theirs, return_inverse=True)
                two = base.exact(known)[where.reshape(theirs.shape)]
                found = np.matmul(two, self.exact(mine)[:, :, None])[:, :, 0]
            else:  # scaling the products, not the rows, takes a tenth of the time
                found = np.matmul(base.doubles(theirs), self.doubles(mine)[:, :, None])[:, :, 0]
                found *= self.inverse[mine, None] * base.inverse[theirs]
            scores[start : start + step] = self.rounded(found)
        return scores

    def slack(self, asked: "Rows") -> float:
        """Most that a product of float32 rows is off, the rows' own rounding included."""
        return (self.dim + 8) * 2.0**-24 * asked.longest * self.longest

    def rounded(self, scores: NDArray[np.float64]) -> NDArray[Any]:
        """Drop what float64 cannot know of a cosine, so that equal angles tie: one may come as 0, another as 1e-17."""
        return np.clip(np.rint(scores * 2.0**40) * 2.0**-40, -1, 1) if self.cosine else scores
