"""Classes from WordNet's nouns: a small tree by hand, and the real one where it is installed."""

import re

import networkx as nx
import numpy as np
import pytest

from codomain.core import needs
from codomain.tasks.wordnet import wordnet_tree as module
from codomain.tasks.wordnet.wordnet_tree import described_synsets, label_distances

real = pytest.mark.skipif(bool(needs.missing(["wordnet-base"])), reason="Debian's wordnet-base is not installed")


def noun(node, *above, words=None, gloss=None):
    return {
        "id": node, "words": words or [node], "gloss": gloss or f"what a {node} is", "examples": [],
        "hypernyms": list(above),
    }  # fmt: skip


@pytest.fixture
def tree(monkeypatch):
    rows = [noun("thing"), noun("beast", "thing", gloss="it lives; it breathes"), noun("tool", "thing")]
    rows += [noun("dog", "beast", words=["dog", "hound"]), noun("bird family", "beast")]
    for above in ("dog", "bird family", "tool", "beast"):
        rows += [noun(f"{above}{n}", above, gloss=f"the dogs of {n} dogmas, a Hound or tools") for n in range(4)]
    rows.append(noun("wolfdog", "dog", "tool"))
    monkeypatch.setattr(module, "LEAST", 4)
    monkeypatch.setattr(module, "N_NAMES", 1)
    monkeypatch.setattr(module, "_nouns", lambda: {row["id"]: row for row in rows})
    module._classes.cache_clear()
    yield
    module._classes.cache_clear()


def test_classes_have_kinds_enough_and_none_is_above_another_or_a_family(tree):
    assert {name: kinds for name, (_, kinds) in module._classes().items()} == {
        "dog": ["dog0", "dog1", "dog2", "dog3"],  # wolfdog is a kind of both
        "tool": ["tool0", "tool1", "tool2", "tool3"],
    }


def test_texts_lose_the_words_of_their_own_class_alone(tree):
    found = described_synsets(0, n_few=1, n_test=2)
    assert found.names == ["dog", "tool"]
    assert found.classes == ["dog", "dog", "tool", "tool"] and found.few_classes == ["dog", "tool"]
    assert all(re.fullmatch(r"the of \d dogmas, a or tools", text) for text in found.texts[:2])
    assert all(re.fullmatch(r"the dogs of \d dogmas, a Hound or", text) for text in found.texts[2:])
    dogs = [text for text, name in zip(found.descriptions, found.description_classes, strict=True) if name == "dog"]
    assert dogs[:3] == ["what a is", "it lives; it breathes", dogs[2]]
    assert re.fullmatch(r"dog\d", dogs[2])


def test_distances_go_over_the_nearest_noun_above_both(tree):
    np.testing.assert_array_equal(label_distances(["dog", "tool"]), [[0, 3], [3, 0]])


@real
def test_real_classes_have_as_many_rows_each_and_no_empty_text():
    found = described_synsets(3, n_test=10, n_few=10)
    assert 150 < len(found.names) < 300
    assert found.classes == [name for name in found.names for _ in range(10)] and all(found.texts)
    assert set(found.description_classes) == set(found.names)
    assert found == described_synsets(3, n_test=10, n_few=10) != described_synsets(4, n_test=10, n_few=10)


@real
def test_real_distances_are_those_of_a_search_from_each_class():
    names = described_synsets(0).names[::20]
    nodes = [module._classes()[name][0] for name in names]
    above = nx.DiGraph((row["id"], one) for row in module._nouns().values() for one in row["hypernyms"])
    up = [nx.single_source_shortest_path_length(above, node) for node in nodes]
    expected = [[min(a[n] + b[n] for n in set(a) & set(b)) for b in up] for a in up]
    np.testing.assert_array_equal(label_distances(names), expected)
