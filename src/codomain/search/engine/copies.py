"""Equal rows are compared once: find them by a hash, and put them back into the lists."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.search.engine.rows import BLOCK, Rows


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
