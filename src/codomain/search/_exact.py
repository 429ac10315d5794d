"""The machinery of `neighbors`: blocks, pools of candidates, a last word in float64."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from codomain.core import UserError, bar, unit_rows

BLOCK = 4096  # rows that share one pool of candidates
TILE = 512  # rows multiplied at a time: a 512 x 4096 tile of scores stays in the processor's cache
SPARE = 16  # candidates kept beyond k, so that rounding in float32 can be undone in float64
IN_MEMORY = 1 << 30  # bytes of scaled rows worth keeping rather than making again for every block


class Rows:
    """Rows read block by block: scaled float32 for the products, float64 for the last word."""

    def __init__(self, source: Any, metric: str) -> None:
        self.source, self.cosine = source, metric == "cosine"
        self.dim = int(source.shape[1])
        self.heads: NDArray[np.int64] | None = None
        self.cache: NDArray[np.float32] | None = None
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
            for start in range(0, self.length, BLOCK):
                cache[start : start + BLOCK] = self._scaled(start, start + BLOCK)
            self.cache = cache

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
        rows = np.asarray(self.source[which if self.heads is None else self.heads[which]], np.float64)
        return unit_rows(rows) if self.cosine else rows

    def dots(self, which: NDArray[Any], others: NDArray[Any], base: "Rows | None" = None) -> NDArray[np.float32]:
        """Scores of rows (m,) with others (m, w) of `base`, settled in float64 and rounded once: shape (m, w)."""
        base = base or self
        scores = np.empty(others.shape, np.float32)
        step = max(1, (1 << 20) // (self.dim * others.shape[1] + 1))
        for start in range(0, len(which), step):
            mine, theirs = which[start : start + step], others[start : start + step]
            known, where = np.unique(theirs, return_inverse=True)
            two = base.exact(known)[where.reshape(theirs.shape)]
            scores[start : start + step] = self.rounded(np.matmul(two, self.exact(mine)[:, :, None])[:, :, 0])
        return scores

    def slack(self, asked: "Rows") -> float:
        """Most that a product of float32 rows is off, the rows' own rounding included."""
        return (self.dim + 8) * 2.0**-24 * asked.longest * self.longest

    def rounded(self, scores: NDArray[np.float64]) -> NDArray[Any]:
        """Drop what float64 cannot know of a cosine, so that equal angles tie: one may come as 0, another as 1e-17."""
        return np.clip(np.rint(scores * 2.0**40) * 2.0**-40, -1, 1) if self.cosine else scores


@dataclass(frozen=True)
class Groups:
    """Rows that are equal number for number."""

    of: NDArray[np.int64]  # (n,) the group of each row
    heads: NDArray[np.int64]  # (g,) the first row of each group, ascending
    members: NDArray[np.int64]  # (n,) rows group by group, ascending within
    starts: NDArray[np.int64]  # (g + 1,)


