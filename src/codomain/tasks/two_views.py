"""Definitions and words of WordNet's nouns in one space that was learned by contrast, apart from each other in it."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need, unit_rows
from codomain.data import wordnet_glosses

N_TRAIN, N_TEST = 8000, 2000
WIDTH, N_HIDDEN = 64, 256
TEMPERATURE = 0.01  # what CLIP's training ends at


class Views(NamedTuple):
    """The same nouns twice.

    Parameters
    ----------
    definitions, words : ndarray of shape (n, 64)
        Both kinds in the shared space, at length 1, float32.
    codes : ndarray of shape (n, 64)
        TF-IDF of the definitions in its 64 strongest directions, float32.
    """

    definitions: NDArray[np.float32]
    words: NDArray[np.float32]
    codes: NDArray[np.float32]


@cache
def _nouns() -> tuple[list[str], list[str]]:
    """Return the definitions of WordNet's nouns and the words of each."""
    table = wordnet_glosses().select(["gloss", "words", "lexname"]).to_pylist()
    nouns = [row for row in table if row["lexname"].startswith("noun.")]
    return [row["gloss"] for row in nouns], [", ".join(row["words"]) for row in nouns]


def two_views(seed: int) -> tuple[Views, Views]:
    """Train a tower for each kind on the same pairs by contrast, as CLIP is, and return rows to train and to test on.

    Parameters
    ----------
    seed : int
        Seed of the nouns drawn and of both towers.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    from codomain.encode import resolve

    torch = need("torch", "torch")
    definitions, words = _nouns()
    rows = np.random.default_rng(seed).choice(len(words), N_TRAIN + N_TEST, replace=False)
    some = [definitions[row] for row in rows]
    encoder = resolve("static:wordllama")
    sides = [torch.from_numpy(unit_rows(encoder.encode(texts))) for texts in (some, [words[row] for row in rows])]
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=3)
    counts = vectorizer.fit_transform(some[:N_TRAIN])
    strongest = TruncatedSVD(WIDTH, random_state=seed).fit(counts)
    codes = strongest.transform(vectorizer.transform(some)).astype(np.float32)
    rng = np.random.RandomState(seed)
    towers = [
        [_parameter(rng, width_in, width_out) for width_in, width_out in ((257, N_HIDDEN), (N_HIDDEN, WIDTH))]
        for _ in sides
    ]

    def place(side: int, some: Any) -> Any:
        ones = torch.ones(len(some), 1)
        into, out = towers[side]
        return torch.nn.functional.normalize(torch.relu(torch.hstack([some, ones]) @ into) @ out, dim=1)

    def loss(some: Any) -> Any:
        logits = place(0, sides[0][some]) @ place(1, sides[1][some]).T / TEMPERATURE
        same = torch.arange(len(some))
        entropy = torch.nn.functional.cross_entropy
        return (entropy(logits, same) + entropy(logits.T, same)) / 2

    descend(loss, [part for tower in towers for part in tower], N_TRAIN, epochs=15, random_state=seed)
    with torch.no_grad():
        first, second = (place(side, sides[side]).numpy() for side in (0, 1))
    return Views(first[:N_TRAIN], second[:N_TRAIN], codes[:N_TRAIN]), Views(
        first[N_TRAIN:], second[N_TRAIN:], codes[N_TRAIN:]
    )


def _parameter(rng: np.random.RandomState, width_in: int, width_out: int) -> Any:
    """Return weights at their start; the last row of the first layer's is its offset."""
    torch = need("torch", "torch")
    start = rng.standard_normal((width_in, width_out)) * np.sqrt(2 / width_in)
    return torch.nn.Parameter(torch.from_numpy(start.astype(np.float32)))
