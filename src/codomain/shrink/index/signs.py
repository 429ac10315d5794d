"""Filter rows by one bit a column, then compare those that pass in int8, all in one index."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from codomain.core.maths.rows import Floats, Ints
from codomain.core.maths.top import keep_best
from codomain.core.npy import pack_arrays, unpack_arrays
from codomain.shrink.index.integers import FEW, compiled_kernels, largest_query_number, share_out, to_int8

LANES = 64  # rows of a block, compared together
SAMPLED = 64  # least number of blocks that set a query's limit
WIDER = 4  # rows that are weighted for each one compared in int8
Words = NDArray[np.uint64]


class Signs:
    r"""Vectors as signs and as int8.

    Three stages, each for the rows that pass the one before. The first counts, for each row, the columns in which row
    and query are on different sides of the mean. The second weights those columns by the query's distance from the
    mean there (0 to 7). The third compares int8 copies (one scale a row) with the query in whole numbers, so that
    every machine gives the same answer. About `depth` rows for each hit reach the third, four times as many the
    second: the number of bits that may differ is set for each query so that the wanted share of a sample of the rows
    (all of them, up to 8,192) passes.

    Parameters
    ----------
    d : int
        Columns of a vector.
    depth : int
        Rows compared in int8 for each hit.
    """

    suffix: ClassVar[str] = "signs"
    magic: ClassVar[bytes] = b"codomain signs 2\n"

    def __init__(self, d: int, depth: int) -> None:
        self.d, self.depth = d, depth
        self.mean: Floats = np.zeros(d, dtype=np.float32)
        self.signs = np.empty((0, -(-d // 8)), dtype=np.uint8)
        self.store = np.empty((0, d), dtype=np.int8)
        self.scale = np.empty(0, dtype=np.float16)
        self._parts: list[tuple[Any, ...]] = []  # rows that were added and not yet joined to those above
        self._laid: tuple[Any, ...] | None = None
        self._asked = 0

    @property
    def ntotal(self) -> int:
        """Rows it holds."""
        return len(self.store) + sum(len(part[0]) for part in self._parts)

    def train(self, sample: Floats) -> None:
        """Learn the mean from rows of length 1."""
        self.mean = sample.mean(axis=0)

    def add(self, rows: Floats) -> None:
        """Code rows of length 1 and keep them."""
        self._parts.append((self._bits(rows), *to_int8(rows)))
        self._laid = None

    def search(self, Q: Floats, k: int) -> tuple[Floats, Ints]:
        """Return scores and rows, both of shape (n_queries, k), best first; equal scores by lower row."""
        laid, n = self._layout(), self.ntotal
        self._asked += len(Q)
        loops = compiled_kernels() if self._asked > FEW else None
        steps = np.maximum(np.abs(Q).max(axis=1), np.float32(1e-12)) / largest_query_number(self.d)
        sift: Any = loops.sift if loops else self._sift
        scores, rows = np.full((len(Q), k), -np.inf), np.full((len(Q), k), -1, dtype=np.int64)

        def search(some: slice, wide: int, deep: int) -> None:
            sift(*laid, self.mean, Q[some], steps[some], wide, deep, scores[some], rows[some])

        share_out(lambda some: search(some, min(WIDER * self.depth * k, n), min(self.depth * k, n)), len(Q))
        for i in np.flatnonzero(rows[:, -1] < 0).tolist():  # the sample misled: let every row pass
            search(slice(i, i + 1), n, n)
        return (scores * steps[:, None]).astype(np.float32), rows

    def candidates(self, Q: Floats, k: int) -> Ints:
        """Rows that the first two stages rank first, without a sample."""
        self._join()
        bits, words, weights = self._words(self._bits(Q)), self._words(self.signs), self._weights(Q)
        wide = min(WIDER * k, self.ntotal)
        scores, rows = np.full((len(Q), wide), -np.inf, np.float32), np.full((len(Q), wide), -1, dtype=np.int64)
        for start in range(0, len(words), 8192):
            S = np.zeros((len(Q), len(words[start : start + 8192])), dtype=np.float32)
            for word in range(words.shape[1]):
                S -= np.bitwise_count(bits[:, word, None] ^ words[None, start : start + 8192, word])
            scores, rows = keep_best(scores, rows, S, start)
        out = np.empty((len(Q), k), dtype=np.int64)
        for i in range(len(Q)):
            out[i] = rows[i, np.argsort(_weigh(words[rows[i]] ^ bits[i], weights[i]), kind="stable")[:k]]
        return out

    def project(self, rows: Floats) -> Floats:
        """Return the rows themselves: this index has no projection."""
        return rows

    def scan_bytes(self) -> int:
        """Bytes that the first stage reads for each row."""
        return self.signs.shape[1]

    def _bits(self, rows: Floats) -> NDArray[np.uint8]:
        return np.packbits(rows > self.mean, axis=1, bitorder="little")

    def _weights(self, Q: Floats) -> Words:
        """Return each query's distance from the mean in each column, 0 to 7, as bits (n_queries, 3, n_words)."""
        away = np.abs(Q - self.mean)
        furthest = np.maximum(away.max(axis=1, keepdims=True), np.float32(1e-12))
        away = np.rint(away * (np.float32(7) / furthest)).astype(np.uint8)
        planes = [self._words(np.packbits(away & (1 << plane), axis=1, bitorder="little")) for plane in range(3)]
        return np.stack(planes, axis=1)

    def _words(self, bits: NDArray[np.uint8]) -> Words:
        """Pack bits in words of 64, the last one filled with 0."""
        rest = -bits.shape[1] % 8
        return np.ascontiguousarray(np.pad(bits, ((0, 0), (0, rest))) if rest else bits).view(np.uint64)

    def _join(self) -> None:
        """Join the added rows to the others."""
        if self._parts:
            whole = zip((self.signs, self.store, self.scale), *self._parts, strict=True)
            self.signs, self.store, self.scale = (np.concatenate(part) for part in whole)
            self._parts = []

    def _layout(self) -> tuple[Any, ...]:
        """Return signs in blocks, (n_blocks, n_words, LANES), how many rows each has, and the int8 copies.

        Row i is in block i modulo n_blocks, so that every block is a fair sample of the rows.
        """
        if self._laid is None:
            self._join()
            blocks, words = -(-self.ntotal // LANES), self._words(self.signs)
            codes = np.zeros((max(blocks, 1), words.shape[1], LANES), dtype=np.uint64)
            lane, block = np.divmod(np.arange(self.ntotal), max(blocks, 1))
            codes[block, :, lane] = words
            used = np.bincount(block, minlength=len(codes))
            self._laid = codes, used, self.store, self.scale.astype(np.float64)
        return self._laid

    def _sift(
        self, codes: Words, used: Ints, store: Any, scale: Any, mean: Floats, Q: Floats, steps: Floats, wide: int,
        deep: int, scores: Any, rows: Ints,
    ) -> None:  # fmt: skip
        """Do all stages for some queries: `kernels.sift` in numpy."""
        # Sums of whole numbers below 2 to the power of 53: float64 holds them exactly.
        bits, weights = self._words(self._bits(Q)), self._weights(Q)
        whole = np.rint(Q / steps[:, None]).astype(np.float64)
        here = np.arange(LANES) < used[:, None]
        step = max(len(codes) // SAMPLED, 1)
        for i in range(len(Q)):
            apart = codes ^ bits[i][:, None]
            differ = np.bitwise_count(apart).sum(axis=1, dtype=np.int64)
            sample = np.sort(differ[::step][here[::step]])
            enough = min(-(-wide * len(sample) // len(scale)), len(sample))
            block, lane = np.nonzero((differ <= sample[enough - 1]) & here)
            near, apart = lane * len(codes) + block, apart[block, :, lane]
            weight = _weigh(apart, weights[i])
            near = near[weight <= np.sort(weight)[min(deep, len(near)) - 1]]
            S = (store[near].astype(np.float64) @ whole[i]) * scale[near]
            best = np.lexsort((near, -S))[: scores.shape[1]]
            scores[i, : len(best)], rows[i, : len(best)] = S[best], near[best]

    def to_bytes(self) -> bytes:
        """Return everything as one file."""
        self._join()
        head = np.array([self.d, self.depth])
        return pack_arrays(self.magic, [head, self.mean, self.signs, self.scale, self.store])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        head, *arrays = unpack_arrays(cls.magic, data, 5)
        out = cls(*(int(number) for number in head))
        out.mean, out.signs, out.scale, out.store = arrays
        return out


def _weigh(apart: Words, weights: Words) -> Ints:
    """Sum the weights of the differing columns of each row."""
    return np.sum(
        [np.bitwise_count(apart & plane).sum(axis=1, dtype=np.int64) << p for p, plane in enumerate(weights)], axis=0
    )
