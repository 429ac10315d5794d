"""Rows that a program holds are read as those of a file are, cell by cell and type by type."""

import datetime
import decimal
import uuid

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

import codomain.space
from codomain.core import UserError
from codomain.space import Origin, hold, read

DAYS = [datetime.date(2024, 1, 31), None, datetime.date(1999, 12, 31)]
CELLS = {
    "text": ["a short one", "no\nsecond", "Čtvrtý 𝔄"],
    "note": [None, "", "x"],
    "whole": [1, -(2**62), 3],
    "some": [1, None, 3],
    "share": [0.1, None, -2.5e300],
    "yes": [True, False, None],
    "day": DAYS,
    "when": [datetime.datetime(2024, 1, 1, 12, 0, 0, 250_000), None, datetime.datetime(1970, 1, 1)],
    "price": [decimal.Decimal("1.10"), decimal.Decimal("2.00"), None],
    "raw": [b"\x00\xff", None, b""],
    "tags": [["a", "b"], [], None],
}  # fmt: skip
TYPES = {
    "whole": pa.int64(), "some": pa.int64(), "share": pa.float64(), "yes": pa.bool_(), "day": pa.date32(),
    "when": pa.timestamp("us"), "raw": pa.large_binary(),
}  # fmt: skip


def pandas_frame():
    return pd.DataFrame({
        **CELLS,
        "some": pd.array(CELLS["some"], dtype="Int64"),
        "yes": pd.array(CELLS["yes"], dtype="boolean"),
        "when": pd.array(CELLS["when"], dtype="datetime64[us]"),
    })  # fmt: skip


def polars_frame():
    return pl.DataFrame(CELLS)


def arrow_table():
    return pa.table({
        name: pa.array(values, TYPES.get(name)) for name, values in CELLS.items()
    })  # fmt: skip


def dataset():
    return datasets.Dataset(arrow_table())


@pytest.mark.parametrize("make", [pandas_frame, polars_frame, arrow_table, dataset])
def test_every_cell_and_its_type_survive(make):
    table = read(make(), id="").rows
    assert table.column_names == list(CELLS)
    for name, values in CELLS.items():
        assert table[name].to_pylist() == values, name
        kind = table.schema.field(name).type
        if name == "raw":
            assert pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        elif name in TYPES:
            assert kind == TYPES[name], name
    assert pa.types.is_decimal(table.schema.field("price").type)
    assert pa.types.is_large_string(table.schema.field("text").type) or make in (arrow_table, dataset)


def test_what_pandas_alone_has_survives():
    frame = pd.DataFrame({
        "kind": pd.Categorical(["b", "a", "b"]),
        "at": pd.to_datetime(["2024-03-31 01:30", "2024-03-31 03:30", None]).tz_localize("Europe/Rome"),
        "took": pd.to_timedelta([1, None, 3], unit="s"),
        "small": np.array([1, 2, 255], np.uint8),
        "half": np.array([0.5, np.nan, 2], np.float32),
        "arrow": pd.array(["x", None, "z"], dtype=pd.ArrowDtype(pa.string())),
    })  # fmt: skip
    table = read(frame.assign(text="some words here"), id="").rows
    assert table["kind"].to_pylist() == ["b", "a", "b"]
    assert str(table.schema.field("at").type).endswith("tz=Europe/Rome]")
    assert [None if at is None else at.isoformat() for at in table["at"].to_pylist()] == [
        "2024-03-31T01:30:00+01:00", "2024-03-31T03:30:00+02:00", None,
    ]  # fmt: skip
    assert table["took"].to_pylist() == [datetime.timedelta(seconds=1), None, datetime.timedelta(seconds=3)]
    assert table.schema.field("small").type == pa.uint8() and table["small"].to_pylist() == [1, 2, 255]
    assert table.schema.field("half").type == pa.float32() and table["half"].to_pylist() == [0.5, None, 2]
    assert table["arrow"].to_pylist() == ["x", None, "z"]


def test_a_categorical_and_a_vector_column_of_polars_are_read():
    frame = pl.DataFrame({
        "text": ["one two", "three four", "five six"],
        "kind": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
        "embedding": pl.Series([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=pl.Array(pl.Float32, 2)),
    })  # fmt: skip
    found = read(frame)
    assert found.rows["kind"].to_pylist() == ["x", "y", "x"]
    assert found.rows.column_names == ["text", "kind"]
    np.testing.assert_array_equal(found.vectors, [[1, 2], [3, 4], [5, 6]])


def test_an_index_that_says_something_is_the_first_column_and_the_usual_one_is_dropped():
    frame = pd.DataFrame({"text": ["one two", "three four", "five six"], "n": [1, 2, 3]})
    assert read(frame).rows.column_names == ["text", "n"]
    named = read(frame.set_index(pd.Index(["p", "q", "r"], name="key")))
    assert named.rows.column_names == ["key", "text", "n"] and named.roles.id == "key"
    assert named.rows["key"].to_pylist() == ["p", "q", "r"]
    some = read(frame[frame.n != 2])
    assert some.rows["index"].to_pylist() == [0, 2] and some.roles.id == "index"
    assert read(frame.iloc[::2]).rows["index"].to_pylist() == [0, 2]
    assert read(frame.rename_axis("row")).rows["row"].to_pylist() == [0, 1, 2]
    assert read(frame.set_index(pd.Index([7, 8, 9])).assign(index="x")).rows.column_names[0] == "row_index"


def test_a_data_set_is_read_as_it_is_after_select_and_its_classes_by_name():
    features = datasets.Features({
        "text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"]),
    })  # fmt: skip
    whole = datasets.Dataset.from_dict({"text": ["a b", "c d", "e f"], "label": [0, 1, 1]}, features=features)
    table = hold(whole.select([2, 0]).with_format("numpy")).table
    assert table.to_pydict() == {"text": ["e f", "a b"], "label": ["pos", "neg"]}
    assert hold(whole["text"]).table.to_pydict() == {"text": ["a b", "c d", "e f"]}


