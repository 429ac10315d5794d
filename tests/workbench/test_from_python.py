"""A notebook's objects, from a study of them to what its space answers."""

import re

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

import codomain
from codomain.core import Table, UserError
from codomain.encode import resolve
from codomain.search import Results
from codomain.space import Space
from codomain.workbench import Opened, Study, label_space, search_space

ENCODER = "static:wordllama"


@pytest.fixture(scope="module")
def frame(docstrings):
    """Rows with an index that is an id, and columns of several types."""
    rows = docstrings.slice(0, 160).select(["id", "package", "text"]).to_pandas()
    rows["length"] = rows["text"].str.len().astype("int32")
    rows["checked"] = pd.Timestamp("2024-05-01") + pd.to_timedelta(np.arange(len(rows)), unit="D")
    rows["half"] = np.where(np.arange(len(rows)) % 2, np.nan, 0.5).astype("float32")
    return rows.set_index("id")


@pytest.fixture(scope="module")
def done(frame, tmp_path_factory):
    target = tmp_path_factory.mktemp("python") / "mine.space"
    return codomain.study(frame, label="package", encoder=ENCODER, space=target)


def test_every_cell_of_a_data_frame_is_in_the_space_with_its_type(done, frame):
    back = done.space.rows().to_pandas().set_index("id")
    assert done.space.roles.id == "id" and done.space.roles.text == "text"
    pd.testing.assert_frame_equal(back, frame, check_freq=False)
    np.testing.assert_array_equal(done.space.vectors[:], resolve(ENCODER).encode(frame["text"].tolist()))


def test_the_same_rows_again_make_nothing_new(done, frame, capsys):
    before = done.space.generation
    again = codomain.study(frame, label="package", encoder=ENCODER, space=done.space.path)
    assert again.space.generation == before and "1/7" not in capsys.readouterr().err
    changed = frame.assign(length=0).astype({"length": "int32"})
    with pytest.raises(UserError, match="Study came"):
        codomain.read(done)
    copy = codomain.study(changed, label="package", encoder=ENCODER, space=done.space.path.parent / "other.space")
    assert copy.space.fingerprint != done.space.fingerprint


@pytest.fixture(scope="module")
def texts(docstrings):
    return docstrings["text"].to_pylist()[:24]


def as_dataset(texts):
    return datasets.Dataset.from_dict({"text": texts})


@pytest.mark.parametrize(
    "make",
    [
        list, pd.Series, pl.Series, lambda texts: pl.DataFrame({"text": texts}),
        lambda texts: pa.table({"text": texts}), as_dataset, lambda texts: [{"text": text} for text in texts],
    ],
    ids=["list", "Series", "polars.Series", "polars.DataFrame", "Table", "Dataset", "dicts"],
)  # fmt: skip
def test_each_kind_of_object_gives_a_space_of_its_texts(make, texts, tmp_path):
    space = codomain.study(make(texts), encoder=ENCODER, space=tmp_path / "s.space").space
    assert space.studied and space.columns == ("id", "text")
    assert space.rows()["text"].to_pylist() == texts


def test_an_array_with_rows_beside_it_and_rows_with_an_array_beside_them_are_the_same(texts, tmp_path):
    X = resolve(ENCODER).encode(texts)
    one = codomain.study(X, rows=texts, space=tmp_path / "one.space").space
    two = codomain.study(texts, vectors=X, space=tmp_path / "two.space").space
    assert one.fingerprint == two.fingerprint
    np.testing.assert_array_equal(one.vectors[:], X)
    alone = codomain.study(X, space=tmp_path / "alone.space")
    assert alone.space.columns == ("id",) and not alone.space.encoder.encodes
    assert alone.like(3, k=2)[0].id != 3
    with pytest.raises(UserError, match="Both vectors= and rows="):
        codomain.study(texts, vectors=X, rows=texts, space=tmp_path / "x.space")


def test_rows_of_no_file_need_a_name_and_a_space_is_no_rows(frame, done, tmp_path):
    with pytest.raises(UserError, match=r"The rows of a DataFrame come from no file[\s\S]*space='mine.space'"):
        codomain.study(frame)
    with pytest.raises(UserError, match="is a space already"):
        codomain.add(done, done.space)
    with pytest.raises(UserError, match="DataFrame is no space"):
        codomain.add(frame, frame)


