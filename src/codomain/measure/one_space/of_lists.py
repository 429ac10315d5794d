"""Measures from neighbour lists: near copies, hubs, intrinsic dimension."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.measure.one_space import local
from codomain.measure.one_space.sampled import Sampled
from codomain.measure.shared.record import Measure, Verdict

_FEWEST = 10  # rows that an estimate of dimension needs at the very least


def near_duplicates(space: Sampled) -> Iterable[Measure]:
    """Yield the share of rows that are too near to another."""
    if space.k_sample < 4:
        return
    inverses = local.likelihood_inverses(local.distances(space.scores))
    dimension = local.likelihood_dimension(inverses) if len(inverses) else 1.0
    crowded = local.crowded_rows(space.scores, dimension)
    value = float(crowded.mean())
    low, high = space.interval(crowded, lambda rows: float(rows.mean()))
    null = 0.5 / len(crowded)
    verdict: Verdict = "good" if value < max(0.02, 10 * null) else "watch" if value < 0.3 else "bad"
    yield Measure(
        "near_duplicates", "Near duplicates", value, "share of the rows", low, high, null, "low", verdict,
        f"{value:.1%} of the rows have another row much closer than the density around them explains.",
        f"Distance to the nearest row against that to row {space.scores.shape[1]}, over {space.describe_lists()}: "
        f"a row counts when evenly spread rows in {dimension:.0f} dimensions would do so less than once in "
        f"{2 * len(crowded):,}. Exact duplicates do not count.",
        200,
    )  # fmt: skip


def hubness(space: Sampled) -> Iterable[Measure]:
    """Yield how a few rows crowd many lists, and how many rows are in none."""
    if space.k_sample < 1 or space.n < 10:
        return
    k, compared = space.k_sample, f"{space.m:,} rows" + ("" if space.m == space.n else " drawn at random")
    counts, chance = local.count_lists(space.lists[0][:, :k]), local.count_lists(space.random_lists[0])
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
    everywhere = local.count_lists(space.indices) == 0
    value = float(everywhere.mean())
    low, high = space.interval(everywhere, lambda rows: float(rows.mean()))
    yield Measure(
        "unreachable", "Rows never found", value, "share of the rows", low, high, by_chance, "low", verdict,
        f"{value:.1%} of the rows are among the {space.indices.shape[1]} nearest of no other row.",
        f"Lists of {space.describe_lists()}. Verdict from {compared} ({never:.1%}) against as many random directions "
        f"({by_chance:.1%}), as the share depends on the number of rows.",
        500,
    )  # fmt: skip


def dimension(space: Sampled) -> Iterable[Measure]:
    """Yield two estimates of the dimension around a row."""
    if space.k_sample < 3:
        return
    far, random = local.distances(space.dense_scores), local.distances(space.random_lists[1])
    roads = (
        ("dimension_two_nn", "Intrinsic dimension (TwoNN)", local.two_nn_logs, local.two_nn_dimension,
         "Ratio of each row's second to first distance (Facco et al., 2017)"),
        ("dimension_likelihood", "Intrinsic dimension (likelihood)", local.likelihood_inverses,
         local.likelihood_dimension,
         f"Logarithms of the {far.shape[1]} distances of each row (Levina and Bickel, 2005)"),
    )  # fmt: skip
    for name, title, prepare, estimate, how in roads:
        values = prepare(far)
        if len(values) < _FEWEST:
            continue
        value, null = estimate(values), _estimate_if_enough(prepare(random), estimate)
        low, high = space.interval(values, estimate)
        yield Measure(
            name, title, value, "dimensions", low, high, null, "none", "good",
            f"Around any row the space looks like {value:.0f} dimensions, however many features it has; "
            f"{space.d} independent ones would look like {space.d if null is None else null:.0f}.",
            f"{how}, from {space.describe_lists()} minus {len(far) - len(values):,} that have a copy, to their nearest "
            f"among all {space.n:,}; chords between unit vectors. With few rows it is too low for more than about ten "
            f"dimensions, and so is the null, which is {space.m:,} random directions.",
            500,
        )  # fmt: skip


def _estimate_if_enough(values: NDArray[Any], estimate: Callable[[NDArray[Any]], float]) -> float | None:
    return estimate(values) if len(values) >= _FEWEST else None