def same_rows(rows: Rows, *, called: str = "Row") -> Groups:
    """Group equal rows by a 64-bit hash, then check that they are equal."""
    n = len(rows)
    keys = np.empty(n, np.uint64)
    multipliers = np.random.default_rng(0).integers(1, 2**63, rows.dim, np.uint64) * 2 + 1
    for start in range(0, n, BLOCK):
        block = np.asarray(rows.raw(start, start + BLOCK), np.float64) + 0.0  # -0 becomes 0
        bad = ~np.isfinite(block).all(axis=1)
        if bad.any():
            raise UserError(
                f"{called} {start + int(np.flatnonzero(bad)[0])} holds a value that is not finite.",
                needed="finite numbers",
            )
        if not rows.cosine:
            rows.longest = max(rows.longest, float(np.sqrt(np.einsum("ij,ij->i", block, block).max(initial=0))))
        bits = block.view(np.uint64)
        # The low half of a float32 widened to float64 is empty, so fold the high half in.
        keys[start : start + BLOCK] = (bits ^ (bits >> np.uint64(29))) @ multipliers
    if rows.longest > 1e18:
        raise UserError(f"A row is {rows.longest:.3g} long: float32 products overflow.", todo="rescale the rows")
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) < n and not _all_equal(rows, first[of]):
        whole = np.concatenate([np.asarray(rows.raw(s, s + BLOCK)) for s in range(0, n, BLOCK)]) + 0.0
        _, first, of = np.unique(whole, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    of = np.argsort(order)[of.ravel()]
    members = np.argsort(of, kind="stable")
    return Groups(of, first[order], members, np.append(0, np.cumsum(np.bincount(of))))


def _all_equal(rows: Rows, heads: NDArray[np.int64]) -> bool:
    """Whether each row equals the row that heads its group."""
    doubles = np.flatnonzero(heads != np.arange(len(rows)))
    return all(
        np.array_equal(rows.source[doubles[s : s + BLOCK]], rows.source[heads[doubles[s : s + BLOCK]]])
        for s in range(0, len(doubles), BLOCK)
    )


def nearest(rows: Rows, queries: Rows | None, k: int, progress: bool) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """List the k best among distinct rows; without queries a row meets itself elsewhere, so it is left out."""
    n, asked = len(rows), queries or rows
    if queries is None:
        k = min(k, n - 1)
        if k == 0:
            return np.empty((n, 0), np.int64), np.empty((n, 0), np.float32)
    else:
        same_rows(queries, called="Query")  # for its refusals and lengths; copies are asked twice
        queries.keep(np.arange(len(queries)))
    keep = min(k + SPARE, n - (queries is None))
    pools = [Pool(start, min(BLOCK, len(asked) - start), keep, n) for start in range(0, len(asked), BLOCK)]
    sample = rows.block(0, n) if n <= 1024 else _spread(rows, 1024)
    indices = np.empty((len(asked), k), np.int64)
    scores = np.empty((len(asked), k), np.float32)

    def begin(pool: Pool) -> None:
        left = asked.block(pool.start, pool.start + pool.size)
        pool.begin(left @ sample.T, rows.slack(asked), one_is_self=queries is None)

    def compare(pool: Pool) -> None:
        mask = np.empty(TILE * BLOCK, bool)
        for other, tile, first in _tiles(asked, rows, pool, symmetric=queries is None):
            inside = mask[: tile.size].reshape(tile.shape)
            pool.take(tile, inside, first - pool.start, other)
            if queries is None and other != pool.start:
                pools[other // BLOCK].take_columns(tile, inside, first)
        if progress:
            tick(pool.size)

    def finish(pool: Pool) -> None:
        _last_word(rows, asked, pool, indices, scores, self_out=queries is None)

    # One block per core, each product on one core: blocks never wait for each other, and choosing candidates, which
    # no BLAS does, uses every core too. What a pool holds may depend on who was first; what `finish` makes of it not.
    cores = min(len(pools), _cores())
    with (
        bar("neighbours", total=len(asked) if progress else 0) as tick,
        threadpool_limits(1 if cores > 1 else None, user_api="blas"),
        ThreadPoolExecutor(cores) as threads,
    ):
        for step in (begin, compare, finish):
            list(threads.map(step, pools))
    return indices, scores


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _spread(rows: Rows, count: int) -> NDArray[np.float32]:
    """Evenly spaced rows: files are often sorted, so the first ones would not do."""
    picks = np.linspace(0, len(rows) - 1, count).astype(np.int64)
    return np.concatenate([rows.block(int(i), int(i) + 1) for i in picks])


def _tiles(asked: Rows, rows: Rows, pool: "Pool", *, symmetric: bool) -> Iterator[tuple[int, NDArray[np.float32], int]]:
    """Yield (first base row, scores, first query row); with `symmetric`, only on and above the diagonal."""
    left = asked.block(pool.start, pool.start + pool.size)
    space = np.empty((TILE, BLOCK), np.float32)
    for other in range(pool.start if symmetric else 0, len(rows), BLOCK):
        right = rows.block(other, other + BLOCK)
        for top in range(0, pool.size, TILE):
            part = left[top : top + TILE]
            tile = np.matmul(part, right.T, out=space.ravel()[: len(part) * len(right)].reshape(len(part), len(right)))
            if symmetric and other == pool.start:
                tile[np.arange(len(part)), top + np.arange(len(part))] = -np.inf
            yield other, tile, pool.start + top


class Pool:
    """The best candidates so far of one block of rows, and the score that a newcomer must beat."""

    def __init__(self, start: int, size: int, keep: int, n: int) -> None:
        self.start, self.size, self.keep = start, size, keep
        self.floor: NDArray[np.float32] = np.full(size, -np.inf, np.float32)
        self.waiting: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
        self.n_waiting = 0
        self.rows = np.empty(0, np.int64)
        self.cols = np.empty(0, np.int64)
        self.scores = np.empty(0, np.float32)
        self.lock = Lock()

    def begin(self, scores: NDArray[np.float32], slack: float, *, one_is_self: bool) -> None:
        """Set the floor just under what a sample of the rows already reaches."""
        depth = self.keep + one_is_self
        if scores.shape[1] > depth:
            reached = np.partition(scores, -depth, axis=1)[:, -depth]
            # The same product comes out differently in another block, by up to twice its error.
            self.floor = np.asarray(reached - np.float32(2 * slack), np.float32)

    def take(self, tile: NDArray[np.float32], mask: NDArray[np.bool_], top: int, other: int) -> None:
        """Keep what beats the floor along the tile's rows."""
        np.greater(tile, self.floor[top : top + len(tile), None], out=mask)
        hit = np.flatnonzero(mask)
        if len(hit):
            row, col = np.divmod(hit, tile.shape[1])
            self._wait(row + top, col + other, tile.ravel()[hit])

    def take_columns(self, tile: NDArray[np.float32], mask: NDArray[np.bool_], first: int) -> None:
        """Keep what beats the floor along the tile's columns: by symmetry these are this block's rows."""
        np.greater(tile, self.floor[None, :], out=mask)
        hit = np.flatnonzero(mask)
        if len(hit):
            row, col = np.divmod(hit, tile.shape[1])
            self._wait(col, row + first, tile.ravel()[hit])

    def _wait(self, rows: NDArray[np.int64], cols: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        with self.lock:
            self.waiting.append((rows, cols, scores))
            self.n_waiting += len(rows)
            if self.n_waiting > self.size * self.keep:
                self.settle()

    def settle(self) -> None:
        """Merge what waits, cut every row to its best and raise the floors."""
        if not self.waiting:
            return
        rows = np.concatenate([self.rows, *(w[0] for w in self.waiting)])
        cols = np.concatenate([self.cols, *(w[1] for w in self.waiting)])
        scores = np.concatenate([self.scores, *(w[2] for w in self.waiting)])
        self.waiting, self.n_waiting = [], 0
        order = np.argsort(_row_then_best(rows, scores))
        rows = rows[order]
        starts = np.searchsorted(rows, np.arange(self.size + 1))
        place = np.arange(len(rows)) - starts[rows]
        kept = place < self.keep
        order = order[kept]
        self.rows, self.cols, self.scores = rows[kept], cols[order], scores[order]
        last = place[kept] == self.keep - 1
        self.floor[self.rows[last]] = np.maximum(self.floor[self.rows[last]], self.scores[last])


def _row_then_best(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> NDArray[np.uint64]:
    """One integer per candidate that sorts by row, then by falling score."""
    bits = (scores + np.float32(0)).view(np.uint32)
    rising = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    return (rows.astype(np.uint64) << np.uint64(32)) | (~rising).astype(np.uint64)


def _last_word(
    rows: Rows, asked: Rows, pool: Pool, indices: NDArray[np.int64], scores: NDArray[np.float32], *, self_out: bool
) -> None:
    """Settle a pool's candidates in float64 and redo the lists where float32 could have lost one."""
    k = indices.shape[1]
    pool.settle()
    mine = np.arange(pool.start, pool.start + pool.size)
    cols = pool.cols.reshape(pool.size, pool.keep)
    exact = asked.dots(mine, cols, rows)
    order = np.lexsort((cols, -exact))[:, :k]
    indices[mine], scores[mine] = np.take_along_axis(cols, order, 1), np.take_along_axis(exact, order, 1)
    if pool.keep < len(rows) - self_out:
        doubtful = mine[scores[mine, -1] <= pool.scores.reshape(pool.size, -1).min(axis=1) + rows.slack(asked)]
        _again(rows, asked, doubtful, indices, scores, self_out=self_out)


def _again(
    rows: Rows, asked: Rows, which: NDArray[np.int64], indices: NDArray[np.int64], scores: NDArray[np.float32], *,
    self_out: bool,
) -> None:  # fmt: skip
    """Compute these lists against every row in float64."""
    k = indices.shape[1]
    step = max(1, (1 << 23) // len(rows))
    for start in range(0, len(which), step):
        mine = which[start : start + step]
        all_scores = np.empty((len(mine), len(rows)), np.float32)
        left = asked.exact(mine)
        for other in range(0, len(rows), BLOCK):
            right = rows.exact(np.arange(other, min(other + BLOCK, len(rows))))
            all_scores[:, other : other + BLOCK] = asked.rounded(left @ right.T)
        if self_out:
            all_scores[np.arange(len(mine)), mine] = -np.inf
        worst = np.partition(all_scores, -k, axis=1)[:, -k]
        for row, line, least in zip(mine, all_scores, worst, strict=True):
            above = np.flatnonzero(line > least)
            best = np.concatenate([above, np.flatnonzero(line == least)[: k - len(above)]])
            best = best[np.lexsort((best, -line[best]))]
            indices[row], scores[row] = best, line[best]


def put_copies_back(
    best: tuple[NDArray[np.int64], NDArray[np.float32]], groups: Groups, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Turn lists of distinct rows into lists of rows, equal rows side by side, ties by lower number."""
    found, scores = best
    if len(groups.heads) == len(groups.of):
        order = np.lexsort((found, -scores))[:, :k]
        return np.take_along_axis(found, order, 1), np.take_along_axis(scores, order, 1)
    copies = np.minimum(np.diff(groups.starts), k)
    out = np.empty((len(found), k), np.int64), np.empty((len(found), k), np.float32)
    for start in range(0, len(found), BLOCK):
        some, their = found[start : start + BLOCK], scores[start : start + BLOCK]
        counts = copies[some].ravel()
        ends = np.cumsum(counts)
        nth = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
        rows = groups.members[np.repeat(groups.starts[some].ravel(), counts) + nth]
        owner = np.repeat(np.repeat(np.arange(len(some)), some.shape[1]), counts)
        value = np.repeat(their.ravel(), counts)
        order = np.lexsort((rows, -value, owner))
        first = np.searchsorted(owner[order], np.arange(len(some)))
        take = order[first[:, None] + np.arange(k)]
        out[0][start : start + BLOCK], out[1][start : start + BLOCK] = rows[take], value[take]
    return out


def without_self(
    indices: NDArray[np.int64], scores: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Take each row out of its own list of k + 1; where it did not make the list, drop the last."""
    own = indices == np.arange(len(indices))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~own].reshape(shape), scores[~own].reshape(shape)
