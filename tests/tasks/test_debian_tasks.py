"""Debian's tags and sources as labels: a few packages by hand, and the real ones where apt has them."""

import re

import numpy as np
import pyarrow as pa
import pytest

from codomain.core import needs
from codomain.tasks import debtags as tagged
from codomain.tasks import fine_classes as fine
from codomain.tasks.debtags import debtags
from codomain.tasks.fine_classes import fine_classes

real = pytest.mark.skipif(bool(needs.missing(["apt-lists"])), reason="apt's lists have no descriptions")


def package(source, text, *tags):
    return {"source": source, "summary": text, "text": text, "tags": list(tags)}


def serve(monkeypatch, module, pool, rows):
    monkeypatch.setattr(module, "debian_descriptions", lambda: pa.Table.from_pylist(rows))
    pool.cache_clear()


@pytest.fixture(autouse=True)
def forget():
    yield
    tagged._pool.cache_clear()
    fine._classes.cache_clear()


def test_one_package_of_a_source_counts_and_how_it_is_filed_does_not(monkeypatch):
    rows = [
        package("a", "a  game\nfor two", "use::gameplaying", "suite::gnome"),
        package("a", "its data", "role::app-data"),
        package("b", "no tag that counts", "suite::gnome", "use::TODO"),
        package("c", "a game", "use::gameplaying", "interface::x11"),
        package("d", "rare", "interface::x11", "sound::player"),
        package("e", "rarer", "sound::mixer"),
    ]
    serve(monkeypatch, tagged, tagged._pool, rows)
    monkeypatch.setattr(tagged, "N_TAGS", 2)
    monkeypatch.setattr(tagged, "N_UNSEEN", 1)
    texts, labels, tags = tagged._pool()
    assert texts == ["a game for two", "a game", "rare"] and tags == ["interface::x11", "use::gameplaying"]
    np.testing.assert_array_equal(labels, [[False, True], [True, True], [True, False]])
    found = debtags(0, n_train=2, n_test=1)
    assert sorted([*found.seen, *found.unseen]) == [0, 1] and len(found.unseen) == 1
    assert found.train.tolist() == [0, 1] and found.test.tolist() == [2]
    for text, row in zip(found.texts, found.labels, strict=True):
        np.testing.assert_array_equal(row, labels[texts.index(text)])


def test_a_source_needs_six_different_summaries_and_its_name_is_in_none(monkeypatch):
    rows = [package("lib-zoo", f"LibZoo's zookeeper, part {n}") for n in range(7)]
    rows += [package("ape2", f"for ape2 and {n % 5}") for n in range(9)]
    serve(monkeypatch, fine, fine._classes, rows)
    assert fine._classes() == {"lib-zoo": [f"'s keeper, part {n}" for n in range(7)]}
    (X, y), (Q, z) = fine_classes(0)
    assert (len(X), len(Q)) == (4, 2) and set(y) == set(z) == {"lib-zoo"}
    assert len({*X, *Q}) == 6


@real
def test_real_tags_are_eighty_and_each_has_rows_enough():
    found = debtags(0)
    assert found.labels.shape == (4500, 80) and len(found.tags) == 80
    assert (len(found.seen), len(found.unseen)) == (64, 16) and not set(found.seen) & set(found.unseen)
    assert tagged._pool()[1].sum(axis=0).min() >= 100
    assert found.labels.any(axis=1).all() and max(map(len, found.texts)) == 300
    assert found.texts == debtags(0).texts != debtags(1).texts


@real
def test_real_sources_are_hundreds_of_classes_with_other_rows_to_test_on():
    (X, y), (Q, z) = fine_classes(0)
    assert len(set(y)) > 500 and set(y) == set(z)
    assert not set(zip(X, y, strict=True)) & set(zip(Q, z, strict=True))
    for text, name in zip(X[::50], y[::50], strict=True):
        parts = [part for part in re.split("[^a-z0-9]+", name) if len(part) > 1]
        assert not any(part in text.lower() for part in parts)
    (_, y), (_, z) = fine_classes(0, new=True)
    assert not set(y) & set(z) and abs(len(set(y)) - len(set(z))) <= 1
