"""A real task for claims of differential descriptions: six forms of plants that are easily taken for each other.

The texts were written once by a language model that saw the six names alone: general ones class by class, and
differences pair by pair, asked for captions that show what distinguishes two things.
"""

import re
from functools import cache

import numpy as np

from codomain.data import wordnet_glosses

NODES = {"tree": "n13104059", "shrub": "n13112664", "herb": "n12205694", "vine": "n13100677", "fern": "n11545714",
         "grass": "n12102133"}  # fmt: skip

GENERAL = {
    "tree": (
        "a tall woody plant with a trunk", "bark that covers the trunk", "a crown of branches with leaves",
        "wood that is used as timber", "it bears fruits, nuts or cones", "it lives for many years",
    ),
    "shrub": (
        "a low woody plant", "several stems from the base", "dense branches with small leaves", "clusters of flowers",
        "it bears berries", "it is grown in gardens as a hedge",
    ),
    "herb": (
        "a plant with soft green stems", "aromatic leaves", "leaves used in cooking", "leaves used as a medicine",
        "small flowers", "it dies down after the season",
    ),
    "vine": (
        "a plant with long thin stems", "tendrils that hold to supports", "it climbs on walls, fences and trees",
        "it trails along the ground", "it bears grapes or showy flowers", "heart-shaped or lobed leaves",
    ),
    "fern": (
        "a green plant with feathery fronds", "young fronds are coiled", "spores on the underside of the fronds",
        "it has no flowers and no seeds", "it grows in moist shady woods", "a creeping rhizome",
    ),
    "grass": (
        "a plant with narrow blades", "hollow jointed stems", "spikes of tiny flowers", "seeds that are eaten as grain",
        "it covers lawns and pastures", "it is grown as forage or hay for cattle",
    ),
}  # fmt: skip

# For each pair, captions of the one and of the other, each two the same trait.
DIFFERENCES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("tree", "shrub"): (
        ("it has a single tall trunk", "it has many short stems from the ground"),
        ("it is large and gives valuable timber", "it is small and bushy, without timber"),
        ("a high spreading crown", "low dense growth near the ground"),
    ),
    ("tree", "herb"): (
        ("a woody trunk with bark", "soft green stems without wood"),
        ("it is tall and lives for a century", "it is low and annual, biennial or perennial"),
        ("hard wood, nuts or large fruits", "small flowers and leaves for seasoning or medicine"),
    ),
    ("tree", "vine"): (
        ("it stands on its own trunk", "it climbs or twines on other plants"),
        ("thick upright trunk and branches", "long slender trailing stems with tendrils"),
        ("a forest giant with hard wood", "a climber over walls and trellises"),
    ),
    ("tree", "fern"): (
        ("it has flowers, fruits, seeds or cones", "it has spores and neither flowers nor seeds"),
        ("branches with leaves and bark", "fronds that rise from a rhizome"),
        ("tall timber of the forest", "delicate feathery green of shady places and rocks"),
    ),
    ("tree", "grass"): (
        ("a woody trunk and branches", "hollow jointed stems and narrow blades"),
        ("fruits, nuts or cones", "spikes or panicles with grain"),
        ("timber and shade", "pasture, hay, lawn or cereal"),
    ),
    ("shrub", "herb"): (
        ("woody stems that stay through winter", "soft stems that die back"),
        ("evergreen or deciduous and bushy", "annual, biennial or perennial with rosettes of leaves"),
        ("ornamental with berries or showy clusters of flowers", "culinary, medicinal or a weed of the fields"),
    ),
    ("shrub", "vine"): (
        ("erect bushy growth that supports itself", "climbing growth that needs a support"),
        ("many stiff branches, sometimes with spines", "twining stems with tendrils"),
        ("a hedge or thicket", "a cover for walls and fences"),
    ),
    ("shrub", "fern"): (
        ("it has flowers and berries", "it has spores and no flowers"),
        ("woody branches with small leaves", "divided fronds from a creeping rhizome"),
        ("dry slopes, heaths and gardens", "moist shade, rocks and woodland"),
    ),
    ("shrub", "grass"): (
        ("woody branches", "jointed hollow stems"),
        ("broad or needle leaves and showy flowers", "narrow blades and inconspicuous flowers in spikes"),
        ("an ornamental hedge", "forage, lawn or cereal"),
    ),
    ("herb", "vine"): (
        ("it stands low and upright", "it climbs, twines or trails"),
        ("short stems with rosettes of leaves", "long slender stems with tendrils"),
        ("aromatic leaves for cooking or medicine", "ornamental cover, grapes or gourds"),
    ),
    ("herb", "fern"): (
        ("it has flowers and seeds", "it has spores and no flowers"),
        ("stems with leaves and blossoms", "coiled young fronds that unfold"),
        ("open fields and gardens", "moist shady woods and rock crevices"),
    ),
    ("herb", "grass"): (
        ("broad leaves and colourful flowers", "narrow blades and spikes without petals"),
        ("leaves for seasoning or medicine", "grain, hay and pasture"),
        ("solid soft stems", "hollow jointed stems in tufts"),
    ),
    ("vine", "fern"): (
        ("it climbs by tendrils and has flowers", "it has fronds with spores"),
        ("fruits such as grapes or gourds", "no flowers and no fruits"),
        ("woody or twining stems over a support", "a rhizome with feathery fronds"),
    ),
    ("vine", "grass"): (
        ("long climbing stems with broad leaves", "tufts of narrow blades"),
        ("showy flowers or grapes", "spikes of grain"),
        ("on walls, fences and trees", "in meadows, lawns and pastures"),
    ),
    ("fern", "grass"): (
        ("divided fronds with spores", "narrow blades with spikes of seeds"),
        ("moist shade and rocks", "open meadow, pasture and prairie"),
        ("an ornamental for shade or a greenhouse", "forage, hay or cereal"),
    ),
}  # fmt: skip


@cache
def _kinds() -> dict[str, list[str]]:
    """Return the definitions of the kinds of each form and of no other, the forms' own names hidden."""
    own = re.compile(rf"\b({'|'.join(NODES)}|bush|fern ally|herbaceous plant)(e?s)?\b", re.IGNORECASE)
    rows = [row for row in wordnet_glosses().to_pylist() if len({*NODES.values()}.intersection(row["hypernyms"])) == 1]
    return {
        name: [own.sub("", row["gloss"]) for row in rows if node in row["hypernyms"]] for name, node in NODES.items()
    }


def plant_forms(seed: int, n_most: int = 150) -> tuple[list[str], list[str]]:
    """Draw definitions of kinds of plants, at most so many of each form, and return them with their forms."""
    rng = np.random.default_rng(seed)
    drawn = {name: [str(text) for text in rng.permutation(texts)[:n_most]] for name, texts in _kinds().items()}
    return [text for part in drawn.values() for text in part], [name for name, part in drawn.items() for _ in part]


def differences() -> tuple[list[str], list[str], list[str]]:
    """Return captions, the form that each describes and the other of its pair."""
    found = []
    for (one, other), pairs in DIFFERENCES.items():
        for of_one, of_other in pairs:
            found += [(f"{one}: {of_one}", one, other), (f"{other}: {of_other}", other, one)]
    texts, of, against = map(list, zip(*found, strict=True))
    return texts, of, against
