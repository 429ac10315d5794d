"""What the server answers is what the package finds, in every form."""

import io
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

import codomain
from codomain.workbench import search_space
from served import connect

pytest.importorskip("fastapi")

ADDRESSES = (
    "/", "/docs/", "/docs/search?q=read", "/docs/groups", "/docs/groups/0", "/docs/labels/class",
    "/docs/flags/outlier", "/docs/dates/day", "/docs/notes", "/beside?spaces=docs,other&q=read",
)  # fmt: skip


@pytest.mark.parametrize("asked", [
    {"q": "read a file"}, {"q": "read a file", "mode": "words"}, {"q": "a socket", "mode": "meaning", "k": 3},
    {"q": "read", "where": "kind == 'class'"}, {"like": "row 5", "k": 4}, {"like": "row 5", "unlike": "row 9"},
])  # fmt: skip
def test_a_search_finds_what_the_command_finds(client, studied, asked):
    ids = codomain.open(studied).ids.to_pylist()
    asked = {key: ids[int(value[4:])] if str(value).startswith("row ") else value for key, value in asked.items()}
    answer = client.get("/docs/search", params=asked)
    known = {key: [value] if key in ("like", "unlike") else value for key, value in asked.items() if key != "q"}
    expected = search_space(studied, asked.get("q"), **known)
    assert answer.status_code == 200
    hits = answer.json()["hits"]
    assert [hit["id"] for hit in hits] == [hit.id for hit in expected]
    assert [hit["score"] for hit in hits] == pytest.approx([hit.score for hit in expected])
    assert answer.json()["nothing_close"] == expected.nothing_close
    assert [hit["columns"]["module"] for hit in hits] == [hit.columns["module"] for hit in expected]


def test_show_chooses_columns_also_of_those_that_the_study_found(client):
    hit = client.get("/docs/search", params={"q": "read", "k": 1, "show": ["kind", "map_x"]}).json()["hits"][0]
    assert sorted(hit["columns"]) == ["kind", "map_x"]


def test_a_row_has_its_neighbours_with_the_words_that_both_say(client, studied):
    space = codomain.open(studied)
    row = client.get(f"/docs/rows/{space.ids[7].as_py()}").json()
    lists = space.parts.neighbors
    assert [one["row"] for one in row["neighbors"]] == np.asarray(lists.indices[7]).tolist()
    assert [one["score"] for one in row["neighbors"]] == pytest.approx(np.asarray(lists.scores[7]).tolist())
    assert row["text"] == space.take([7], ["text"])["text"][0].as_py()
    assert (row["map"]["x"], row["map"]["y"]) == pytest.approx(tuple(space.parts.map.xy[7].tolist()))
    texts = space.rows(["text"])["text"].to_pylist()
    for one in row["neighbors"]:
        for word in one["why"]:
            assert word in texts[7].lower() and word in texts[one["row"]].lower()
    assert any(one["why"] for one in row["neighbors"])


def test_the_pages_of_all_groups_hold_every_row_once(client, studied):
    rows = []
    numbers = [one["id"] for one in client.get("/docs/groups").json()["groups"]]
    for number in [*numbers, -1]:
        page, pages = 1, 1
        while page <= pages:
            answer = client.get(f"/docs/groups/{number}", params={"page": page}).json()
            rows += [row["row"] for row in answer["rows"]]
            page, pages = page + 1, answer["pages"]
    assert sorted(rows) == list(range(len(codomain.open(studied))))


def test_a_label_and_a_flag_list_the_rows_that_have_them(client, studied):
    space = codomain.open(studied)
    kinds = space.rows(["kind"])["kind"].to_pylist()
    answer = client.get("/docs/labels/class").json()
    assert answer["count"] == kinds.count("class")
    assert {kinds[row["row"]] for row in answer["rows"]} == {"class"}
    for check in space.parts.audit.checks:
        assert client.get(f"/docs/flags/{check['kind']}").json()["count"] == check["count"]


def test_both_spaces_answer_and_the_same_ids_are_marked(client):
    answer = client.get("/beside", params={"spaces": "docs,other", "q": "read a file", "k": 5}).json()
    one, other = answer["spaces"]
    assert answer["both"] == [hit["id"] for hit in one["hits"]] == [hit["id"] for hit in other["hits"]]
    assert all(hit["also_in"] == ["other"] for hit in one["hits"])
    assert "also in other" in client.get("/beside?spaces=docs,other&q=read&format=html").text


