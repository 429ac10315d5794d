"""How evenly rows cover the sphere of directions, and how near rows of one label are on it."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from codomain.core import unit_rows
from codomain.core.maths.blocks import slices
from codomain.measure.one_space.sampled import Sampled, label_codes
from codomain.measure.shared.interval import FOLDS, jackknife_interval
from codomain.measure.shared.record import Measure, Verdict

_BLOCK = 1024


def potential(U: NDArray[np.float32], fold: NDArray[np.int64]) -> tuple[float, list[float]]:
    """Logarithm of the mean of exp(-2 |u - v|^2) over pairs of rows: of all, then with one fold left out at a time."""
    member = np.eye(FOLDS)[fold]
    sums = np.zeros((FOLDS, FOLDS))
    for rows in slices(len(U), _BLOCK):
        heat = np.exp(4 * (U[rows] @ U.T - 1))
        heat[np.arange(len(heat)), rows.start + np.arange(len(heat))] = 0
        sums += member[rows].T @ (heat @ member)
    sizes = member.sum(axis=0)

    def log_mean(total: float, rows: float) -> float:
        return float(np.log(total / (rows * (rows - 1))))

    left = [
        log_mean(float(sums.sum() - 2 * sums[f].sum() + sums[f, f]), float(len(U) - sizes[f])) for f in range(FOLDS)
    ] if len(U) > 2 * FOLDS else []  # fmt: skip
    return log_mean(float(sums.sum()), len(U)), left


def uniformity(space: Sampled) -> Iterable[Measure]:
    """Yield the logarithm of the mean Gaussian potential (Wang and Isola, 2020)."""
    if not space.k:
        return
    U = space.list_rows
    fold = space.rng.permutation(len(U)) % FOLDS
    value, parts = potential(U, fold)
    null, _ = potential(space.random_directions, fold)
    low, high = jackknife_interval(value, parts)
    share = value / null if null < 0 else 1.0
    verdict: Verdict = "good" if share >= 0.5 else "watch" if share >= 0.2 else "bad"
    yield Measure(
        "uniformity", "Uniformity", value, "logarithm of the mean Gaussian potential", low, high, null, "low", verdict,
        f"The directions fill the sphere {max(share, 0):.0%} as evenly as random ones do: {value:.2f} of {null:.2f}, "
        "where 0 is one single direction.",
        f"Mean over pairs of exp(-2 |u - v|²) of {space.m:,} rows scaled to length 1 (Wang and Isola, 2020); the null "
        "is as many random directions.", 100,
    )  # fmt: skip


def tolerance(space: Sampled) -> Iterable[Measure]:
    """Yield the mean cosine of two rows with one label (Wang and Liu, 2021)."""
    if space.labels is None or space.n < 3:
        return
    labels = label_codes(space.labels)[space.chosen]
    U, labels = unit_rows(space.sample[labels >= 0]), labels[labels >= 0]
    kinds, labels = np.unique(labels, return_inverse=True)
    if len(kinds) < 2 or len(labels) < 2 * len(kinds):
        return
    own = np.einsum("ij,ij->i", U, U, dtype=np.float64)

    def mean_cosines(kept: NDArray[np.bool_]) -> tuple[float, float]:
        """Mean cosine of pairs that share a label, and of all pairs, from the lengths of sums."""
        member = sparse.csr_matrix((np.ones(kept.sum()), (labels[kept], np.arange(kept.sum()))))
        sums, sizes = np.asarray(member @ U[kept], np.float64), np.bincount(labels[kept])
        pairs, every = float(sizes @ (sizes - 1)), float(kept.sum() * (kept.sum() - 1))
        whole, same = sums.sum(axis=0), np.einsum("ij,ij->", sums, sums) - own[kept].sum()
        return float(same / pairs) if pairs else np.nan, float((whole @ whole - own[kept].sum()) / every)

    value, null = mean_cosines(np.ones(len(labels), bool))
    fold = space.rng.permutation(len(labels)) % FOLDS
    parts = [mean_cosines(fold != f)[0] for f in range(FOLDS)] if len(labels) > 2 * FOLDS else []
    low, high = jackknife_interval(value, parts) if np.isfinite(parts).all() else (value, value)
    gain = (value - null) / (1 - null) if null < 1 else 0.0
    verdict: Verdict = "bad" if low <= null else "good" if gain >= 0.1 else "watch"
    yield Measure(
        "tolerance", "Tolerance", value, "mean cosine of two rows with one label", low, high, null, "high", verdict,
        f"Two rows with the same label have a cosine of {value:.2f} on average; any two labelled rows have {null:.2f}.",
        f"All pairs that share one of {len(kinds):,} labels among {len(labels):,} rows (Wang and Liu, 2021); the null "
        "is the mean over all pairs, which shuffled labels have.", 200,
    )  # fmt: skip