def test_rows_are_added_once_and_a_second_call_says_so(texts, tmp_path, capsys):
    rows = pl.DataFrame({"text": texts})
    first = codomain.study(rows, encoder=ENCODER, space=tmp_path / "s.space")
    more = pd.DataFrame({"text": ["An itchy wool pullover.", "A soft cotton shirt."]})
    assert len(codomain.add(first, more).space) == 26
    assert len(codomain.add(first.space, more.copy()).space) == 26
    assert "The rows of this DataFrame are in" in capsys.readouterr().err
    space = codomain.add(str(first.space.path), ["A pair of woollen socks."]).space
    assert len(space) == 27 and space.rows(["id"])["id"].to_pylist() == list(range(27))
    assert [origin.name for origin in space.origins] == ["DataFrame", "DataFrame", "list"]
    assert space.search("itchy wool", k=1)[0].columns["text"] == "An itchy wool pullover."
    with pytest.raises(UserError, match="also holds rows that were added"):
        codomain.study(rows, encoder=ENCODER, space=first.space.path)


def test_vectors_are_added_with_their_rows(texts, tmp_path):
    X = resolve(ENCODER).encode(texts)
    first = codomain.study(X[:20], rows=texts[:20], space=tmp_path / "s.space")
    with pytest.raises(UserError, match="list holds no vectors"):
        codomain.add(first, texts[20:])
    for given in ({"source": X[20:22], "rows": texts[20:22]}, {"source": texts[22:], "vectors": X[22:]}):
        space = codomain.add(first, **given).space
    np.testing.assert_array_equal(space.vectors[:], X)
    assert space.rows()["text"].to_pylist() == texts


def test_a_study_and_an_opened_space_answer_the_same(done):
    opened = codomain.open(done.space.path)
    assert isinstance(opened, Opened) and isinstance(opened, Space) and isinstance(done, Study)
    expected = search_space(done.space.path, "read a file", k=4, show=["group_name"])
    for one in (done, opened):
        found = one.search("read a file", k=4, show="group_name")
        assert isinstance(found, Results) and found.to_records() == expected.to_records()
    assert codomain.study(opened).space.generation == opened.generation


def test_search_takes_conditions_modes_examples_and_vectors(done):
    space = done.space
    kinds = set(space.search("object", k=5, where="package == 'asyncio'").to_pandas()["package"])
    assert kinds == {"asyncio"}
    words = space.search("file", mode="words", k=3)
    assert len(words) and all("file" in hit.columns["text"].lower() for hit in words)
    row = space.ids[7].as_py()
    assert [hit.id for hit in space.like(row, k=5)] == [hit.id for hit in space.search(like=[row], k=5)]
    assert row not in {hit.id for hit in space.like(row, k=5)}
    assert space.search(space.vectors[7], k=1)[0].id == row


def test_hits_are_tables_with_the_types_of_the_space(done):
    found = done.search("read a file", k=5, show="group")
    table, frame, polars = found.to_arrow(), found.to_pandas(), found.to_polars()
    stored = done.space.take([0]).schema
    for name in done.space.columns:
        assert table.schema.field(name).type == stored.field(name).type, name
    rows = [hit.row for hit in found]
    assert table["row"].to_pylist() == frame["row"].tolist() == polars["row"].to_list() == rows
    assert table.select(done.space.columns).equals(done.space.take(rows).select(done.space.columns))
    assert frame["score"].tolist() == [hit.score for hit in found]
    assert polars["group"].to_list() == [int(done.space.parts.groups.labels[row]) for row in rows]
    nothing = done.search("read a file", where="length < 0").to_pandas()
    assert len(nothing) == 0 and list(nothing.columns[:3]) == ["id", "row", "score"]


def test_a_column_that_is_named_like_a_score_keeps_its_name(texts, tmp_path):
    rows = pd.DataFrame({"text": texts, "score": np.arange(len(texts))})
    found = codomain.study(rows, encoder=ENCODER, space=tmp_path / "s.space").search("file", k=2).to_pandas()
    assert found["score"].tolist() == found["row"].tolist()
    assert found["codomain_score"].dtype == float


def test_groups_are_a_table(done):
    part, groups = done.space.parts.groups, done.groups
    frame = groups.to_pandas()
    assert isinstance(groups, Table) and len(groups) == len(part.groups) == len(frame)
    assert list(frame.columns) == ["group", "name", "size", "words", "stability"]
    labels = np.asarray(part.labels)
    assert frame["size"].tolist() == [int(np.sum(labels == number)) for number in frame["group"]]
    assert groups[0]["name"] == part.names[0] and groups.to_polars()["name"].to_list() == part.names
    assert part.names[0] in repr(groups)


