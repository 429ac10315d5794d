"""Forms of plants and what was written of them."""

import itertools
import re

import pytest

from codomain.core.needs import missing
from codomain.tasks.plant_forms import DIFFERENCES, GENERAL, differences, plant_forms


def test_every_two_forms_are_described_against_each_other_in_equal_numbers():
    assert set(map(frozenset, DIFFERENCES)) == set(map(frozenset, itertools.combinations(GENERAL, 2)))
    texts, of, against = differences()
    assert len(texts) == 2 * 3 * len(DIFFERENCES)
    for one, other in itertools.permutations(GENERAL, 2):
        assert [(one, other) == pair for pair in zip(of, against, strict=True)].count(True) == 3
    assert all(text.startswith(f"{name}: ") for text, name in zip(texts, of, strict=True))
    assert len({len(parts) for parts in GENERAL.values()}) == 1


@pytest.mark.skipif(bool(missing(["wordnet-base"])), reason="needs wordnet-base")
def test_no_definition_names_a_form():
    texts, forms = plant_forms(0, n_most=40)
    assert set(forms) == set(GENERAL) and len(texts) == len(forms)
    assert max(map(forms.count, GENERAL)) == 40
    assert not [text for text in texts if re.search(rf"\b({'|'.join(GENERAL)})\b", text, re.I)]
