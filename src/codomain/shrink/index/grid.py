"""Recipes worth trying on a space, and reasons to skip some before they are learned."""

from collections.abc import Mapping

import numpy as np

from codomain.shrink.index.recipe import Recipe

TURN_GAIN = 0.1  # more recall than any learned rotation was seen to add
LISTED = 10_000  # rows from which on lists are worth their centres


def grid(d: int, lists: int = 0) -> list[Recipe]:
    """Return recipes worth trying on d columns; those with a learned rotation last, after their codes without it."""

    def columns(part: float) -> int:
        return max(round(d * part / 8) * 8 if d >= 64 else round(d * part), 1)

    sizes = [round(d * part) for part in (1 / 8, 1 / 6, 1 / 4, 1 / 3, 5 / 12, 1 / 2, 2 / 3)]
    half, third, quarter = (f"pq{columns(part)}x4" for part in (1 / 2, 1 / 3, 1 / 4))
    tries = [Recipe(code=f"fill{size}") for size in sizes if 3 <= size <= max(3 * d // 4, 4)]
    tries += [Recipe(code=code) for code in (quarter, "binary", "rabitq1", half, "rabitq2", "int4", "rabitq4")]
    tries += [Recipe(code=code) for code in ("int6", "int8", "f16")]
    tries += [Recipe("pca", columns(1 / 2), quarter), Recipe("pca", columns(2 / 3), third)]
    tries += [Recipe("pca", columns(part), "int8") for part in (1 / 2, 2 / 3)]
    tries += [Recipe("pca", columns(3 / 4), "int6")]
    tries += [Recipe("truncate", columns(part), "int8") for part in (1 / 4, 1 / 2)]
    tries += [Recipe(code="signs", rescore="int8", depth=20), Recipe(code=quarter, rescore="int8", depth=10)]
    if lists:
        probes = (max(lists // 40, 1), max(lists // 16, 2))
        tries += [Recipe(code=quarter, rescore="int8", depth=10, lists=lists, probe=probe) for probe in probes]
    tries = [recipe for recipe in tries if recipe.width < d]
    tries += [Recipe("opq", d, quarter), Recipe("opq", d, half), Recipe("itq", d, "binary")]
    return list(dict.fromkeys(tries))


def list_count(n: int) -> int:
    """Return about twice the square root of n, as a power of 2; 0 where reading all rows takes no time."""
    return 2 ** round(np.log2(2 * n**0.5)) if n >= LISTED else 0


def reason_to_skip(recipe: Recipe, recalls: Mapping[Recipe, float], target: float) -> str:
    """Return why a slowly learned rotation is skipped: the code without it keeps enough, or far too little."""
    if recipe.project not in ("opq", "itq"):
        return ""
    plain = recalls.get(Recipe(code=recipe.code), target)
    if plain >= target + 0.01:
        return f"{recipe.code} alone keeps {plain:.3f}, which is enough, for fewer bytes"
    if plain < target - TURN_GAIN:
        return f"{recipe.code} alone keeps {plain:.3f}; no rotation was seen to add what {target:g} needs"
    return ""
