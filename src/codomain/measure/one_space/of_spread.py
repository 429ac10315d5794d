"""How the rows of a space are spread: directions in use, a common direction, the loudest feature."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows
from codomain.measure.one_space.sampled import Sampled
from codomain.measure.shared.interval import FOLDS, jackknife_interval
from codomain.measure.shared.record import Measure, Verdict


def _entropy_rank(squares: NDArray[np.float64]) -> float:
    """Exponential of the entropy of the shares of variance."""
    shares = squares[squares > squares.max(initial=0) * 1e-12]
    shares = shares / shares.sum()
    return float(np.exp(-np.sum(shares * np.log(shares)))) if len(shares) else 0.0


def _spectra(rows: NDArray[np.float32], fold: NDArray[np.int64] | None) -> list[NDArray[np.float64]]:
    """Variances along the principal directions: of all rows, then, given folds, with one left out at a time."""
    rows = rows - rows.mean(axis=0)
    count, folds = len(rows), range(FOLDS if fold is not None and len(rows) > FOLDS else 0)
    small: Iterable[NDArray[Any]]
    if rows.shape[1] > count:
        products = (rows @ rows.T).astype(np.float64)
        kept = [np.arange(count), *(np.flatnonzero(fold != f) for f in folds)]
        small = (_centred(products[np.ix_(some, some)]) / len(some) for some in kept)
    else:
        parts = [rows[fold == f] for f in folds]
        squares, sums = [part.T @ part for part in parts], [part.sum(axis=0) for part in parts]
        whole = sum(squares) if squares else rows.T @ rows
        left = [count - len(part) for part in parts]
        small = [whole / count] + [
            (whole - square) / n - np.outer(total, total) / n**2
            for square, total, n in zip(squares, sums, left, strict=True)
        ]
    return [np.maximum(np.linalg.eigvalsh(square.astype(np.float64)), 0) for square in small]


def _centred(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Products of rows with each other once their mean is taken off."""
    means = products.mean(axis=0)
    return np.asarray(products - means - means[:, None] + means.mean())


def effective_rank(space: Sampled) -> Iterable[Measure]:
    """Yield how many directions are in use: the exponential of the entropy of the eigenvalues."""
    if space.n < 3:
        return
    value, *parts = (_entropy_rank(spectrum) for spectrum in _spectra(space.sample, space.fold))
    even = space.rng.standard_normal(space.sample.shape, np.float32)
    null = _entropy_rank(_spectra(even, None)[0])
    low, high = jackknife_interval(value, parts)
    share = value / null if null else 0.0
    verdict: Verdict = "bad" if share < 0.02 or value < 1.5 < space.d else "watch" if share < 0.1 else "good"
    yield Measure(
        "effective_rank", "Directions in use", value, "directions", max(low, 0), min(high, space.d), null, "high",
        verdict,
        f"The rows use about {value:.0f} of {space.d} directions; evenly spread rows would use {null:.0f}.",
        f"Exponential of the entropy of the covariance's eigenvalues, from {space.describe_sample()}; the null is as "
        "many random rows.",
        10 * min(space.d, 100),
    )  # fmt: skip


def anisotropy(space: Sampled) -> Iterable[Measure]:
    """Yield the mean cosine of two random rows."""
    if space.n < 3:
        return
    U = unit_rows(space.sample)
    sums = np.stack([U[space.fold == f].sum(axis=0, dtype=np.float64) for f in range(FOLDS)])
    sizes = np.array([np.sum(np.einsum("ij,ij->i", U, U, dtype=np.float64)[space.fold == f]) for f in range(FOLDS)])
    counts = np.bincount(space.fold, minlength=FOLDS)

    def mean_cosine(total: NDArray[np.float64], own: float, count: int) -> float:
        return float((total @ total - own) / (count * (count - 1)))

    value = mean_cosine(sums.sum(axis=0), float(sizes.sum()), int(counts.sum()))
    parts = [
        mean_cosine(sums.sum(axis=0) - sums[f], float(sizes.sum() - sizes[f]), int(counts.sum() - counts[f]))
        for f in range(FOLDS)
    ] if space.n > 2 * FOLDS else []  # fmt: skip
    low, high = jackknife_interval(value, parts)
    verdict: Verdict = "bad" if value > 0.9 else "watch" if value > 0.5 else "good"
    yield Measure(
        "anisotropy", "Common direction", value, "mean cosine of two random rows", low, high, 0.0, "low", verdict,
        f"Two unrelated rows have a cosine of {value:.2f} on average, where directions without preference have 0: "
        + ("most of every vector is the same; subtract the mean before comparing." if value > 0.5
           else "read a raw cosine against that, not against 0." if value > 0.1 else "no direction dominates."),
        f"Mean cosine over all pairs of {space.describe_sample()}, from the length of the sum of the unit vectors.",
        100,
    )  # fmt: skip


def loudest_feature(space: Sampled) -> Iterable[Measure]:
    """Yield the share of the variance that one feature holds."""
    if space.n < 3:
        return
    variances = space.sample.astype(np.float64).var(axis=0)
    total = float(variances.sum())
    if not total:
        return
    value = float(variances.max() / total)
    rough = space.rng.standard_normal((min(len(space.sample), 4096), space.d), np.float32).var(axis=0)
    null = float(rough.max() / rough.sum())
    parts = [v.max() / v.sum() for f in range(FOLDS) if (v := space.sample[space.fold != f].var(axis=0)).sum() > 0]
    low, high = jackknife_interval(value, parts if space.n > FOLDS else [])
    verdict: Verdict = "good" if value <= max(0.1, 5 * null) else "watch" if value < 0.5 else "bad"
    yield Measure(
        "loudest_feature", "Loudest feature", value, "share of the variance", max(low, 0), min(high, 1), null, "low",
        verdict,
        f"Feature {int(variances.argmax())} alone holds {value:.1%} of the variance; of {space.d} equal ones the "
        f"loudest would hold {null:.1%}.",
        f"Variance of each feature over {space.describe_sample()}; the null is random rows.", 100,
    )  # fmt: skip
