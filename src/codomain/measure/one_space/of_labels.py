"""Whether near rows share their labels."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.measure.one_space.sampled import Sampled, label_codes
from codomain.measure.shared.record import Measure, Verdict


def label_separation(space: Sampled) -> Iterable[Measure]:
    """Yield the share of a row's nearest rows that have its label."""
    if space.labels is None or not space.k:
        return
    own = label_codes(space.labels)[space.rows]
    sizes = np.bincount(own[own >= 0])
    labelled = int(sizes.sum())
    if np.count_nonzero(sizes) < 2 or sizes.max(initial=0) < 2 or np.count_nonzero(sizes) > labelled / 2:
        return
    theirs = own[space.indices]
    known = (theirs >= 0) & (own[:, None] >= 0)
    usable = known.any(axis=1)
    if np.count_nonzero(usable) < 10:
        return

    def purity(of: NDArray[Any]) -> NDArray[np.float64]:
        same = (of[space.indices] == of[:, None]) & known
        return same[usable].sum(axis=1) / known[usable].sum(axis=1)

    rows = purity(own)
    value = float(rows.mean())
    low, high = space.interval(rows, lambda some: float(some.mean()))
    shuffled = []
    has_label = np.flatnonzero(own >= 0)
    for _ in range(5):
        mixed = own.copy()
        mixed[has_label] = own[space.rng.permutation(has_label)]
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
