"""A space that changes, or is damaged, while it is served."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

import codomain
from codomain.core import UserError
from codomain.serve.answers import Asked, find
from codomain.serve.spaces import Shelf, UnreadableError
from codomain.workbench import add
from served import connect

pytest.importorskip("fastapi")


def test_a_new_generation_is_served_without_a_restart_and_the_old_one_stays_with_who_has_it(copied, tmp_path):
    shelf = Shelf([copied])
    before = shelf.open("docs")
    assert shelf.open("docs") is before
    (tmp_path / "more.csv").write_text(
        "id,module,kind,text,day,link\nnew,m,class,A purple elephant reads zebras,2024-06-01,x\n"
    )
    add(copied, tmp_path / "more.csv")
    after = shelf.open("docs")
    assert after.space.generation > before.space.generation
    assert find(after, Asked(q="purple elephant", mode="words"))["hits"][0]["id"] == "new"
    assert find(before, Asked(q="purple elephant", mode="words"))["hits"] == []
    assert find(before, Asked(q="read a file", mode="both"))["generation"] == before.space.generation


def test_rows_that_are_not_studied_yet_are_not_shown_and_a_note_says_so(copied):
    shelf = Shelf([copied])
    space = codomain.open(copied)
    rows = {name: [f"new {name}"] for name in space.columns}
    space.append(rows, np.asarray(space.vectors[:1]), encoder=space.encoder)
    found = find(shelf.open("docs"), Asked(q="read", mode="words"))
    assert found["generation"] == space.generation and "being studied" in found["notes"][0]


def first(folder, pattern):
    return next(folder.glob(pattern))


@pytest.mark.parametrize("pattern", ["vectors-*.npy", "rows-*.parquet", "parts/map*/xy.npy", "parts/index*/*.sqlite"])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_a_damaged_space_is_503_in_words_and_is_back_when_it_is_mended(copied, pattern, damage, capsys):
    client = connect([copied])
    assert client.get("/docs/search?q=read").status_code == 200
    path = first(copied, pattern)
    whole = path.read_bytes()
    if damage == "cut":
        os.truncate(path, len(whole) // 2)
    elif damage == "flip":
        with path.open("r+b") as file:
            file.seek(len(whole) // 2)
            file.write(bytes([whole[len(whole) // 2] ^ 1]))
    else:
        path.unlink()
    for address in ("/docs/search?q=read", "/docs/", "/docs/groups", "/docs/rows.csv"):
        answer = client.get(address)
        assert answer.status_code == 503, address
        assert path.name in answer.json()["error"]
    assert path.name in capsys.readouterr().err
    assert path.name in client.get("/").json()["spaces"][0]["error"]
    path.write_bytes(whole)
    assert client.get("/docs/search?q=read").status_code == 200


def test_a_space_of_a_newer_version_is_refused_in_words(copied, monkeypatch):
    shelf = Shelf([copied])
    monkeypatch.setattr("codomain.space.head.FORMAT", 1)
    os.utime(copied / "HEAD")
    with pytest.raises(UnreadableError, match="pip install --upgrade"):
        shelf.open("docs")
    with pytest.raises(UserError, match="pip install --upgrade"):
        Shelf([copied])


def test_a_folder_that_is_no_space_and_one_that_was_never_studied_are_not_served(copied, tmp_path):
    space = codomain.open(copied)
    with pytest.raises(UserError, match="does not exist"):
        Shelf([tmp_path / "nothing"])
    codomain.write(tmp_path / "bare.space", {"id": ["a", "b", "c"]}, space.vectors[:3], encoder=space.encoder)
    with pytest.raises(UserError, match=r"codomain study .*bare\.space"):
        Shelf([tmp_path / "bare.space"])


def test_many_threads_get_the_same_rows_as_one(studied):
    opened = Shelf([studied]).open("docs")
    questions = [Asked(q=word, k=5) for word in ("read", "socket", "class", "file", "thread", "date")] * 8
    alone = [find(Shelf([studied]).open("docs"), one)["hits"] for one in questions[:6]]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: find(opened, one)["hits"], questions))
    assert together == alone * 8


def test_a_request_that_takes_too_long_is_answered_in_words_and_others_go_on(studied, monkeypatch):
    from starlette.testclient import TestClient

    from codomain.serve.app import make_app
    from codomain.serve.guard import Rules

    go_on = Event()
    monkeypatch.setattr("codomain.serve.answers.list_groups", lambda opened: go_on.wait(60) and {})
    with TestClient(make_app(Shelf([studied]), Rules(), seconds=0.5), base_url="http://localhost") as client:
        late = client.get("/docs/groups")
        assert late.status_code == 503 and "within" in late.json()["error"]
        monkeypatch.undo()
        assert client.get("/docs/groups/0").status_code == 200
        go_on.set()
