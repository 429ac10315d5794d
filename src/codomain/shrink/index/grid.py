"""Recipes worth trying on a space, and those not worth the time it takes to learn them."""

from collections.abc import Mapping

import numpy as np

from codomain.shrink.index.recipe import Recipe

TURN_GAIN = 0.1  # more recall than a learned turn was seen to add
LISTED = 10_000  # rows from which lists are worth their centres


def grid(d: int, lists: int = 0) -> list[Recipe]:
    """Recipes worth trying on d columns; those with a learned turn last, after the same codes without it."""

    def share(part: float) -> int:
        return max(round(d * part / 8) * 8 if d >= 64 else round(d * part), 1)

    sizes = [round(d * part) for part in (1 / 8, 1 / 6, 1 / 4, 1 / 3, 5 / 12, 1 / 2, 2 / 3)]
    half, third, quarter = (f"pq{share(part)}x4" for part in (1 / 2, 1 / 3, 1 / 4))
    tries = [Recipe(code=f"fill{size}") for size in sizes if 3 <= size <= max(3 * d // 4, 4)]
    tries += [Recipe(code=code) for code in (quarter, "binary", "rabitq1", half, "rabitq2", "int4", "rabitq4")]
    tries += [Recipe(code=code) for code in ("int6", "int8", "f16")]
    tries += [Recipe("pca", share(1 / 2), quarter), Recipe("pca", share(2 / 3), third)]
    tries += [Recipe("pca", share(part), "int8") for part in (1 / 2, 2 / 3)]
    tries += [Recipe("pca", share(3 / 4), "int6")]
    tries += [Recipe("truncate", share(part), "int8") for part in (1 / 4, 1 / 2)]
    tries += [Recipe(code="signs", rescore="int8", depth=20), Recipe(code=quarter, rescore="int8", depth=10)]
    if lists:
        probes = (max(lists // 40, 1), max(lists // 16, 2))
        tries += [Recipe(code=quarter, rescore="int8", depth=10, lists=lists, probe=probe) for probe in probes]
    tries = [recipe for recipe in tries if recipe.width < d]
    tries += [Recipe("opq", d, quarter), Recipe("opq", d, half), Recipe("itq", d, "binary")]
    return list(dict.fromkeys(tries))


def lists_for(n: int) -> int:
    """Return about twice the square root of n, as a power of 2; 0 where reading all rows takes no time."""
    return 2 ** round(np.log2(2 * n**0.5)) if n >= LISTED else 0


def not_worth_a_turn(recipe: Recipe, recalls: Mapping[Recipe, float], target: float) -> str:
    """Say why a turn that takes long to learn is not learned: the code alone keeps enough, or far too little."""
    if recipe.project not in ("opq", "itq"):
        return ""
    plain = recalls.get(Recipe(code=recipe.code), target)
    if plain >= target + 0.01:
        return f"{recipe.code} alone keeps {plain:.3f}, which is enough, for fewer bytes"
    if plain < target - TURN_GAIN:
        return f"{recipe.code} alone keeps {plain:.3f}; a turn was not seen to add what {target:g} takes"
    return ""