@pytest.mark.parametrize(
    "texts",
    [
        ["one two", None, "three"], pd.Series(["one two", None, "three"]), pl.Series(["one two", None, "three"]),
        pa.array(["one two", None, "three"]), pa.chunked_array([["one two", None], ["three"]]),
        pd.Series(["one two", None, "three"], name="text"),
    ],
)  # fmt: skip
def test_texts_are_rows_of_one_column_and_those_without_one_are_left_out_as_in_a_file(texts):
    assert hold(texts).table.to_pydict() == {"text": ["one two", None, "three"]}
    with pytest.raises(UserError, match="row 1: no text in 'text', and that is 33% of all rows"):
        read(texts)
    found = read(texts, drop_empty=True)
    assert found.rows["text"].to_pylist() == ["one two", "three"]


def test_other_holders_of_arrow_are_read():
    batch = pa.RecordBatch.from_pydict({"n": [1, 2]})
    reader = pa.RecordBatchReader.from_batches(batch.schema, [batch, batch])
    assert hold(batch).table.to_pydict() == {"n": [1, 2]}
    assert hold(reader).table.to_pydict() == {"n": [1, 2, 1, 2]}


@pytest.mark.parametrize(
    "X",
    [
        np.arange(6).reshape(3, 2), np.arange(6, dtype=np.float16).reshape(3, 2), [[0, 1], [2, 3], [4, 5]],
        [np.array([0, 1]), np.array([2, 3]), np.array([4, 5])], np.arange(12).reshape(3, 4)[:, :2] % 7,
    ],
)  # fmt: skip
def test_vectors_come_alone_or_with_rows_beside_them(X):
    alone = read(np.asarray(X) + 1)
    np.testing.assert_array_equal(alone.vectors, np.asarray(X) + 1)
    assert alone.rows.num_columns == 0 and len(alone) == 3
    X = [[value + 1 for value in row] for row in X] if isinstance(X, list) else X + 1
    for rows in (["p q", "r s", "t u"], pd.DataFrame({"text": ["p q", "r s", "t u"]})):
        for found in (read(X, rows=rows), read(rows, vectors=X)):
            assert found.rows["text"].to_pylist() == ["p q", "r s", "t u"]
            np.testing.assert_array_equal(found.vectors, X)


def test_tensors_are_vectors_also_in_half_precision():
    torch = pytest.importorskip("torch")
    for kind in (torch.float32, torch.bfloat16):
        np.testing.assert_array_equal(hold(torch.ones(3, 2, dtype=kind, requires_grad=True)).vectors, np.ones((3, 2)))


PICTURES = datasets.Features({"t": datasets.Value("string"), "shots": datasets.List(datasets.Image())})
ONE = pd.DataFrame({"text": ["a b"], "n": [1]})
BAD_TABLES = {
    "two columns of one name": (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        r"Two columns of this DataFrame are called 'a'\.[\s\S]*duplicated",
    ),
    "names that differ by type": (pd.DataFrame([[1, 2]], columns=[1, "1"]), "called '1'"),
    "levels of columns": (
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
        r"have 2 levels, such as \('a', 'b'\)",
    ),
    "levels of rows": (ONE.set_index(["text", "n"]), r"2 levels \('text', 'n'\)[\s\S]*reset_index"),
    "an index named as a column": (ONE.set_index("n", drop=False), "called 'n' .one of them is the index"),
    "mixed types": (
        pd.DataFrame({"ok": ["x"] * 4, "m": ["x", 1, None, 2.5]}),
        r"kept: 'm' holds str \('x' in row 0\), int \(1 in row 1\), float \(2.5 in row 3\)",
    ),
    "texts and bytes": (pd.DataFrame({"m": ["x", b"y"]}), r"str \('x' in row 0\), bytes \(b'y' in row 1\)"),
    "sets": (pd.DataFrame({"m": [{1}, {2}]}), r"'m' holds set \(\{1\} in row 0\)"),
    "objects": (pd.DataFrame({"m": [uuid.UUID(int=1)]}), r"UUID \(UUID\('0{8}-"),
    "complex numbers": (pd.DataFrame({"m": [1 + 2j]}), r"'m' of complex128, such as .*1\+2j"),
    "periods": (pd.DataFrame({"m": pd.period_range("2020-01-01", periods=2)}), "period.D., such as Period"),
    "intervals": (pd.DataFrame({"m": pd.interval_range(0, 2)}), "'m' of type interval"),
    "objects of polars": (pl.DataFrame({"m": [uuid.UUID(int=1), object()]}), "'m' holds UUID"),
    "a lazy frame": (pl.DataFrame({"m": ["a"]}).lazy(), "holds no rows yet[\\s\\S]*collect"),
    "pictures": (datasets.Dataset.from_dict({"t": [], "shots": []}, features=PICTURES), "'shots' of this Dataset hold"),
    "a stream": (datasets.Dataset.from_dict({"t": ["a"]}).to_iterable_dataset(), "streaming data set"),
    "splits": (datasets.DatasetDict({"train": datasets.Dataset.from_dict({"t": ["a"]})}), r"dataset\['train'\]"),
    "a text among numbers": (["a b", 3], "Item 1 of this list is of type int: 3"),
    "a row among texts": ([{"a": 1}, None], "Item 1 of this list is of type NoneType"),
    "a number": (5, "int came"),
    "nothing": ([], "list came"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "words"), BAD_TABLES.values(), ids=list(BAD_TABLES))
