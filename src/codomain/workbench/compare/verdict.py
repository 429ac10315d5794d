"""Whether two spaces are the same, in plain words, by thresholds that are said."""

from codomain.measure import Measure

SAME_DISTANCE, SAME_OVERLAP, SAME_CKA, BEYOND_CHANCE = 0.1, 0.9, 0.99, 0.01


def judge(by: dict[str, Measure], centred: Measure | None = None) -> tuple[str, str]:
    """Return the verdict that the measures give by the stated thresholds, and what it follows from.

    Parameters
    ----------
    by : dict of str to Measure
        `mutual_neighbors` at least, `debiased_cka` and `procrustes_distance` where there are enough rows.
    centred : Measure, optional
        `mutual_neighbors` once more, after the mean of either space was taken off.

    Returns
    -------
    verdict, why : str
        In plain words.
    """
    kept, cka, distance = by["mutual_neighbors"], by.get("debiased_cka"), by.get("procrustes_distance")
    facts = [f"Rows keep {kept.value:.0%} of their nearest rows (chance: {kept.null:.1%})"]
    facts += [f"{centred.value:.0%} once both means are taken off"] if centred else []
    facts += [f"CKA is {cka.value:z.2f} (chance: {cka.null:z.2f})"] if cka else []
    if distance:
        facts.append(f"{distance.value:.3f} is left after the best rotation (chance: {distance.null:.2f})")
    same = is_turned(distance) or (distance is None and cka is not None and cka.value >= SAME_CKA)
    for one, shift in ((kept, ""), (centred, " and a shift")):
        if same and one is not None and (one.low or 0) >= SAME_OVERLAP:
            verdict = f"the same space up to a rotation{shift}"
            rule = f"The same takes a distance of at most {SAME_DISTANCE} and {SAME_OVERLAP:.0%} of the nearest rows"
            break
    else:
        beyond = [one for one in (kept, cka) if one is not None and _beyond_chance(one)]
        verdict = "related" if beyond else "no more alike than chance"
        rule = f"Related takes an interval above chance by {BEYOND_CHANCE:.0%} of the way to the same"
        rule += "" if beyond else ", and neither neighbours nor CKA have one"
    return verdict, f"{', '.join(facts)}. {rule}."


def is_turned(distance: Measure | None) -> bool:
    """Whether next to nothing is left after the best shift, size and rotation."""
    return distance is not None and distance.high is not None and distance.high <= SAME_DISTANCE


def _beyond_chance(one: Measure) -> bool:
    assert one.low is not None and one.null is not None
    return one.low > one.null + BEYOND_CHANCE * (1 - one.null)
