"""What holds of every store: all rows and columns arrive, and what was there is whole until the new rows are."""

import os
import subprocess
import sys

import numpy as np
import pytest

from codomain.core import UserError, unit_rows
from codomain.workbench.stores import outgoing
from codomain.workbench.stores.written import Written, recall_of, write_to

N = 120
FOUND = ("group", "group_name", "map_x", "map_y", "kept", "is_duplicate", "is_outlier")


def vector_of(row):
    return row["codomain_vector" if "codomain_vector" in row else "vector"]


def test_rows_columns_and_vectors_of_length_1_arrive(place, space, monkeypatch):
    monkeypatch.setattr(outgoing, "BLOCK", 50)  # 50, 50 and 20 rows
    done = write_to(place.store(), space, force=False)
    assert (done.rows, done.dim, done.recall, done.asked) == (N, space.shape[1], 1.0, 20)
    rows = {row["key"]: row for row in place.rows()}
    assert len(rows) == N
    in_order = [rows[key] for key in space.ids.to_pylist()]
    np.testing.assert_allclose(
        np.array([vector_of(row) for row in in_order]), unit_rows(space.vectors[:]), rtol=0, atol=1e-6
    )
    names = [*space.parts.groups.names, None]
    groups = np.asarray(space.parts.groups.labels)
    assert [row["group"] for row in in_order] == groups.tolist()
    assert [row["group_name"] for row in in_order] == [names[group] for group in groups]
    np.testing.assert_allclose([row["map_x"] for row in in_order], space.parts.map.xy[:, 0], rtol=1e-6)
    assert [row["text"] for row in in_order] == space.rows(["text"])["text"].to_pylist()
    assert set(in_order[0]) - {"point"} == {*space.columns, *FOUND, *space.parts.audit.flagged, "codomain_vector"}


def test_what_is_there_is_only_replaced_when_that_was_asked_for(place, space, smaller):
    write_to(place.store(), smaller, force=False)
    before = place.names()
    with pytest.raises(UserError, match="there already") as refused:
        write_to(place.store(), space, force=False)
    assert "--force" in refused.value.todo
    assert len(place.rows()) == 5 and place.names() == before
    write_to(place.store(), space, force=True)
    assert len(place.rows()) == N
    write_to(place.store(), smaller, force=True)
    assert len(place.rows()) == 5 and len(place.names()) == len(before)


@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "a table there"])
def test_an_error_while_reading_leaves_what_was_there(place, space, smaller, there, monkeypatch):
    if there:
        write_to(place.store(), smaller, force=False)
    before = place.names()
    blocks = outgoing.Outgoing.blocks
    monkeypatch.setattr(outgoing, "BLOCK", 50)

    def broken(self):
        yield next(blocks(self))
        raise UserError("the disk is gone")

    with monkeypatch.context() as patch, pytest.raises(UserError, match="the disk is gone"):
        patch.setattr(outgoing.Outgoing, "blocks", broken)
        write_to(place.store(), space, force=True)
    assert place.names() == before
    if there:
        assert len(place.rows()) == 5
    write_to(place.store(), space, force=there)
    assert len(place.rows()) == N


@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "a table there"])
def test_rows_that_do_not_stand_the_check_are_not_put_in_place(place, space, smaller, there):
    if there:
        write_to(place.store(), smaller, force=False)
    before = place.names()
    with pytest.raises(KeyError, match="checked"), place.store().fill(outgoing.Outgoing(space), force=True) as new:
        assert new.total == N
        raise KeyError("checked")
    assert place.names() == before
    assert not there or len(place.rows()) == 5


KILLED = """
import os, signal, sys
import codomain
from codomain.workbench import export_space
from codomain.workbench.stores import outgoing

outgoing.BLOCK = 50
blocks = outgoing.Outgoing.blocks

def killed(self):
    for number, block in enumerate(blocks(self)):
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        yield block

outgoing.Outgoing.blocks = killed
export_space(codomain.open(sys.argv[1]), to=sys.argv[2], force=True)
"""


@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "a table there"])
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 on Windows")
def test_a_killed_export_leaves_what_was_there_and_can_be_typed_again(place, space, smaller, there):
    if there:
        write_to(place.store(), smaller, force=False)
    done = subprocess.run([sys.executable, "-c", KILLED, space.path, place.address], capture_output=True, timeout=120)
    assert done.returncode == -9, done.stderr
    assert not there or len(place.rows()) == 5
    write_to(place.store(), space, force=there)
    assert len(place.rows()) == N
    assert set(place.names()) <= place.whole
    write_to(place.store(), smaller, force=True)
    assert len(place.rows()) == 5


def test_the_check_sees_a_store_that_mixes_up_its_ids(space):
    """The measured share is that of a store that answers with the wrong rows, or with the right ones by half."""
    units, ids = unit_rows(space.vectors[:]), np.array(space.ids.to_pylist())

    def exact(Q, k):
        return np.argsort(-(Q @ units.T), axis=1)[:, :k]

    right = Written(N, lambda Q, k: ids[exact(Q, k)].tolist())
    assert recall_of(right, space) == (1.0, 20)
    half = Written(N, lambda Q, k: ids[exact(Q, k)[:, :6]].tolist())  # itself and 5 of 10
    assert recall_of(half, space)[0] == 0.5
    again = Written(N, lambda Q, k: ids[np.repeat(exact(Q, k)[:, :2], 6, axis=1)].tolist())  # one row many times
    assert recall_of(again, space)[0] == pytest.approx(0.1)
    mixed = Written(N, lambda Q, k: np.roll(ids, 7)[exact(Q, k)].tolist())
    assert recall_of(mixed, space)[0] < 0.5


def test_copies_of_a_row_are_as_near_as_each_other(tmp_path):
    import codomain

    vectors = np.repeat(np.random.default_rng(0).standard_normal((4, 8)), 8, axis=0).astype(np.float32)
    space = codomain.write(tmp_path / "copies.space", {"n": list(range(32))}, vectors)
    units = unit_rows(space.vectors[:])
    last = Written(32, lambda Q, k: [list(31 - np.argsort(-np.round(q @ units.T, 5)[::-1])[:k]) for q in Q])
    assert recall_of(last, space) == (1.0, 20)


def test_a_space_of_one_row_has_no_neighbours_to_look_for(place, tmp_path):
    import codomain

    one = codomain.write(tmp_path / "one.space", {"n": [7]}, np.ones((1, 3), np.float32))
    done = write_to(place.store(), one, force=False)
    assert (done.rows, done.recall) == (1, None)
    assert "recall" not in str(done)
