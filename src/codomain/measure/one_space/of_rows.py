"""Measures that read every row: constant features, lengths, repeated rows."""

from collections.abc import Iterable

import numpy as np

from codomain.core.maths.blocks import slices
from codomain.measure.one_space.sampled import Sampled
from codomain.measure.shared.record import Measure, Verdict


def dead_features(space: Sampled) -> Iterable[Measure]:
    """Yield the share of features that are constant."""
    if space.n < 2:
        return
    least, most = np.full(space.d, np.inf), np.full(space.d, -np.inf)
    for rows in slices(space.n):
        block = np.asarray(space.X[rows])
        least, most = np.minimum(least, block.min(axis=0)), np.maximum(most, block.max(axis=0))
    # A feature whose range is below the resolution of float32 beside the widest one changes no cosine.
    still = most - least <= 2.0**-23 * float((most - least).max())
    value = float(still.mean())
    verdict: Verdict = "good" if not still.any() else "watch" if value < 0.5 else "bad"
    yield Measure(
        "dead_features", "Dead features", value, "share of the features", None, None, 0.0, "low", verdict,
        f"{int(still.sum())} of {space.d} features do not move from row to row"
        + ("." if not still.any() else " and can be left out: they cost bytes and say nothing."),
        f"Largest minus smallest value of each feature over all {space.n:,} rows.", 10,
    )  # fmt: skip


def lengths(space: Sampled) -> Iterable[Measure]:
    """Yield how far the lengths of the rows spread."""
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


def exact_duplicates(space: Sampled) -> Iterable[Measure]:
    """Yield the share of rows that repeat an earlier one."""
    _, sizes = np.unique(space.keys, return_counts=True)
    repeats = space.n - len(sizes)
    value = repeats / space.n
    verdict: Verdict = "good" if value < 0.01 else "watch" if value < 0.2 else "bad"
    yield Measure(
        "exact_duplicates", "Exact duplicates", value, "share of the rows", None, None, 0.0, "low", verdict,
        f"{repeats:,} of {space.n:,} rows repeat an earlier row number for number"
        + ("." if not repeats else f"; the most repeated is there {int(sizes.max()):,} times."),
        "A 64-bit hash of every row's numbers.", 2,
    )  # fmt: skip
