"""What the name of a recipe means, in words."""

import re

_STEPS = (
    (r"pca (\d+)", "keep the {0} directions that say most"),
    (r"truncate (\d+)", "keep the first {0} numbers"),
    (r"opq (\d+)", "keep {0} directions, turned so that codes lose least"),
    (r"itq (\d+)", "keep {0} directions, turned so that signs lose least"),
    (r"(\d+) of (\d+) lists", "read {0} of {1} lists of rows that lie together"),
    (r"f32", "each number in 4 bytes, as it is"),
    (r"f16", "each number in 2 bytes"),
    (r"int8", "each number in 1 byte"),
    (r"int([64])", "each number in {0} bits"),
    (r"binary|signs", "of each number only its sign, 1 bit"),
    (r"rabitq(\d)", "each number in {0} bits, with a correction for each row"),
    (r"pq(\d+)x(\d)", "{0} codes of {1} bits, each for a few numbers at once"),
    (r"fill(\d+)", "{0} bytes a row, shared out to the directions that say most"),
    (r"best (\d+)k by (\w+)", "then rank {0} candidates for each hit again by a finer copy ({1})"),
)


def explain(recipe: str) -> str:
    """Return a recipe such as "pca 192 -> int8" in words; a step that is not known stays as it is.

    Parameters
    ----------
    recipe : str
        The name, as `codomain.shrink.Recipe` gives it.

    Returns
    -------
    str
        Its steps, with semicolons between them.
    """
    return "; ".join(_step(step) for step in recipe.split(" -> "))


def _step(step: str) -> str:
    for pattern, words in _STEPS:
        if found := re.fullmatch(pattern, step):
            return words.format(*found.groups())
    return step
