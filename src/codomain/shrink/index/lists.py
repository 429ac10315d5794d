"""Scan the lists near a query with faiss, then compare the best rows in int8, all in one index."""

from typing import Any, ClassVar, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from codomain.core import one_thread
from codomain.core.maths.rows import Floats, Ints
from codomain.core.npy import pack_arrays, unpack_arrays
from codomain.shrink.index.integers import FEW, compiled_kernels, largest_query_number, share_out, to_int8
from codomain.shrink.index.slots import slots_of

HOMES = 2  # lists that a row lies in


class Lists:
    r"""Rows in lists around centres, as product codes of 4 bits and as int8.

    A query reads the lists of its nearest `probe` centres: faiss scans the product codes, the best `depth` for each
    hit are compared in int8 (one scale a row), in whole numbers. Every row lies in two lists, so that a
    query near the border of one finds it in the other. The first is that of the nearest centre c, the second that of
    the centre c' with the least

    .. math:: |x - c'|^2 + (r \cdot (x - c'))^2 / |r|^2, \qquad r = x - c

    so that x - c' points in another direction than r: a query that misses the first list seldom misses both.

    Parameters
    ----------
    d : int
        Columns of a vector.
    parts : int
        Subvectors, 4 bits each; a width that they do not divide is padded.
    depth : int
        Codes whose rows are compared in int8, for each hit; a row can have two of them.
    lists, probe : int
        Centres, from 2 to 65,535, and how many lists a query reads.

    References
    ----------
    Sun et al. (2023), "SOAR: Improved Indexing for Approximate Nearest Neighbor Search", arXiv:2404.00774.
    """

    suffix: ClassVar[str] = "lists"
    magic: ClassVar[bytes] = b"codomain lists 1\n"

    def __init__(self, d: int, parts: int, depth: int, lists: int, probe: int) -> None:
        self.d, self.parts, self.depth, self.lists, self.probe = d, parts, depth, lists, probe
        self.most = largest_query_number(d)
        self.size, self.slots = slots_of(d, parts)
        self.pq = faiss.ProductQuantizer(self.size * parts, parts, 4)
        self.pq.cp.min_points_per_centroid = 1
        self.centres, self.lengths = np.zeros((lists, d), dtype=np.int8), np.zeros(lists, dtype=np.float16)
        self.homes = np.empty((0, HOMES), dtype=np.uint16)
        self.codes = np.empty((0, self.pq.code_size), dtype=np.uint8)
        self.store, self.scale = np.empty((0, d), dtype=np.int8), np.empty(0, dtype=np.float16)
        self._parts: list[tuple[Any, ...]] = []  # rows that were added and not yet joined to those above
        self._laid: tuple[Any, ...] | None = None
        self._asked = 0

    @property
    def ntotal(self) -> int:
        """Rows it holds."""
        return len(self.store) + sum(len(part[0]) for part in self._parts)

    def train(self, sample: Floats, seed: int) -> None:
        """Learn centres and codewords from rows of length 1."""
        means = faiss.Clustering(self.d, self.lists)
        means.seed, means.niter, means.spherical, means.min_points_per_centroid = seed, 8, True, 1
        means.train(sample, faiss.IndexFlatIP(self.d))
        self.centres, self.lengths = to_int8(faiss.vector_to_array(means.centroids).reshape(self.lists, self.d))
        with one_thread():  # starting threads for each of many tiny codebooks takes longer than the work
            self.pq.train(self._pad(sample))

    def add(self, rows: Floats) -> None:
        """Code rows of length 1 and keep them."""
        self._parts.append((self._homes(rows), self.pq.compute_codes(self._pad(rows)), *to_int8(rows)))
        self._laid = None

    def search(self, Q: Floats, k: int) -> tuple[Floats, Ints]:
        """Return scores and rows, both of shape (n_queries, k), best first; equal scores by lower row."""
        index, lengths, scale = self._layout()
        n = len(Q)
        self._asked += n
        loops = compiled_kernels() if self._asked > FEW else None
        nearest, rescore = (loops.nearest, loops.rescore) if loops else (_nearest, _rescore)
        steps, near = np.empty(n, dtype=np.float32), np.empty((n, self.probe), dtype=np.int64)
        scores, rows = np.empty((n, k), dtype=np.float32), np.empty((n, k), dtype=np.int64)

        def search(at: slice) -> None:
            nearest(self.centres, lengths, self.most, Q[at], steps[at], near[at])
            found = self._scan(index, Q[at], near[at], max(self.depth, HOMES) * k)
            rescore(self.store, scale, Q[at], steps[at], found, scores[at], rows[at])

        share_out(search, n)
        return scores, rows

    def candidates(self, Q: Floats, k: int) -> Ints:
        """Rows of any list that the product codes rank first."""
        index, every = self._layout()[0], np.tile(np.arange(self.lists), (len(Q), 1))
        found = np.empty((len(Q), HOMES * k), dtype=np.int64)

        def scan(at: slice) -> None:
            found[at] = self._scan(index, Q[at], every[at], HOMES * k)

        share_out(scan, len(Q))
        order = np.argsort(found, axis=1, kind="stable")
        ordered = np.take_along_axis(found, order, axis=1)
        again = np.zeros(found.shape, dtype=bool)
        np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
        return np.take_along_axis(found, np.argsort(again, axis=1, kind="stable")[:, :k], axis=1)

    def project(self, rows: Floats) -> Floats:
        """Return the rows themselves: this index has no projection."""
        return rows

    def scan_bytes(self) -> int:
        """Bytes of product codes that a search reads, divided by the rows; at least 1."""
        return max(round(HOMES * self.pq.code_size * self.probe / self.lists), 1)

    def _pad(self, rows: Floats) -> Floats:
        """Pad rows where the parts do not divide the columns, as faiss needs equal parts."""
        if self.size * self.parts == self.d:
            return rows
        out = np.zeros((len(rows), self.size * self.parts), dtype=np.float32)
        out[:, self.slots] = rows
        return out

    def _homes(self, rows: Floats) -> NDArray[np.uint16]:
        """Return both lists of each row."""
        centres = self.centres * self.lengths[:, None].astype(np.float32)
        each, along = np.arange(len(rows)), rows @ centres.T
        first = along.argmax(axis=1)
        rest = rows - centres[first]
        rest /= np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), np.float32(1e-6))
        cost = np.einsum("ij,ij->i", rest, rows)[:, None] - rest @ centres.T
        cost **= 2
        cost += np.einsum("ij,ij->i", centres, centres) - 2 * along
        cost[each, first] = np.inf
        return np.stack([first, cost.argmin(axis=1)], axis=1).astype(np.uint16)

    def _scan(self, index: Any, Q: Floats, near: Ints, count: int) -> Ints:
        """Return rows of the best codes in the given lists, of shape (n_queries, count), -1 where there are no more.

        The number of lists is given with the call: set on the index, as faiss's Python does, it would be set for every
        thread.
        """
        n, probe = near.shape
        rows, scores = np.empty((n, count), dtype=np.int64), np.empty((n, count), dtype=np.float32)
        given = np.ascontiguousarray(self._pad(Q)), near, np.zeros(near.shape, dtype=np.float32), scores, rows
        queries, lists, distances, *out = (faiss.swig_ptr(array) for array in given)
        how: Any = faiss.IVFSearchParameters
        index.search_preassigned_c(n, queries, count, lists, distances, *out, False, how(nprobe=probe))
        return rows

    def _join(self) -> None:
        """Join the added rows to the others."""
        if self._parts:
            whole = zip((self.homes, self.codes, self.store, self.scale), *self._parts, strict=True)
            self.homes, self.codes, self.store, self.scale = (np.concatenate(part) for part in whole)
            self._parts = []

    def _layout(self) -> tuple[Any, ...]:
        """Return the lists as faiss scans them, and the scales of centres and rows in float64."""
        if self._laid is None:
            self._join()
            unused: Any = faiss.IndexFlatIP(self.pq.d)  # faiss needs an index that finds lists, but they are found here
            plain = faiss.IndexIVFPQ(unused, self.pq.d, self.lists, self.parts, 4, faiss.METRIC_INNER_PRODUCT)
            plain.by_residual, plain.pq, plain.is_trained = False, self.pq, True
            order = np.argsort(self.homes.ravel(), kind="stable")
            ends = np.cumsum(np.bincount(self.homes.ravel(), minlength=self.lists))[:-1]
            filled: Any = plain.invlists
            for number, places in enumerate(np.split(order, ends)):
                rows = places // HOMES
                codes = self.codes[rows]
                filled.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(codes))
            plain.ntotal = len(order)
            index: Any = faiss.IndexIVFPQFastScan(plain)
            unused.this.disown()
            index.own_fields = True  # faiss points to it and from now on also frees it
            index.implem = 11  # one query after the other: no slower for many, faster for one, and the same for both
            self._laid = index, self.lengths.astype(np.float64), self.scale.astype(np.float64)
        return self._laid

    def to_bytes(self) -> bytes:
        """Return everything as one file."""
        self._join()
        head, words = [self.d, self.parts, self.depth, self.lists, self.probe], faiss.vector_to_array(self.pq.centroids)
        arrays = self.centres, self.lengths, self.homes, self.codes, self.store, self.scale
        return pack_arrays(self.magic, [np.array(head), words, *arrays])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        head, words, *arrays = unpack_arrays(cls.magic, data, 8)
        out = cls(*(int(number) for number in head))
        faiss.copy_array_to_vector(words, out.pq.centroids)
        out.centres, out.lengths, out.homes, out.codes, out.store, out.scale = arrays
        return out


