"""Any sequence of changes, against a plain list of generations held in memory."""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from small_spaces import ENCODER, rows_of, vectors_of

import codomain
from codomain.core import UserError
from codomain.space import Roles


class Model(RuleBasedStateMachine):
    """A generation is (ids, parts); an id tells its text, year and vector."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.next = 0

    def teardown(self):
        shutil.rmtree(self.folder)

    def rows(self, count):
        first, self.next = self.next, self.next + count
        return rows_of(first, count), vectors_of(first, count), list(range(first, first + count))

    @initialize(count=st.integers(1, 5))
    def write(self, count):
        rows, vectors, ids = self.rows(count)
        roles = Roles(text="text", id="key")
        self.space = codomain.write(self.folder / "s", rows, vectors, encoder=ENCODER, roles=roles)
        self.kept = {1: (ids, {})}
        self.now = 1

    def moved(self, ids, parts):
        self.now += 1
        self.kept[self.now] = (ids, parts)

    @rule(count=st.integers(1, 4))
    def append(self, count):
        rows, vectors, ids = self.rows(count)
        self.space = self.space.append(rows, vectors, encoder=ENCODER)
        self.moved(self.kept[self.now][0] + ids, self.kept[self.now][1])

    @rule(name=st.sampled_from("ab"), value=st.integers(0, 3))
    def put(self, name, value):
        self.space = self.space.put(name, {"v.npy": np.arange(value), "v.json": [value]}, made_from=str(value))
        self.moved(self.kept[self.now][0], self.kept[self.now][1] | {name: value})

    @precondition(lambda self: self.kept[self.now][1])
    @rule(data=st.data())
    def drop(self, data):
        ids, parts = self.kept[self.now]
        name = data.draw(st.sampled_from(sorted(parts)))
        self.space = self.space.drop(name)
        self.moved(ids, {n: v for n, v in parts.items() if n != name})

    @rule(data=st.data())
    def rollback(self, data):
        to = data.draw(st.sampled_from(sorted(self.kept)))
        self.space = self.space.rollback(to)
        self.moved(*self.kept[to])

    @rule(keep=st.integers(1, 3))
    def gc(self, keep):
        self.space.gc(keep)
        numbers = sorted(self.kept)
        last = [n for n, later in pairwise(numbers) if self.kept[n][0] != self.kept[later][0]]  # of each state of rows
        self.kept = {number: self.kept[number] for number in [*last, numbers[-1]][-keep:]}

    @rule(fresh=st.booleans())
    def reopen(self, fresh):
        self.space = codomain.open(self.folder / "s", generation=None if fresh else self.now)

    @rule(data=st.data())
    def an_older_view_may_not_append(self, data):
        old = data.draw(st.sampled_from(sorted(self.kept)))
        if self.kept[old][0] != self.kept[self.now][0]:
            rows, vectors, _ = self.rows(1)
            with pytest.raises(UserError, match="has moved on"):
                codomain.open(self.folder / "s", generation=old).append(rows, vectors, encoder=ENCODER)

    @invariant()
    def every_generation_is_what_it_was(self):
        for number, (ids, parts) in getattr(self, "kept", {}).items():
            view = self.space if number == self.now else codomain.open(self.folder / "s", generation=number)
            assert view.generation == number
            assert view.rows(["key"])["key"].to_pylist() == [f"k{i}" for i in ids]
            np.testing.assert_array_equal(view.vectors[:], np.concatenate([vectors_of(i, 1) for i in ids]))
            assert {name: part["v.json"][0] for name, part in view.parts.items()} == parts
            assert all(len(view.part(name)["v.npy"]) == value for name, value in parts.items())
            assert view.take([-1, 0]).to_pydict() == {k: v + w for (k, v), w in zip(
                rows_of(ids[-1], 1).items(), rows_of(ids[0], 1).values(), strict=True)}  # fmt: skip

    @invariant()
    def the_log_tells_the_generations(self):
        if hasattr(self, "kept"):
            told = [(g.number, g.rows, g.parts) for g in self.space.log()]
            assert told == [(n, len(ids), tuple(sorted(parts))) for n, (ids, parts) in sorted(self.kept.items())]


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=20, stateful_step_count=12)