def test_rows_that_cannot_be_read_are_refused_with_what_to_do(rows, words):
    with pytest.raises(UserError, match=words) as caught:
        hold(rows)
    assert caught.value.needed


BAD_ARRAYS = {
    "strings": (np.array(["a", "b"]), r"<U1[\s\S]*X.tolist\(\)"),
    "bytes": (np.array([b"a", b"b"]), r"astype\(str\)"),
    "objects": (np.array([[1.0], None], dtype=object), r"of object[\s\S]*np.stack"),
    "complex numbers": (np.ones((3, 2), complex), r"complex128[\s\S]*X.real"),
    "truth values": (np.ones((3, 2), bool), r"bool[\s\S]*astype"),
    "records": (np.zeros(2, [("a", int)]), "pandas.DataFrame"),
    "one dimension": (np.ones(4), r"shape \(4,\)[\s\S]*X\[:, None\]"),
    "three dimensions": (np.ones((2, 3, 4)), r"reshape"),
    "numbers": ([1, 2, 3], r"shape \(3,\)"),
    "lists of many lengths": ([[1, 2], [3]], "another length"),
    "a mask": (np.ma.masked_equal(np.ones((2, 2)), 1), "masked array"),
    "a sparse matrix": (scipy.sparse.csr_array(np.eye(3)), "toarray"),
}  # fmt: skip


@pytest.mark.parametrize(("X", "words"), BAD_ARRAYS.values(), ids=list(BAD_ARRAYS))
def test_arrays_that_are_no_vectors_are_refused_with_what_to_do(X, words):
    with pytest.raises(UserError, match=words):
        hold(X)
    with pytest.raises(UserError, match=words):
        read(["a b", "c d"], vectors=X)


def test_what_is_wrong_with_values_is_said_with_rows():
    with pytest.raises(UserError, match="row 1: the vector has NaN"):
        read(np.array([[1.0, 2.0], [np.nan, 1.0]]))
    with pytest.raises(UserError, match="there are 3 vectors and 2 rows"):
        read(np.ones((3, 2)), rows=["a b", "c d"])
    with pytest.raises(UserError, match="rows= came beside a DataFrame"):
        hold(ONE, rows=ONE)
    with pytest.raises(UserError, match="is a path"):
        hold(np.ones((2, 2)), rows="rows.csv")
    with pytest.raises(UserError, match="rows= came beside the file"):
        read("x.npy", rows=ONE)


def origin(source, **also):
    held = hold(source, **also)
    return Origin.of_rows(held.name, codomain.space.as_table(held.table, held.table.num_rows), held.vectors).sha256


def test_the_hash_of_rows_is_that_of_their_values_and_types():
    frame = pd.DataFrame({"text": ["a b", None, "c d"], "n": [1, 2, 3]})
    same = origin(frame)
    assert same == origin(frame.copy()) == origin(pl.from_pandas(frame))
    assert same == origin(pa.concat_tables([pa.Table.from_pandas(frame[:1]), pa.Table.from_pandas(frame[1:])]))
    halves = pa.table({"text": pa.chunked_array([["x", "a b"], [None, "c d"]], pa.large_string()), "n": [0, 1, 2, 3]})
    assert same == origin(halves.slice(1))
    others = (
        frame.assign(n=[1, 2, 4]), frame.assign(n=[1.0, 2.0, 3.0]), frame[::-1], frame.rename(columns={"n": "m"}),
        frame[["n", "text"]], frame.fillna({"text": ""}), frame[:2],
    )  # fmt: skip
    assert len({same, *map(origin, others)}) == 1 + len(others)
    X = np.arange(6.0).reshape(3, 2)
    assert origin(X) == origin(X.astype(np.float32)) == origin(np.asfortranarray(X)) == origin(X.tolist())
    assert len({origin(X), origin(X, rows=frame), origin(X + 1), origin(X.reshape(2, 3)), same}) == 5