def test_the_audit_is_a_table_of_rows_by_their_ids(texts, tmp_path):
    rows = pd.DataFrame({"text": [*texts, texts[5]], "key": [f"k{number}" for number in range(25)]}).set_index("key")
    done = codomain.study(rows, encoder=ENCODER, space=tmp_path / "s.space")
    copies = done.audit.to_pandas().query("check == 'duplicate'")
    assert copies[["row", "id", "other"]].to_numpy().tolist() == [[24, "k24", "k5"]]
    assert any("1 row" in note for note in done.audit.notes)


def test_labels_are_those_of_the_column_until_some_are_predicted(frame, done, tmp_path):
    assert done.labels.to_pandas()["package"].tolist() == frame["package"].tolist()
    bare = codomain.study(frame[["text"]], encoder=ENCODER, space=tmp_path / "s.space")
    with pytest.raises(UserError, match=r"has no labels[\s\S]*codomain label"):
        bare.labels  # noqa: B018
    top = frame["package"].value_counts().index[:2]
    some = frame[frame["package"].isin(top)]
    given = tmp_path / "given.csv"
    some.reset_index()[["id", "package"]].to_csv(given, index=False)
    label_space(bare.space.path, labels=given, column="package")
    labels = codomain.open(bare.space.path).labels.to_pandas()
    assert set(labels["label"]) == set(top) and len(labels) == len(frame)
    named = dict(zip(labels["id"], labels["label"], strict=True))
    assert [named[id] for id in some.index] == some["package"].tolist()


def test_spaces_are_compared(done):
    assert done.compare(done.space.vectors[:]).verdict == done.compare(done.space).verdict
    assert done.space.compare(done).verdict == done.compare(str(done.space.path)).verdict
    turned = np.linalg.qr(np.random.default_rng(0).standard_normal((256, 256)))[0]
    assert "rotation" in done.compare(done.space.vectors[:] @ turned).verdict


def test_a_notebook_shows_the_first_screen_and_the_map_without_scripts(done, frame):
    page = done._repr_html_()
    assert page.startswith(done.space._repr_html_()) and str(done.report) in page
    assert "<script" not in page and "href='http" not in page and "onload" not in page
    dots = re.findall(r"M-?\d+ -?\d+h0", page)
    assert len(dots) == len(frame)
    for name in done.space.parts.groups.names[:3]:
        assert name.replace("&", "&amp;") in page
    for shown in (done.search("file"), done.groups, done.audit, done.labels):
        assert "<table>" in shown._repr_html_() and "<script" not in shown._repr_html_()


def test_what_a_stranger_wrote_into_a_name_is_shown_and_not_run(texts, tmp_path):
    bad = "<img src=x onerror=alert(1)>"
    rows = pd.DataFrame({"text": [f"{bad} {text}" for text in texts], bad: range(len(texts))})
    done = codomain.study(rows, encoder=ENCODER, space=tmp_path / "s.space")
    for shown in (done, done.groups, done.audit, done.search("img")):
        assert "<img" not in shown._repr_html_()


def test_a_space_without_a_study_shows_what_it_is(tmp_path):
    codomain.write(tmp_path / "s.space", ["one", "two"], np.eye(2))
    space = codomain.open(tmp_path / "s.space")
    assert "2 x 2" in space._repr_html_() and "not finished" in space._repr_html_()
    with pytest.raises(UserError, match="codomain study"):
        space.groups  # noqa: B018


def test_changes_of_an_opened_space_give_opened_spaces(texts, tmp_path):
    path = codomain.study(texts, encoder=ENCODER, space=tmp_path / "s.space").space.path
    before = codomain.open(path)
    after = before.put("health", {"health.json": {"measures": []}}, made_from="x")
    assert isinstance(after, Opened) and isinstance(after.rollback(before.generation), Opened)
    assert isinstance(before.search("file").rows, pa.Table)


def test_a_file_is_studied_as_before(frame, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parquet.write_table(pa.Table.from_pandas(frame.reset_index()), "mine.parquet")
    space = codomain.study("mine.parquet", label="package", encoder=ENCODER).space
    assert space.path.name == "mine.space" and space.origins[0].name == "mine.parquet"
