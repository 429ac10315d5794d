"""Which single word means the same as a noun with its modifier: questions of seven choices from WordNet."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codomain.data import wordnet_glosses


class NounModifierQuestions(NamedTuple):
    """Pairs of words and what may mean the same; the first choice is the right one.

    Parameters
    ----------
    stems : ndarray of shape (n_questions, 2)
        Modifier and head, as in "dog" and "house".
    choices : ndarray of shape (n_questions, 7)
        A synonym of both together, the modifier, the head, a word near the modifier, one near the head, two others.
    """

    stems: NDArray[np.str_]
    choices: NDArray[np.str_]


def noun_modifier_questions(known: Callable[[str], bool], random_state: Any = 0) -> NounModifierQuestions:
    """Return a question for each pair of words that WordNet gives a synonym of one word.

    As in Turney's questions, a word near another is a synonym, or else what it is a kind of; the last two choices are
    nouns drawn at random.

    Parameters
    ----------
    known : callable
        Whether a word may be in a question.
    random_state : int, default=0
        Seed of what is drawn.

    Returns
    -------
    NounModifierQuestions
        As many as WordNet has, in its order.
    """
    rng = np.random.default_rng(random_state)
    table = wordnet_glosses().select(["id", "words", "lexname", "hypernyms"]).to_pylist()
    single = {
        row["id"]: [word for word in row["words"] if re.fullmatch("[a-z]+", word) and known(word)] for row in table
    }
    senses: dict[str, list[dict[str, Any]]] = {}
    for row in table:
        for word in single[row["id"]]:
            senses.setdefault(word, []).append(row)
    nouns = np.array(sorted(word for word, rows in senses.items() if rows[0]["lexname"].startswith("noun")))

    def related(word: str, used: set[str]) -> str | None:
        """Return a synonym of the word, or else one of what it is a kind of, that is not used yet."""
        here = [other for row in senses[word] for other in single[row["id"]]]
        above = [other for row in senses[word] for kind in row["hypernyms"] for other in single[kind]]
        return next((other for other in (*here, *above) if other not in used), None)

    stems, choices = [], []
    for row in table:
        pairs = [word.split() for word in row["words"] if re.fullmatch("[a-z]+ [a-z]+", word)]
        pairs = [pair for pair in pairs if all(word in senses for word in pair) and pair[0] != pair[1]]
        right = [word for word in single[row["id"]] if pairs and word not in pairs[0]]
        if not row["lexname"].startswith("noun") or not right:
            continue
        found: list[str] = [right[0], *pairs[0]]
        for word in pairs[0]:
            other = related(word, {*found, *single[row["id"]]})
            if other:
                found.append(other)
        if len(found) == 5:
            others = [noun for noun in rng.choice(nouns, 8, replace=False) if noun not in found]
            stems.append(pairs[0])
            choices.append([*found, *others[:2]])
    return NounModifierQuestions(np.array(stems), np.array(choices))