def test_the_table_is_the_export_and_rows_of_it_can_be_chosen(client, studied, tmp_path):
    codomain.workbench.export_space(codomain.open(studied), tmp_path / "whole.parquet")
    whole = pq.read_table(tmp_path / "whole.parquet")
    assert pq.read_table(io.BytesIO(client.get("/docs/rows.parquet").content)).equals(whole)
    some = csv.read_csv(io.BytesIO(client.get("/docs/rows.csv?rows=7,1-3").content))
    assert some["id"].to_pylist() == whole["id"].take([1, 2, 3, 7]).to_pylist()
    classes = client.get("/docs/rows.parquet", params={"where": "kind == 'class' and group >= 0"})
    expected = whole.filter((pa.compute.field("kind") == "class") & (pa.compute.field("group") >= 0))
    assert pq.read_table(io.BytesIO(classes.content)).equals(expected)


@pytest.mark.parametrize(("address", "status", "words"), [
    ("/nowhere/", 404, "no space"), ("/docs/rows/nothing", 404, "has the id"), ("/docs/groups/999", 404, "no group"),
    ("/docs/labels/nothing", 404, "label"), ("/docs/flags/nothing", 404, "no flag"),
    ("/docs/dates/nothing", 404, "no column"), ("/docs/dates/module", 422, "not a date"),
    ("/docs/search?q=x&where=nothing+%3D%3D+1", 422, "no column"), ("/docs/search", 422, "nothing to look for"),
    ("/docs/search?q=x&k=0", 422, "k"), ("/docs/search?q=x&k=100000", 422, "k"), 
    ("/docs/groups/0?page=99", 404, "page"),
    ("/docs/search?q=x&mode=magic", 422, "mode"), ("/docs/search?q=x&show=nothing", 422, "no column"),
    ("/docs/search?like=nothing", 404, "has the id"), ("/docs/rows.csv?rows=1-", 422, "row number"),
    ("/docs/rows.csv?rows=99999", 422, "not among"), ("/docs/groups?format=atom", 422, "format"),
    ("/beside?spaces=docs&q=x", 422, "several"), ("/docs/nothing/here", 404, "Not Found"),
    ("/docs/search?q=" + "a" * 10_001, 422, "10000"),
])  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_words(client, address, status, words):
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "needed", "todo"}
    assert words in answer.json()["error"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_answers_as_page_as_json_and_as_markdown(client, address):
    for accept in ("text/html", "application/json", "text/markdown"):
        answer = client.get(address, headers={"accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(accept)
        assert answer.headers["vary"] == "Accept"
        assert len(answer.content) > 10


def test_what_no_form_fits_is_406_and_an_error_too_comes_in_the_form_that_is_wanted(client):
    answer = client.get("/docs/groups", headers={"accept": "image/png"})
    assert answer.status_code == 406 and "text/markdown" in answer.json()["needed"]
    page = client.get("/docs/rows/nothing", headers={"accept": "text/html"})
    assert page.status_code == 404 and "<h1" in page.text
    assert client.get("/docs/rows/nothing?format=md").text.startswith("# ")


def test_without_its_encoder_a_space_is_searched_by_words_and_says_so(client, monkeypatch):
    def refuse(space):
        raise codomain.core.UserError("This needs the module 'x'.", todo="pip install 'codomain[text]'")

    monkeypatch.setattr("codomain.serve.spaces.encoder_of", refuse)
    answer = client.get("/docs/search?q=read+a+file").json()
    assert answer["mode"] == "words" and len(answer["hits"]) == 10
    assert "codomain[text]" in answer["notes"][0]
    assert client.get("/docs/search?q=read&mode=meaning").status_code == 422


def test_the_page_is_the_report_and_knows_its_server(client):
    page = client.get("/docs/", headers={"accept": "text/html"})
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    assert re.search(r"<h1[^>]*>docs</h1>", page.text)
    import base64
    import gzip
    import json

    head = re.search(r'id="b-head" data-kind="json">([^<]*)<', page.text)
    packed = json.loads(gzip.decompress(base64.b64decode(head[1])))
    assert packed["server"] == {"space": "docs", "spaces": ["docs", "other"], "notes": True, "encodes": True}


def test_a_name_that_two_folders_have_is_numbered_and_one_of_the_servers_own_is_changed(tmp_path):
    from codomain.serve.spaces import name_spaces

    paths = [tmp_path / "a/x y.space", tmp_path / "b/x y.space", tmp_path / "beside.space", tmp_path / "ünd.space"]
    assert list(name_spaces(paths)) == ["x-y", "x-y-2", "beside-space", "ünd"]


def test_where_one_space_is_served_a_person_comes_to_its_page_at_once(client, studied):
    one = connect([studied])
    answer = one.get("/", headers={"accept": "text/html"})
    assert answer.status_code == 307 and answer.headers["location"] == "/docs/"
    assert [line["space"] for line in one.get("/").json()["spaces"]] == ["docs"]
    assert "other" in client.get("/", headers={"accept": "text/html"}).text
