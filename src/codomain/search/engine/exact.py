"""The machinery of `neighbors`: blocks, pools of candidates, a last word in float64."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from codomain.core import bar
from codomain.core.maths.threads import cores
from codomain.search.engine.copies import same_rows
from codomain.search.engine.rows import Rows

BLOCK = 4096  # rows that share one pool of candidates
TILE = 512  # rows multiplied at a time: a 512 x 4096 tile of scores stays in the processor's cache
SPARE = 16  # candidates kept beyond k, so that rounding in float32 can be undone in float64


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
    count = min(len(pools), cores())
    with (
        bar("neighbours", total=len(asked) if progress else 0) as tick,
        threadpool_limits(1 if count > 1 else None, user_api="blas"),
        ThreadPoolExecutor(count) as threads,
    ):
        for step in (begin, compare, finish):
            list(threads.map(step, pools))
    return indices, scores


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
