"""Stars and notes: kept in a folder of their own, whole whatever happens."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from codomain.core import DamagedError, UserError
from codomain.serve.notes import Notes


def test_a_note_is_read_back_and_can_be_forgotten(tmp_path):
    notes = Notes(tmp_path / "new")
    notes.put("docs", "a/b é\ud800", star=True, note="x\x00<b>")
    notes.put("docs", "other", star=False, note="y")
    again = Notes(tmp_path / "new").read("docs")
    assert [(note["star"], note["note"]) for note in again.values()] == [(True, "x\x00<b>"), (False, "y")]
    notes.remove("docs", "other")
    notes.remove("docs", "never there")
    assert len(notes.read("docs")) == 1 and notes.read("nothing") == {}


def test_writers_at_once_lose_nothing(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: Notes(tmp_path).put("docs", str(i), star=True, note=""), range(40)))
    assert sorted(Notes(tmp_path).read("docs"), key=int) == [str(i) for i in range(40)]


def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path):
    (tmp_path / "docs.json").write_text('{"rows": {"a": ')
    with pytest.raises(DamagedError, match=r"docs\.json"):
        Notes(tmp_path).put("docs", "a", star=True, note="")
    assert (tmp_path / "docs.json").read_text() == '{"rows": {"a": '


def test_what_is_too_long_and_a_folder_that_is_a_file_are_refused(tmp_path):
    with pytest.raises(UserError, match="10,001"):
        Notes(tmp_path).put("docs", "a", star=True, note="x" * 10_001)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not a folder"):
        Notes(tmp_path / "file")


def seal(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_a_note_goes_to_the_folder_and_nothing_into_the_space(client, studied, tmp_path):
    pytest.importorskip("fastapi")
    before = seal(studied)
    row = client.get("/docs/groups/0").json()["rows"][0]
    put = client.put(f"/docs/{row['url']}/note", json={"star": True, "note": "look here"})
    assert put.status_code == 200 and put.json()["id"] == row["id"]
    assert client.get(f"/docs/{row['url']}").json()["note"]["note"] == "look here"
    assert [one["id"] for one in client.get("/docs/notes").json()["notes"]] == [row["id"]]
    assert json.loads((tmp_path / "notes/docs.json").read_text())["rows"][row["id"]]["star"] is True
    assert client.delete(f"/docs/{row['url']}/note").status_code == 204
    assert client.get("/docs/notes").json()["notes"] == []
    assert client.put("/docs/rows/nothing/note", json={"star": True}).status_code == 404
    assert seal(studied) == before


def test_without_a_folder_no_note_is_taken(studied):
    pytest.importorskip("fastapi")
    from served import connect

    client = connect([studied])
    answer = client.put("/docs/rows/x/note", json={"star": True})
    assert answer.status_code == 403 and "--notes" in answer.json()["todo"]
    assert client.get("/docs/notes").json()["notes"] == []
