"""Topics of glosses and sections of Debian as classes: a few rows by hand, without encoder or data."""

import numpy as np
import pyarrow as pa
import pytest

from codomain.tasks import sections, steps, topics


class Lengths:
    """An encoder that gives the number of characters."""

    def encode(self, texts):
        return np.array([[len(text)] for text in texts], np.float32)


@pytest.fixture(autouse=True)
def forget():
    yield
    for pool in (topics._glosses, sections.one_of_each_source, sections.largest_sections):
        pool.cache_clear()


def test_every_topic_with_enough_glosses_gives_the_same_number_and_none_twice(monkeypatch):
    rows = [{"gloss": "x" * (10 * k + i), "lexname": f"t{k}"} for k in range(1, 4) for i in range(3 * k)]
    monkeypatch.setattr(topics, "wordnet_glosses", lambda: pa.Table.from_pylist(rows))
    monkeypatch.setattr(topics, "resolve", lambda name: Lengths())
    X, y, Q, truth = topics.gloss_topics(0, 4, 2)
    np.testing.assert_array_equal(y, np.repeat(["t2", "t3"], 4))
    np.testing.assert_array_equal(truth, np.repeat(["t2", "t3"], 2))
    assert len(np.unique(np.concatenate([X, Q]))) == 12
    np.testing.assert_array_equal(np.concatenate([X, Q]).ravel() // 10, [2] * 4 + [3] * 4 + [2] * 2 + [3] * 2)


def package(source, text, section):
    return {"source": source, "text": text, "section": section}


def test_only_the_first_package_of_a_source_that_is_long_enough_counts(monkeypatch):
    rows = [package("a", "one", "games"), package("a", "twelve", "games"), package("b", "thirteen", "python")]
    monkeypatch.setattr(sections, "debian_descriptions", lambda: pa.Table.from_pylist(rows))
    texts, labels = sections.one_of_each_source(4)
    assert sorted(zip(texts, labels, strict=True)) == [("one", "games"), ("thir", "python")]
    texts, labels = sections.one_of_each_source(20, least=4)
    assert sorted(zip(texts, labels, strict=True)) == [("thirteen", "python"), ("twelve", "games")]


def test_the_largest_sections_give_as_many_rows_each_and_every_row_is_on_one_side(monkeypatch):
    rows = [
        package(f"{name}{n}", f"{name} {n}", name)
        for name, count in (("a", 5), ("b", 3), ("c", 4))
        for n in range(count)
    ]
    monkeypatch.setattr(sections, "debian_descriptions", lambda: pa.Table.from_pylist(rows))
    texts, y = sections.largest_sections(2, 4, 10)
    assert y.tolist() == ["a"] * 4 + ["c"] * 4
    assert len(set(texts)) == 8 and all(text[0] == name for text, name in zip(texts, y, strict=True))
    train, test = sections.split_sections(y, 0, 3)
    assert y[train].tolist() == ["a"] * 3 + ["c"] * 3 and sorted([*train, *test]) == list(range(8))


def test_a_head_that_stores_rows_remembers_what_one_without_forgets():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(6), 30)
    X = np.stack([np.cos(y), np.sin(y)], axis=1) + 0.1 * rng.normal(size=(180, 2))  # six clumps around a circle
    parts = [np.flatnonzero(y % 3 == step) for step in range(3)]
    plain, stored = (steps.fine_tune(X, y, parts, 0, "log_loss", n_stored=n).score(X, y) for n in (0, 5))
    assert stored > plain + 0.2