def _nearest(centres: Any, lengths: Any, most: np.float32, Q: Floats, steps: Floats, near: Ints) -> None:
    """Write steps and the lists that a query reads: `kernels.nearest` in numpy."""
    steps[:] = np.maximum(np.abs(Q).max(axis=1), np.float32(1e-12)) / most
    # Sums of whole numbers below 2 to the power of 53: float64 holds them exactly.
    S = np.rint(Q / steps[:, None]).astype(np.float64) @ centres.T.astype(np.float64) * lengths
    near[:] = np.argsort(-S, axis=1, kind="stable")[:, : near.shape[1]]


def _rescore(store: Any, scale: Any, Q: Floats, steps: Floats, found: Ints, scores: Floats, rows: Ints) -> None:
    """Compare the found rows in whole numbers and write the best: `kernels.rescore` in numpy."""
    scores[:], rows[:] = -np.inf, -1
    for i, whole in enumerate(np.rint(Q / steps[:, None]).astype(np.float64)):
        some = np.unique(found[i][found[i] >= 0])
        S = (store[some].astype(np.float64) @ whole) * scale[some]
        best = np.lexsort((some, -S))[: scores.shape[1]]
        scores[i, : len(best)], rows[i, : len(best)] = S[best] * np.float64(steps[i]), some[best]
