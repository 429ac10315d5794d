"""Recall among all rows of a space, though only some have a vector by both encoders: pools of pairs, carried on."""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import expit, logit

from codomain.align import Bridge
from codomain.workbench.migrate.kept import lists, share_found
from codomain.workbench.migrate.measured import Figure

FOLDS = 5  # each bridged by what the other four teach, so that every pair can be searched without having been seen
SHUFFLES = 4  # of the pairs into smaller pools, whose mean is less a matter of luck
DRAWS = 1000


def bridge_unseen(
    kind: type[Bridge], stretch: float, A: NDArray[Any], B: NDArray[Any], rng: Generator
) -> NDArray[np.float32]:
    """Return a bridged vector for each row of A, of shape (n, d), by a bridge that has not seen it."""
    fold, bridged = rng.permutation(len(A)) % FOLDS, np.empty(B.shape, np.float32)
    for number in range(FOLDS):
        own = fold == number
        bridged[own] = kind(stretch).fit(A[~own], B[~own]).transform(A[own])
    return bridged


def pool_recalls(
    B: NDArray[Any], mapped: NDArray[Any], k: int, rng: Generator, *, queries: NDArray[Any] | None = None
) -> list[tuple[int, NDArray[np.float64]]]:
    """Return sizes of pools, rising, and the recall of each row's k nearest within its own pool of that size.

    All pairs are one pool, or two, or four, so that sizes differ in nothing but size. Queries are rows of B when left
    out.
    """
    found, Q = list[tuple[int, NDArray[np.float64]]](), B if queries is None else queries
    for parts in (4, 2, 1):
        if parts > 1 and len(B) // parts < 5 * k:
            continue
        recalls = np.zeros(len(B))
        for _ in range(SHUFFLES if parts > 1 else 1):
            for some in np.array_split(rng.permutation(len(B)), parts):
                recalls[some] += share_found(lists(Q[some], mapped[some], k), lists(B[some], B[some], k))
        found.append((len(B) // parts, recalls / (SHUFFLES if parts > 1 else 1)))
    return found


def extrapolate(pools: list[tuple[int, NDArray[np.float64]]], rows: int, rng: Generator) -> tuple[float, float, float]:
    """Return the recall to expect among so many rows, and the interval it lies in.

    At worst each further doubling costs what the last ones did, in log-odds of the recall. At best what the last one
    cost comes back: where rows have near copies, more rows bring these into the lists, and they are easy to find. The
    value is halfway from the worst to no change; the interval goes from the lower end of the worst to the upper end of
    the best, each of a 95 % bootstrap over rows. Among no more rows than the largest pool has, it is that pool's.
    """
    sizes = np.log2([size for size, _ in pools])
    recalls = np.array([values for _, values in pools])
    doublings = max(float(np.log2(rows) - sizes[-1]), 0.0) if len(sizes) > 1 else 0.0
    n = recalls.shape[1]
    counts = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS)
    drawn = np.concatenate([recalls.mean(axis=1)[:, None], recalls @ counts.T / n], axis=1)
    kept = logit(np.clip(drawn, 1e-6, 1 - 1e-6))
    slope = np.minimum(np.polyfit(sizes, kept, 1)[0], 0) if doublings else 0.0
    best, worst = expit(kept[-1] - slope), expit(kept[-1] + slope * doublings)
    low, high = np.quantile(worst[1:], 0.025), np.quantile(best[1:], 0.975)
    return float((drawn[-1, 0] + worst[0]) / 2), float(low), float(high)


def recall_among(
    name: str, says: str, pools: list[tuple[int, NDArray[np.float64]]], rows: int, rng: Generator
) -> Figure:
    """Return `extrapolate` as a record, whose `n` is the number of pairs behind it."""
    value, low, high = extrapolate(pools, rows, rng)
    return Figure(name, says, value, min(low, value), max(high, value), None, len(pools[-1][1]))
