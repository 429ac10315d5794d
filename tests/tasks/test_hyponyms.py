"""Nouns, their descriptions and definitions of their kinds."""

import re

import numpy as np
import pytest

from codomain.core.needs import missing
from codomain.tasks.hyponyms import N_NAMES, N_ROWS, _classes, described_kinds, known_and_new_kinds

pytestmark = pytest.mark.skipif(bool(missing(["wordnet-base"])), reason="needs wordnet-base")


def test_no_text_has_the_name_of_its_class():
    task = described_kinds(0, n_test=2, n_few=1)
    for texts, names in (
        (task.descriptions, task.description_classes),
        (task.few, task.few_classes),
        (task.texts, task.classes),
    ):
        assert len(texts) == len(names) > 0
        assert not [text for text, name in zip(texts, names, strict=True) if re.search(rf"\b{name}\b", text, re.I)]


def test_what_describes_a_class_has_no_row_and_seeds_draw_other_rows():
    definition = {name: dict(pairs) for name, _, _, pairs in _classes()}
    task = described_kinds(1, n_test=N_ROWS)
    assert len(task.texts) == N_ROWS * len(task.names)
    for name in task.names[::20]:
        kinds = [text for text, of in zip(task.descriptions, task.description_classes, strict=True) if of == name]
        rows = [text for text, of in zip(task.texts, task.classes, strict=True) if of == name]
        assert len(rows) == N_ROWS
        described = {definition[name][kind] for kind in kinds[-N_NAMES:]}
        assert len(described.intersection(rows)) <= 1  # two kinds may share a definition
    assert task.texts != described_kinds(2, n_test=N_ROWS).texts


def test_known_and_new_classes_share_none_and_lose_none():
    every, known, new = known_and_new_kinds(1, n_test=2, n_few=2)
    assert sorted([*known.names, *new.names]) == every.names
    assert not set(known.names) & set(new.names)
    assert np.isin(known.few_classes, known.names).all() and len(known.few) == 2 * len(known.names)
