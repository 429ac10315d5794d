"""Packages and their descriptions."""

import re

import numpy as np
import pytest

from codomain.tasks import described as module
from codomain.tasks.described import described_packages, encode_once, restrict, tfidf_hits


@pytest.fixture(scope="module")
def described():
    return described_packages(0, n_test=4, n_few=2)


def test_no_text_names_its_package(described):
    for texts, names in (
        (described.descriptions, described.description_classes),
        (described.few, described.few_classes),
        (described.texts, described.classes),
    ):
        assert len(texts) == len(names) > 0
        for text, name in zip(texts, names, strict=True):
            assert not re.search(rf"\b{name}\b", text, re.IGNORECASE)


def test_every_package_has_as_many_rows_to_learn_from_and_to_be_labelled(described):
    assert described.few_classes == [name for name in described.names for _ in range(2)]
    assert described.classes == [name for name in described.names for _ in range(4)]
    assert set(described.description_classes) == set(described.names)


def test_two_parts_share_no_package_and_lose_no_text(described):
    known, new = restrict(described, described.names[::2]), restrict(described, described.names[1::2])
    assert set(known.classes) == set(described.names[::2]) and set(new.classes) == set(described.names[1::2])
    assert sorted(known.texts + new.texts) == sorted(described.texts)


def test_words_find_a_package_more_often_than_chance(described):
    assert tfidf_hits(described).mean() > 10 / len(described.names)


class Counting:
    """An encoder that keeps what it was asked."""

    def __init__(self, uri):
        self.identity = type("Identity", (), {"uri": uri})
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text)] for text in texts], np.float32)


def test_a_text_is_encoded_once_and_vectors_stay_in_the_order_of_the_texts():
    encoder = Counting("test:once")
    np.testing.assert_array_equal(encode_once(encoder, ["a", "bcd", "a"]).ravel(), [1, 3, 1])
    np.testing.assert_array_equal(encode_once(encoder, ["ef", "bcd"]).ravel(), [2, 3])
    assert encoder.asked == ["a", "bcd", "ef"]


def test_what_is_kept_of_an_encoder_has_a_bound(monkeypatch):
    monkeypatch.setattr(module, "_MOST", 2)
    encoder = Counting("test:bound")
    for texts in (["a", "b", "c"], ["d"], ["a"]):
        encode_once(encoder, texts)
    assert encoder.asked == ["a", "b", "c", "d", "a"]
