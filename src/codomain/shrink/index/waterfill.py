"""Give every direction the bits that it is worth: rotate, quantise each direction by its step, entropy code."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.core.maths.rows import Floats, Ints
from codomain.core.maths.top import keep_best
from codomain.core.npy import pack_arrays, unpack_arrays
from codomain.shrink.index.integers import compiled_kernels

Words = NDArray[np.uint16]
States = NDArray[np.uint32]
BITS = 12  # of a symbol's probability
CHUNK = 32_768  # rows that are coded together
FEW = 20_000  # rows for which it is not worth half a second to start the compiled loops
PER_LANE = 8  # rows that share one state of the coder, which costs about 2 bytes
REACH = 511  # most steps from the mean
RARE = 0.005  # a direction whose level differs from the mean's in fewer rows is not coded


class Coder:
    """A range coder (rANS) for tables of small numbers, many rows at a time.

    Every column has its own probabilities. A row costs about the sum of the columns' entropies, in fractions of a
    bit; `PER_LANE` rows share a state, and all states of a chunk share one stream of 16-bit words.

    Parameters
    ----------
    counts : list of ndarray of int
        For each column, how often each symbol 0, 1, ... was seen; symbols never seen remain possible.
    """

    def __init__(self, counts: list[NDArray[np.int64]]) -> None:
        self.shares = [_scale_shares(count) for count in counts]
        self.before = [(np.cumsum(share) - share).astype(np.uint32) for share in self.shares]
        self._steps: States | None = None

    def encode(self, symbols: Words) -> tuple[States, Words]:
        """Return one state for each lane, and the stream, for symbols of shape (n_rows, n_columns)."""
        lanes = lanes_of(len(symbols))
        x = np.full(lanes, 1 << 16, dtype=np.uint32)
        stream: list[Words] = []
        for start in reversed(range(0, len(symbols), max(lanes, 1))):
            part = np.ascontiguousarray(symbols[start : start + lanes].T)
            some = x[: part.shape[1]]
            for column in reversed(range(len(part))):
                share = self.shares[column][part[column]]
                full = np.flatnonzero((some >> np.uint32(32 - BITS)) >= share)
                stream.append(some[full].astype(np.uint16))
                some[full] >>= np.uint32(16)
                whole, rest = np.divmod(some, share)
                some[:] = (whole << np.uint32(BITS)) + rest + self.before[column][part[column]]
        return x, np.concatenate(stream[::-1]) if stream else np.empty(0, dtype=np.uint16)

    def decode(self, states: States, words: Words, n: int, values: list[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        """Yield tables of shape (n_columns, some rows), in order; `values` has the value of each symbol."""
        if self._steps is None:  # for each place on the scale: its symbol's share, and its offset in it
            place, steps = np.arange(1 << BITS, dtype=np.uint32), []
            for share, before in zip(self.shares, self.before, strict=True):
                steps.append(np.repeat(share << np.uint32(16), share) | (place - np.repeat(before, share)))
            self._steps = np.array(steps, dtype=np.uint32).reshape(-1, 1 << BITS)
        kind = values[0].dtype if values else np.float32
        tables = np.array([np.repeat(v, share) for v, share in zip(values, self.shares, strict=True)], dtype=kind)
        tables, kernels = tables.reshape(-1, 1 << BITS), compiled_kernels() if n > FEW else None
        x, at, mask = states.copy(), 0, np.uint32((1 << BITS) - 1)
        for start in range(0, n, max(len(x), 1)):
            some = x[: n - start]
            out = np.empty((len(tables), len(some)), dtype=kind)
            if kernels:
                at = kernels.decode(some, at, words, self._steps, tables, out)
                yield out
                continue
            for column, (table, steps_) in enumerate(zip(tables, self._steps, strict=True)):
                place = some & mask
                np.take(table, place, out=out[column])
                step = steps_[place]
                some >>= np.uint32(BITS)
                some *= step >> np.uint32(16)
                some += step & np.uint32(0xFFFF)
                low = np.flatnonzero(some < 1 << 16)
                some[low] = (some[low] << np.uint32(16)) | words[at : at + len(low)]
                at += len(low)
            yield out


def lanes_of(n: int) -> int:
    """Return the number of states that n rows of a chunk share."""
    return -(-n // PER_LANE)


def _scale_shares(count: NDArray[np.int64]) -> States:
    """Return the share of the scale for each symbol: at least 1, and together 2 to the power of BITS."""
    free = (1 << BITS) - len(count)
    share = 1 + count * free // max(int(count.sum()), 1)
    share[count.argmax()] += (1 << BITS) - share.sum()
    return share.astype(np.uint32)


class Waterfill:
    r"""Vectors coded direction by direction, as an index.

    The space is rotated to its principal directions (uncentred). With :math:`\lambda_j` the mean square along direction
    j, values there are rounded to multiples of a step proportional to :math:`\lambda_j^{-1/4}`, and the rounded
    numbers are entropy coded. One step for all (reverse water-filling) would minimise the error of the vectors, steps
    proportional to :math:`\lambda_j^{-1/2}` that of inner products with vectors like them; this exponent lies between
    the two. The size determines the steps. Each row has one scale, so that its inner product with itself is exact.

    Parameters
    ----------
    d : int
        Columns of a vector.
    size : int
        Target bytes for each row, from 3 to 3/4 of d (but at least 4).

    Raises
    ------
    UserError
        When the size is out of range.
    """

    suffix: ClassVar[str] = "fill"
    magic: ClassVar[bytes] = b"codomain waterfill 1\n"

    def __init__(self, d: int, size: int) -> None:
        if not 3 <= size <= max(3 * d // 4, 4):
            raise UserError(
                f"fill{size} does not suit {d} columns.", needed=f"from fill3 to fill{max(3 * d // 4, 4)}",
                todo="choose another size, or int8",
            )  # fmt: skip
        self.d, self.size = d, size
        self.turn: Floats = np.empty((0, d), dtype=np.float32)
        self.scales: list[NDArray[np.float16]] = []
        self.chunks: list[tuple[States, Words]] = []
        self.ntotal = 0
        self._tail: list[Words] = []  # symbols of rows that do not yet fill a chunk
        self._closed: tuple[States, Words] | None = None

    def train(self, sample: Floats, axes: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
        """Learn directions, steps, levels and probabilities from rows of length 1; `axes` is from `axes_of`."""
        directions = axes[1]
        finest = np.maximum(np.abs(directions).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
        small = np.rint(directions / finest[:, None]).astype(np.int8)
        Z = sample @ (small * finest[:, None]).T
        weight = np.einsum("ij,ij->j", Z, Z, dtype=np.float64) / len(Z)
        weight = np.maximum(weight, 1e-9 * weight.max() + 1e-30)
        mean, relative = Z.mean(axis=0), (weight / weight.mean()) ** -0.25

        def round_by(Y: Floats, step: float) -> NDArray[np.int64]:
            return _round_to_steps(Y, mean, (step * relative).astype(np.float32))

        low, high, some = 1e-5, 4.0, Z[:4000]
        for _ in range(12):
            middle = float(np.sqrt(low * high))
            if _entropy(round_by(some, middle)) + 16 + 16 / PER_LANE > 8 * self.size:
                low = middle
            else:
                high = middle
        K = round_by(Z, high)
        used = np.flatnonzero(np.mean(K != 0, axis=0) >= RARE)
        self._small, self._finest = small[used], finest[used]
        self.mean, self.step = mean[used], (high * relative[used]).astype(np.float32)
        self.low = K[:, used].min(axis=0).astype(np.int16) if len(used) else np.empty(0, dtype=np.int16)
        counts, levels = [], []
        for column, direction in enumerate(used):
            symbol = K[:, direction] - self.low[column]
            count = np.bincount(symbol)
            grid = self.mean[column] + (self.low[column] + np.arange(len(count))) * self.step[column]
            total = np.bincount(symbol, Z[:, direction])
            counts.append(count)
            levels.append(np.where(count > 0, total / np.maximum(count, 1), grid).astype(np.float16))
        self._set_tables([_scale_shares(count) for count in counts], levels)

    def _set_tables(self, shares: list[States], levels: list[NDArray[np.float16]]) -> None:
        self.coder = Coder([share.astype(np.int64) - 1 for share in shares])
        self.levels = [level.astype(np.float32) for level in levels]
        self.turn = self._small * self._finest[:, None]
        self.high = np.array([len(level) - 1 for level in levels], dtype=np.int64) + self.low
        self._flat = np.concatenate([*self.levels, np.empty(0, dtype=np.float32)])
        self._first = np.cumsum([0, *map(len, levels)])[:-1].astype(np.int64)

    def add(self, rows: Floats) -> None:
        """Code rows of length 1 and keep them."""
        Z = rows @ self.turn.T
        symbols = (np.clip(_round_to_steps(Z, self.mean, self.step), self.low, self.high) - self.low).astype(np.uint16)
        own = np.einsum("ij,ij->i", Z, self._flat[self._first + symbols])
        self.scales.append(np.where(own > 0.05, 1 / np.maximum(own, 0.05), 1).astype(np.float16))
        if not self._tail and self.ntotal % CHUNK and self.chunks:  # it was read from a file: open the last chunk again
            numbers = [np.arange(len(level), dtype=np.uint16) for level in self.levels]
            parts = self.coder.decode(*self.chunks.pop(), self.ntotal % CHUNK, numbers)
            self._tail = [np.ascontiguousarray(part.T) for part in parts]
        self.ntotal += len(rows)
        self._closed = None
        tail = np.concatenate([*self._tail, symbols])
        while len(tail) >= CHUNK:
            self.chunks.append(self.coder.encode(tail[:CHUNK]))
            tail = tail[CHUNK:]
        self._tail = [tail]

    def decoded(self) -> Iterator[tuple[int, Floats]]:
        """Yield (number of the first row, rows in the rotated space, of shape (n_directions, some rows))."""
        start, scale = 0, np.concatenate([*self.scales, np.empty(0, dtype=np.float16)]).astype(np.float32)
        for number, (states, words) in enumerate(self._all_chunks()):
            for part in self.coder.decode(states, words, min(CHUNK, self.ntotal - number * CHUNK), self.levels):
                part *= scale[start : start + part.shape[1]]
                yield start, part
                start += part.shape[1]

    def search(self, Q: Floats, k: int) -> tuple[Floats, Ints]:
        """Return scores and rows, both of shape (n_queries, k), best first; equal scores by lower row."""
        scores = np.full((len(Q), k), -np.inf, dtype=np.float32)
        rows = np.full((len(Q), k), -1, dtype=np.int64)
        rotated, kernels = Q @ self.turn.T, compiled_kernels() if self.ntotal > FEW else None
        for start, part in self.decoded():
            S = np.asarray(rotated @ part, dtype=np.float32)
            if kernels:
                kernels.keep_best(S, start, scores, rows)
            else:
                scores, rows = keep_best(scores, rows, S, start)
        return scores, rows

    def candidates(self, Q: Floats, k: int) -> Ints:
        """Rows that the code ranks first: there is no rescoring."""
        return self.search(Q, k)[1]

    def project(self, rows: Floats) -> Floats:
        """Return the rows themselves: this index has no projection."""
        return rows

    def scan_bytes(self) -> int:
        """Bytes of code that a search reads for each row."""
        read = sum(states.nbytes + words.nbytes for states, words in self._all_chunks()) + 2 * self.ntotal
        return read // self.ntotal if self.ntotal else self.size

    def _all_chunks(self) -> list[tuple[States, Words]]:
        """Return all chunks, with the last rows coded too."""
        tail = np.concatenate(self._tail) if self._tail else np.empty((0, 0), dtype=np.uint16)
        if len(tail) and self._closed is None:
            self._closed = self.coder.encode(tail)
        return [*self.chunks, *([self._closed] if self._closed and len(tail) else [])]

    def to_bytes(self) -> bytes:
        """Return everything as one file."""
        whole = self._all_chunks()
        return pack_arrays(self.magic, [
            np.array([self.d, self.size, self.ntotal]), self._small, self._finest, self.mean, self.step, self.low,
            np.array([len(level) for level in self.levels], dtype=np.int16), self._flat.astype(np.float16),
            np.concatenate([*self.coder.shares, np.empty(0, dtype=np.uint32)]).astype(np.uint16),
            np.concatenate([*self.scales, np.empty(0, dtype=np.float16)]),
            np.array([len(words) for _, words in whole], dtype=np.int64),
            np.concatenate([*(states for states, _ in whole), np.empty(0, dtype=np.uint32)]),
            np.concatenate([*(words for _, words in whole), np.empty(0, dtype=np.uint16)]),
        ])  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        (d, size, n), small, finest, mean, step, low, lengths, flat, shares, scale, n_words, states, words = (
            unpack_arrays(cls.magic, data, 13)
        )
        out = cls(int(d), int(size))
        out._small, out._finest, out.mean, out.step, out.low = small, finest, mean, step, low
        cuts = np.cumsum(lengths, dtype=np.int64)[:-1]
        out._set_tables(*([*np.split(part, cuts)] if len(lengths) else [] for part in (shares.astype(np.uint32), flat)))
        out.ntotal, out.scales = int(n), [scale]
        lanes = [lanes_of(min(CHUNK, out.ntotal - start)) for start in range(0, out.ntotal, CHUNK)]
        out.chunks = list(
            zip(np.split(states, np.cumsum(lanes)[:-1]), np.split(words, np.cumsum(n_words)[:-1]), strict=True)
        )[: len(lanes)]
        return out


def _round_to_steps(Z: Floats, mean: Floats, step: Floats) -> NDArray[np.int64]:
    """Return whole steps from the mean."""
    return np.clip(np.rint((Z - mean) / step), -REACH, REACH).astype(np.int64)


def _entropy(K: NDArray[np.int64]) -> float:
    """Return the mean bits of a row when every column is coded by its own frequencies."""
    span = 2 * REACH + 1
    count = np.bincount((K + REACH + span * np.arange(K.shape[1])).ravel(), minlength=span * K.shape[1])
    share = count[count > 0] / len(K)
    return float(-(share * np.log2(share)).sum())
