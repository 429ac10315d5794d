import json
from importlib import import_module

import numpy as np
import pytest
from sklearn.datasets import load_digits

import codomain.space
from codomain.core import UserError
from codomain.encode import resolve
from codomain.search import Keywords
from codomain.shrink import FittedRecipe, Recipe
from codomain.space import Roles, ShrinkPart
from codomain.workbench import search_space, study


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    folder = tmp_path_factory.mktemp("find")
    np.save(folder / "digits.npy", load_digits().data.astype(np.float32)[:900])
    return study(folder / "digits.npy", space=folder / "s.space").space


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(code="fill40"), Recipe(code="signs", rescore="int8"), Recipe(code="int8"),
        Recipe(code="pq16x4", rescore="int8", depth=30, lists=12, probe=12),
    ],
    ids=lambda recipe: recipe.name,
)  # fmt: skip
def test_a_search_asks_the_winner_whatever_it_is(space, recipe, monkeypatch):
    files = recipe.fit(space.vectors).encode(space.vectors).save()
    files[ShrinkPart.certificate] = space.parts.shrink.certificate
    space.put("shrink", files, made_from=space.fingerprint, note="another winner")
    monkeypatch.setattr(import_module("codomain.workbench.search"), "_INDEX_ABOVE", 1000)
    asked, search = [], FittedRecipe.search
    monkeypatch.setattr(
        FittedRecipe, "search", lambda self, Q, k=10: (asked.append(self.recipe), search(self, Q, k))[1]
    )
    ids = codomain.space.open(space.path).rows(["id"]).column("id").to_pylist()
    for wanted in (ids[3], ids[500]):
        found, judge = (search_space(space.path, like=[wanted], k=5, exact=exact) for exact in (False, True))
        assert [hit.row for hit in found] == [hit.row for hit in judge]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in judge])
    assert asked == [recipe, recipe]


def test_one_question_loads_no_index_unless_the_space_is_huge(space, monkeypatch):
    files = Recipe(code="int8").fit(space.vectors).encode(space.vectors).save()
    space.put("shrink", files, made_from=space.fingerprint, note="a winner")
    monkeypatch.setattr(FittedRecipe, "load", lambda files: pytest.fail("an index was loaded"))
    wanted = space.rows(["id"]).column("id")[3].as_py()
    assert len(search_space(space.path, like=[wanted], k=5)) == 5


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    encoder = resolve("static:wordllama")
    texts = ["Parse JSON into objects.", "Compress a file with gzip.", "Add days to a date.", "Öffne einen Socket."]
    folder = tmp_path_factory.mktemp("notes")
    Keywords.build(texts, folder / "keywords.sqlite").close()
    made = codomain.space.write(
        folder / "notes.space", {"id": list("abcd"), "text": texts, "year": [1, 2, 3, 4]}, encoder.encode(texts),
        encoder=encoder.identity, roles=Roles(text="text", id="id"),
    )  # fmt: skip
    made = made.put("index", {"keywords.sqlite": folder / "keywords.sqlite"}, made_from=made.fingerprint)
    return made.path


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        (["date " * 20_000], "c"), (["öffne socket", "-k", 999], "d"), (["日本語 json 😀"], "a"),
        (["file", "--where", "year > 9"], None), (["compress json -gzip"], "a"),
    ],
    ids=["long", "more than there are", "unicode", "nothing left", "unwanted"],
)  # fmt: skip
def test_the_command_answers_what_is_odd_but_plain(notes, run, asked, first):
    answer = run("search", notes, "--json", *asked)
    assert answer.returncode == 0, answer.stderr
    found = [record["id"] for record in json.loads(answer.stdout)]
    assert found[:1] == ([first] if first else [])
    assert "b" not in found or "-gzip" not in asked[0]
    assert len(found) <= 4 and len(set(found)) == len(found)
    assert first or "No row meets the condition: year > 9" in answer.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([""], "nothing to look for"), (["?!"], "nothing to look for"), (["--", "-gzip"], "only what is not wanted"),
        (["--like", "z"], "No row of"), (["--like", "a", "--unlike", "a"], "no direction"),
        (["gzip", "--where", "yeer > 1"], "no column 'yeer'"), (["gzip", "--where", ""], "cannot be read"),
    ],
)  # fmt: skip
def test_the_command_refuses_in_words_what_is_no_question(notes, run, asked, words):
    answer = run("search", notes, *asked)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert words in answer.stderr and "Traceback" not in answer.stderr


def test_a_condition_may_be_on_what_the_study_found(space):
    opened = codomain.space.open(space.path)
    groups, flags = opened.parts.groups, opened.parts.audit.flagged
    first = int(np.argmax(groups.labels >= 0))
    name = groups.names[groups.labels[first]]
    like = [opened.ids[0].as_py()]

    def rows(where):
        return {hit.row for hit in search_space(space.path, like=like, k=900, where=where)} | {0}

    assert rows(f"group_name == {name!r}") == set(np.flatnonzero(groups.labels == groups.labels[first])) | {0}
    assert rows("group == -1") == set(np.flatnonzero(groups.labels == -1)) | {0} == rows("group_name is null") | {0}
    assert rows("is_outlier") == set(np.flatnonzero(flags["is_outlier"])) | {0}
    assert rows("Map_X > 0") == set(np.flatnonzero(opened.parts.map.xy[:, 0] > 0)) | {0}
    with pytest.raises(UserError, match="group_name \\(text\\)"):
        rows("group_nam == 1")
    found = search_space(space.path, like=like, k=3, show=["group"])
    assert [hit.columns["group"] for hit in found] == [groups.labels[hit.row] for hit in found]
