"""Questions from WordNet about a noun with its modifier."""

import numpy as np
import pytest

from codomain.core.needs import missing
from codomain.tasks.noun_modifiers import noun_modifier_questions

pytestmark = pytest.mark.skipif(bool(missing(["wordnet-base"])), reason="needs wordnet-base")


def test_every_question_has_seven_different_choices_of_known_words_and_holds_its_own_pair():
    asked = noun_modifier_questions(lambda word: len(word) < 9, random_state=0)
    assert len(asked.stems) == len(asked.choices) > 500
    assert all(len(set(row)) == 7 for row in asked.choices)
    assert all(len(word) < 9 for word in asked.choices.ravel())
    np.testing.assert_array_equal(asked.choices[:, 1:3], asked.stems)


def test_another_seed_changes_only_the_two_random_choices():
    one, two = (noun_modifier_questions(lambda word: len(word) < 7, random_state=seed) for seed in (0, 1))
    np.testing.assert_array_equal(one.choices[:, :5], two.choices[:, :5])
    assert (one.choices[:, 5:] != two.choices[:, 5:]).any()
