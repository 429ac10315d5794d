"""The health of a space: what a stranger should know before using it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from codomain.core import Neighbors, UserError, bar, unit_rows
from codomain.measure import _local as local

Verdict = Literal["good", "watch", "bad"]

_SAMPLE = 20_000  # rows for moments, whose error is then below one in a hundred
_LISTS = 5_000  # rows compared all with all, in the space and in its null
_FOLDS = 10
_FEWEST = 10  # rows that an estimate of dimension needs at the very least


@dataclass(frozen=True)
class Measure:
    """One number about a space, with what it would be by chance.

    Attributes
    ----------
    name, title : str
        For programs and for people.
    value : float
        The measure.
    unit : str
        What is counted.
    low, high : float or None
        Interval that holds what other rows of the same kind would give in 95 of 100 cases, from leaving out a tenth
        of the rows at a time; None when every row was counted.
    null : float or None
        The same measure on random directions, or with the labels shuffled.
    best : {"high", "low", "none"}
        Which end is better.
    verdict : {"good", "watch", "bad"}
        What to make of it.
    says : str
        One sentence for a stranger.
    how : str
        How it was measured.
    smallest_n : int
        With fewer rows it says little, and the verdict is at best "watch".
    """

    name: str
    title: str
    value: float
    unit: str
    low: float | None
    high: float | None
    null: float | None
    best: Literal["high", "low", "none"]
    verdict: Verdict
    says: str
    how: str
    smallest_n: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self)


def health(
    X: Any, *, labels: Sequence[Any] | None = None, neighbors: Neighbors | None = None, random_state: int = 0,
    progress: bool = False,
) -> list[Measure]:  # fmt: skip
    """Measure a space.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The space: an array, a memory map, or anything with `shape` and slices.
    labels : sequence of length n_samples, optional
        A label for each row; None and "" are no label.
    neighbors : Neighbors, optional
        Lists of the nearest rows by cosine; without them, lists are made within a sample of 5,000 rows.
    random_state : int, default=0
        Seed of samples and of the nulls.
    progress : bool, default=False
        Draw a bar on stderr.

    Returns
    -------
    list of Measure
        Those that this many rows allow, in the order in which a report shows them.

    Raises
    ------
    UserError
        When there are no rows, a value is not finite, or labels or lists are not one per row.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 8))
    >>> next(m for m in health(X) if m.name == "effective_rank").value > 7.5
    True
    """
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) != 2 or 0 in X.shape:
        raise UserError(f"X has shape {tuple(X.shape)}.", needed="two dimensions, one row and one feature at least")
    for given, name in ((labels, "labels"), (None if neighbors is None else neighbors.indices, "lists of neighbours")):
        if given is not None and len(given) != X.shape[0]:
            raise UserError(f"There are {len(given)} {name} for {X.shape[0]} rows.", needed="one for each row")
    space = _Space(X, labels, neighbors, random_state)
    with bar("health", total=len(_MEASURES) if progress else 0, unit="measures") as tick:
        found: list[Measure] = []
        for measure in _MEASURES:
            found.extend(measure(space))
            if progress:
                tick(1)
    return [_careful(measure, space.n) for measure in found]


def _careful(measure: Measure, n: int) -> Measure:
    """Withhold praise and blame alike where there are too few rows to tell."""
    if n >= measure.smallest_n:
        return measure
    says = f"{measure.says} With {n} rows this is hardly more than a guess: {measure.smallest_n:,} would tell."
    return Measure(**{**asdict(measure), "verdict": "watch", "says": says})


class _Space:
    """What several measures need, made once."""

    def __init__(self, X: Any, labels: Sequence[Any] | None, neighbors: Neighbors | None, seed: int) -> None:
        self.X, (self.n, self.d) = X, X.shape
        self.rng = np.random.default_rng(seed)
        self.labels = labels
        self.lengths, self.keys = self._scan()
        self.sample = self._rows(self.rng, _SAMPLE if self.d <= 1500 else 3000)
        self.fold = self.rng.permutation(len(self.sample)) % _FOLDS

        self.k = 0 if self.n < 3 else min(15, self.n - 1) if neighbors is None else neighbors.indices.shape[1]
        self.m = min(self.n, _LISTS)
        self.k_sample = min(self.k, self.m - 1)
        self.full = neighbors is not None or self.n <= self.m
        if not self.k:
            return
        chosen = np.sort(self.rng.choice(self.n, self.m, replace=False))
        if neighbors is None or self.n > self.m:
            U = np.concatenate(
                [unit_rows(np.asarray(X[chosen[s : s + 4096]], np.float32)) for s in range(0, self.m, 4096)]
            )
            self.sampled = local.lists_of(U, self.k_sample)
        else:
            self.sampled = (np.asarray(neighbors.indices, np.int64), neighbors.scores)
        self.rows = np.arange(self.n) if neighbors is not None else chosen
        lists = self.sampled if neighbors is None else (neighbors.indices, neighbors.scores)
        self.indices: NDArray[Any] = lists[0]
        self.scores: NDArray[Any] = lists[1]
        directions = unit_rows(self.rng.standard_normal((self.m, self.d), np.float32))
        self.random = local.lists_of(directions, self.k_sample)

    def _scan(self) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
        """Read every row once: its length, and a hash of its numbers."""
        lengths, keys = np.empty(self.n), np.empty(self.n, np.uint64)
        multipliers = np.random.default_rng(0).integers(1, 2**63, self.d, np.uint64) * np.uint64(2) + np.uint64(1)
        for start in range(0, self.n, 8192):
            rows = np.asarray(self.X[start : start + 8192], np.float64) + 0.0  # -0 becomes 0
            lengths[start : start + 8192] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            if not np.isfinite(lengths[start : start + 8192]).all():
                bad = start + int(np.flatnonzero(~np.isfinite(lengths[start : start + 8192]))[0])
                raise UserError(f"Row {bad} holds a value that is not finite, or is too long.", needed="finite numbers")
            bits = rows.view(np.uint64)
            # The low half of a float32 widened to float64 is empty, so fold the high half in.
            keys[start : start + 8192] = (bits ^ (bits >> np.uint64(29))) @ multipliers
        return lengths, keys

    def _rows(self, rng: np.random.Generator, most: int) -> NDArray[np.float32]:
        chosen = np.sort(rng.choice(self.n, min(self.n, most), replace=False))
        return np.concatenate(
            [np.asarray(self.X[chosen[s : s + 4096]], np.float32) for s in range(0, len(chosen), 4096)]
        )

    def interval(self, values: NDArray[Any], measure: Callable[[NDArray[Any]], float]) -> tuple[float, float]:
        """Leave out a tenth of the rows at a time."""
        fold = self.rng.permutation(len(values)) % _FOLDS
        return _around(measure(values), [measure(values[fold != f]) for f in range(_FOLDS) if len(values) > _FOLDS])

    def sampled_rows(self) -> str:
        return f"{len(self.sample):,} rows drawn at random" if len(self.sample) < self.n else f"all {self.n:,} rows"

    def listed_rows(self) -> str:
        return f"all {self.n:,} rows" if len(self.rows) == self.n else f"{self.m:,} rows drawn at random"


def _around(value: float, parts: Sequence[float]) -> tuple[float, float]:
    """Interval of 95 in 100 from the values with one fold of the rows left out at a time (the jackknife)."""
    if len(parts) < _FOLDS:
        return value, value
    spread = float(np.sqrt((len(parts) - 1) / len(parts) * np.sum((np.asarray(parts) - np.mean(parts)) ** 2)))
    return value - 2.262 * spread, value + 2.262 * spread  # t with 9 degrees of freedom


def _rank(squares: NDArray[np.float64]) -> float:
    """Exponential of the entropy of the shares of variance."""
    shares = squares[squares > squares.max(initial=0) * 1e-12]
    shares = shares / shares.sum()
    return float(np.exp(-np.sum(shares * np.log(shares)))) if len(shares) else 0.0


def _spectra(rows: NDArray[np.float32], fold: NDArray[np.int64] | None) -> list[NDArray[np.float64]]:
    """Variances along the principal directions: of all rows, then, given folds, with one left out at a time."""
    rows = rows - rows.mean(axis=0)
    count, folds = len(rows), range(_FOLDS if fold is not None and len(rows) > _FOLDS else 0)
    if rows.shape[1] > count:
        kept = [rows, *(rows[fold != f] for f in folds)]
        small = [(r - r.mean(axis=0)) @ (r - r.mean(axis=0)).T / len(r) for r in kept]
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


def _effective_rank(space: _Space) -> Iterable[Measure]:
    if space.n < 3:
        return
    value, *parts = (_rank(spectrum) for spectrum in _spectra(space.sample, space.fold))
    even = space.rng.standard_normal(space.sample.shape, np.float32)
    null = _rank(_spectra(even, None)[0])
    low, high = _around(value, parts)
    share = value / null if null else 0.0
    verdict: Verdict = "bad" if share < 0.02 or value < 1.5 < space.d else "watch" if share < 0.1 else "good"
    yield Measure(
        "effective_rank", "Directions in use", value, "directions", max(low, 0), min(high, space.d), null, "high",
        verdict,
        f"The rows use about {value:.0f} of {space.d} directions; evenly spread rows would use {null:.0f}.",
        f"Exponential of the entropy of the covariance's eigenvalues, from {space.sampled_rows()}; the null is as many "
        "random rows.",
        10 * min(space.d, 100),
    )  # fmt: skip


def _anisotropy(space: _Space) -> Iterable[Measure]:
    if space.n < 3:
        return
    U = unit_rows(space.sample)
    sums = np.stack([U[space.fold == f].sum(axis=0, dtype=np.float64) for f in range(_FOLDS)])
    sizes = np.array([np.sum(np.einsum("ij,ij->i", U, U, dtype=np.float64)[space.fold == f]) for f in range(_FOLDS)])
    counts = np.bincount(space.fold, minlength=_FOLDS)

    def mean_cosine(total: NDArray[Any], own: float, count: int) -> float:
        return float((total @ total - own) / (count * (count - 1)))

    value = mean_cosine(sums.sum(axis=0), float(sizes.sum()), int(counts.sum()))
    parts = [
        mean_cosine(sums.sum(axis=0) - sums[f], float(sizes.sum() - sizes[f]), int(counts.sum() - counts[f]))
        for f in range(_FOLDS)
    ] if space.n > 2 * _FOLDS else []  # fmt: skip
    low, high = _around(value, parts)
    verdict: Verdict = "bad" if value > 0.9 else "watch" if value > 0.5 else "good"
    yield Measure(
        "anisotropy", "Common direction", value, "mean cosine of two random rows", low, high, 0.0, "low", verdict,
        f"Two unrelated rows have a cosine of {value:.2f} on average, where directions without preference have 0: "
        + ("most of every vector is the same; subtract the mean before comparing." if value > 0.5
           else "read a raw cosine against that, not against 0." if value > 0.1 else "no direction dominates."),
        f"Mean cosine over all pairs of {space.sampled_rows()}, from the length of the sum of the unit vectors.", 100,
    )  # fmt: skip


def _loudest(space: _Space) -> Iterable[Measure]:
    if space.n < 3:
        return
    variances = space.sample.astype(np.float64).var(axis=0)
    total = float(variances.sum())
    if not total:
        return
    value = float(variances.max() / total)
    rough = space.rng.standard_normal((min(len(space.sample), 4096), space.d), np.float32).var(axis=0)
    null = float(rough.max() / rough.sum())
    parts = [v.max() / v.sum() for f in range(_FOLDS) if (v := space.sample[space.fold != f].var(axis=0)).sum() > 0]
    low, high = _around(value, parts if space.n > _FOLDS else [])
    verdict: Verdict = "good" if value <= max(0.1, 5 * null) else "watch" if value < 0.5 else "bad"
    yield Measure(
        "loudest_feature", "Loudest feature", value, "share of the variance", max(low, 0), min(high, 1), null, "low",
        verdict,
        f"Feature {int(variances.argmax())} alone holds {value:.1%} of the variance; of {space.d} equal ones the "
        f"loudest would hold {null:.1%}.",
        f"Variance of each feature over {space.sampled_rows()}; the null is random rows.", 100,
    )  # fmt: skip


def _dead(space: _Space) -> Iterable[Measure]:
    if space.n < 2:
        return
    least, most = np.full(space.d, np.inf), np.full(space.d, -np.inf)
    for start in range(0, space.n, 8192):
        block = np.asarray(space.X[start : start + 8192])
        least, most = np.minimum(least, block.min(axis=0)), np.maximum(most, block.max(axis=0))
    # A feature that moves by less than float32 resolves beside the widest one adds nothing to any cosine.
    still = most - least <= 2.0**-23 * float((most - least).max())
    value = float(still.mean())
    verdict: Verdict = "good" if not still.any() else "watch" if value < 0.5 else "bad"
    yield Measure(
        "dead_features", "Dead features", value, "share of the features", None, None, 0.0, "low", verdict,
        f"{int(still.sum())} of {space.d} features do not move from row to row"
        + ("." if not still.any() else " and can be left out: they cost bytes and say nothing."),
        f"Largest less smallest value of each feature over all {space.n:,} rows.", 10,
    )  # fmt: skip


def _lengths(space: _Space) -> Iterable[Measure]:
    zeros = int(np.count_nonzero(space.lengths == 0))
    mean = float(space.lengths.mean())
    value = float(space.lengths.std() / mean) if mean else 0.0
    verdict: Verdict = "bad" if zeros > 0.01 * space.n else "watch" if zeros or value > 0.5 else "good"
    same = (
        "All rows have about the same length"
        if value < 0.01
        else f"The rows' lengths spread by {value:.0%} of their mean"
    )
    yield Measure(
        "lengths", "Spread of lengths", value, "standard deviation over mean", None, None, None, "low", verdict,
        f"{same}, {mean:.3g}" + (f"; {zeros} rows are all zeros and can never be found by cosine." if zeros else
                                "." if value < 0.01 else "; cosines do not see it, inner products do."),
        f"Euclidean length of all {space.n:,} rows.", 2,
    )  # fmt: skip


def _copies(space: _Space) -> Iterable[Measure]:
    _, sizes = np.unique(space.keys, return_counts=True)
    copies = space.n - len(sizes)
    value = copies / space.n
    verdict: Verdict = "good" if value < 0.01 else "watch" if value < 0.2 else "bad"
    yield Measure(
        "exact_duplicates", "Exact duplicates", value, "share of the rows", None, None, 0.0, "low", verdict,
        f"{copies:,} of {space.n:,} rows repeat an earlier row number for number"
        + ("." if not copies else f"; the most repeated is there {int(sizes.max()):,} times."),
        "A 64-bit hash of every row's numbers.", 2,
    )  # fmt: skip


def _near_copies(space: _Space) -> Iterable[Measure]:
    if space.k_sample < 4:
        return
    inverses = local.likelihood(local.distances(space.scores))
    dimension = local.likelihood_dimension(inverses) if len(inverses) else 1.0
    crowded = local.crowded(space.scores, dimension)
    value = float(crowded.mean())
    low, high = space.interval(crowded, lambda rows: float(rows.mean()))
    null = 0.5 / len(crowded)
    verdict: Verdict = "good" if value < max(0.02, 10 * null) else "watch" if value < 0.3 else "bad"
    yield Measure(
        "near_duplicates", "Near duplicates", value, "share of the rows", low, high, null, "low", verdict,
        f"{value:.1%} of the rows have another row much closer than the density around them explains.",
        f"Distance to the nearest row against that to row {space.scores.shape[1]}, over {space.listed_rows()}: a row "
        f"counts when evenly spread rows in {dimension:.0f} dimensions would do so less than once in "
        f"{2 * len(crowded):,}. Exact duplicates do not count.",
        200,
    )  # fmt: skip


def _hubness(space: _Space) -> Iterable[Measure]:
    if space.k_sample < 1 or space.n < 10:
        return
    k, compared = space.k_sample, f"{space.m:,} rows" + ("" if space.m == space.n else " drawn at random")
    counts, chance = local.counts_in(space.sampled[0][:, :k]), local.counts_in(space.random[0])
    value, null = local.skewness(counts), local.skewness(chance)
    low, high = space.interval(counts, local.skewness)
    verdict: Verdict = "good" if low <= null + 1 else "watch" if low <= null + 3 else "bad"
    yield Measure(
        "hubness", "Hubs", value, f"skewness of the number of lists of {k} that a row is in", low, high, null, "low",
        verdict,
        f"The busiest row is among the {k} nearest of {int(counts.max()):,} others, where {k} is the mean; "
        + ("a few rows crowd many lists." if verdict != "good" else "no more than in random directions."
           if value <= null else "that is little."),
        f"Nearest rows by cosine within {compared}; the null is as many random directions of {space.d} features.", 500,
    )  # fmt: skip
    never, by_chance = float(np.mean(counts == 0)), float(np.mean(chance == 0))
    verdict = "good" if never <= max(by_chance, 0.05) else "watch" if never <= max(2 * by_chance, 0.2) else "bad"
    everywhere = local.counts_in(space.indices) == 0
    value = float(everywhere.mean())
    low, high = space.interval(everywhere, lambda rows: float(rows.mean()))
    yield Measure(
        "unreachable", "Rows never found", value, "share of the rows", low, high, by_chance, "low", verdict,
        f"{value:.1%} of the rows are among the {space.indices.shape[1]} nearest of no other row.",
        f"Lists of {space.listed_rows()}. Verdict from {compared} ({never:.1%}) against as many random directions "
        f"({by_chance:.1%}), as the share depends on the number of rows.",
        500,
    )  # fmt: skip


def _dimension(space: _Space) -> Iterable[Measure]:
    if space.k_sample < 3:
        return
    far, random = local.distances(space.scores), local.distances(space.random[1])
    roads = (
        ("dimension_two_nn", "Intrinsic dimension (TwoNN)", local.two_nn, local.two_nn_dimension,
         "Ratio of each row's second to first distance (Facco et al., 2017)"),
        ("dimension_likelihood", "Intrinsic dimension (likelihood)", local.likelihood, local.likelihood_dimension,
         f"Logarithms of the {far.shape[1]} distances of each row (Levina and Bickel, 2005)"),
    )  # fmt: skip
    for name, title, prepare, estimate, how in roads:
        values = prepare(far)
        if len(values) < _FEWEST:
            continue
        value, null = estimate(values), _if_enough(prepare(random), estimate)
        low, high = space.interval(values, estimate)
        yield Measure(
            name, title, value, "dimensions", low, high, null, "none", "good",
            f"Around any row the space looks like {value:.0f} dimensions, however many features it has; "
            f"{space.d} independent ones would look like {space.d if null is None else null:.0f}.",
            f"{how}, over {space.listed_rows()} less {len(far) - len(values):,} that have a copy; chords between unit "
            f"vectors. With few rows it is too low for more than about ten dimensions, and so is the null, which is "
            f"{space.m:,} random directions.",
            500,
        )  # fmt: skip


def _if_enough(values: NDArray[Any], estimate: Callable[[NDArray[Any]], float]) -> float | None:
    return estimate(values) if len(values) >= _FEWEST else None


def _separation(space: _Space) -> Iterable[Measure]:
    if space.labels is None or not space.k:
        return
    codes = _codes(space.labels)[space.rows]
    sizes = np.bincount(codes[codes >= 0])
    labelled = int(sizes.sum())
    if np.count_nonzero(sizes) < 2 or sizes.max(initial=0) < 2 or np.count_nonzero(sizes) > labelled / 2:
        return
    theirs = codes[space.indices]
    known = (theirs >= 0) & (codes[:, None] >= 0)
    usable = known.any(axis=1)
    if np.count_nonzero(usable) < 10:
        return

    def purity(of: NDArray[Any]) -> NDArray[np.float64]:
        same = (of[space.indices] == of[:, None]) & known
        return same[usable].sum(axis=1) / known[usable].sum(axis=1)

    rows = purity(codes)
    value = float(rows.mean())
    low, high = space.interval(rows, lambda some: float(some.mean()))
    shuffled = []
    has_label = np.flatnonzero(codes >= 0)
    for _ in range(5):
        mixed = codes.copy()
        mixed[has_label] = codes[space.rng.permutation(has_label)]
        shuffled.append(float(purity(mixed).mean()))
    null = float(np.mean(shuffled))
    gain = (value - null) / (1 - null) if null < 1 else 0.0
    verdict: Verdict = "bad" if low <= max(shuffled) or gain < 0.05 else "watch" if gain < 0.3 else "good"
    yield Measure(
        "label_separation", "Label separation", value, "share of nearest rows with the same label", low, high, null,
        "high", verdict,
        f"{value:.0%} of a row's nearest rows share its label; with shuffled labels it would be {null:.0%}.",
        f"The {space.indices.shape[1]} nearest rows of {len(rows):,} labelled rows, {np.count_nonzero(sizes):,} "
        "labels; the null shuffles the labels five times.",
        200,
    )  # fmt: skip


def _codes(labels: Sequence[Any]) -> NDArray[np.int64]:
    """Give each label a number; -1 for None, "" and nan."""
    numbers: dict[Any, int] = {}
    missing = (label is None or label == "" or label != label for label in labels)
    return np.array(
        [-1 if gone else numbers.setdefault(label, len(numbers)) for label, gone in zip(labels, missing, strict=True)],
        np.int64,
    )


_MEASURES: tuple[Callable[[_Space], Iterable[Measure]], ...] = (
    _effective_rank, _dimension, _anisotropy, _hubness, _copies, _near_copies, _lengths, _dead, _loudest, _separation,
)  # fmt: skip
