"""Columns that are named like vectors: read in every form that programs write, and never taken for the text."""

import struct
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from codomain.core import UserError
from codomain.space import read

N, D = 30, 12
X = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
TEXTS = [f"some words about number {n}" for n in range(N)]


def torch_print(row):
    torch = pytest.importorskip("torch")
    return str(torch.tensor(row))


PRINTS = {
    "numpy": str,
    "numpy repr": repr,
    "numpy repr of 64 bits": lambda row: repr(row.astype(np.float64)),
    "torch": torch_print,
    "torch on a device": lambda row: f"tensor({row.tolist()},\n       device='cuda:0', dtype=torch.float16)",
    "torch with gradient": lambda row: f"tensor({row.tolist()}, grad_fn=<SelectBackward0>)",
    "json": lambda row: str(row.tolist()),
    "nested json": lambda row: str([row.tolist()]),
    "tuple": lambda row: str(tuple(row.tolist())),
    "postgres": lambda row: "{" + ",".join(map(repr, row.tolist())) + "}",
    "commas": lambda row: ",".join(map(repr, row.tolist())),
    "semicolons": lambda row: ";".join(map(repr, row.tolist())),
    "spaces": lambda row: " ".join(map(repr, row.tolist())),
    "exponents": lambda row: " ".join(f"{value:.17e}" for value in row),
}


@pytest.mark.parametrize("how", PRINTS)
@pytest.mark.parametrize("name", ["embedding", "vectors", "text_embedding"])
def test_vectors_printed_into_csv_are_read(tmp_path, how, name):
    table = pa.table({"text": TEXTS, name: [PRINTS[how](row) for row in X]})
    pa_csv.write_csv(table, tmp_path / "a.csv")
    source = read(tmp_path / "a.csv")
    np.testing.assert_allclose(source.vectors, X, rtol=1e-4, atol=1e-4 if how == "torch" else 1e-7)
    assert source.rows.column_names == ["text"] and source.roles.text == "text"


def columns():
    exact = [[Decimal(str(float(value))).quantize(Decimal("1e-9")) for value in row] for row in X]
    yield "nested", pa.array([[row] for row in X.tolist()], pa.list_(pa.list_(pa.float32()))), 0
    yield "fixed nested", pa.array([[row] for row in X.tolist()], pa.list_(pa.list_(pa.float32(), D), 1)), 0
    yield "large", pa.array(X.tolist(), pa.large_list(pa.float64())), 0
    yield "view", pa.array(X.tolist(), pa.list_view(pa.float32())), 0
    yield "half", pa.array([list(row) for row in X.astype(np.float16)], pa.list_(pa.float16())), 1e-3
    yield "fixed half", pa.array([list(row) for row in X.astype(np.float16)], pa.list_(pa.float16(), D)), 1e-3
    yield "decimals", pa.array(exact, pa.list_(pa.decimal128(20, 9))), 1e-6
    yield "words", pa.array([list(map(repr, row)) for row in X.tolist()], pa.list_(pa.string())), 0
    yield "struct", pa.array([{f"d{at}": value for at, value in enumerate(row)} for row in X.tolist()]), 0
    yield "float32", pa.array([row.tobytes() for row in X], pa.binary()), 0
    yield "fixed float32", pa.array([row.tobytes() for row in X], pa.binary(4 * D)), 0
    yield "float64", pa.array([struct.pack(f"<{D}d", *row) for row in X], pa.large_binary()), 0
    yield "float16", pa.array([row.astype("<f2").tobytes() for row in X], pa.binary()), 1e-3


@pytest.mark.parametrize(("column", "tolerance"), [pytest.param(c, t, id=name) for name, c, t in columns()])
def test_vectors_in_cells_of_other_types_are_read(column, tolerance):
    source = read(pa.table({"text": TEXTS, "embedding": column}))
    np.testing.assert_allclose(source.vectors, X, rtol=tolerance, atol=tolerance)
    assert source.rows.column_names == ["text"]


def test_bytes_say_as_what_they_were_read():
    source = read(pa.table({"text": TEXTS, "embedding": [row.tobytes() for row in X]}))
    assert any("its cells are bytes, read as float32" in line for line in source.guesses)


UNREAD = {
    "base64": ([f"AACAPwAAAEA{n:04d}AAA=" for n in range(N)], "is no list of numbers"),
    "cut print": ([f"[0.1 0.2 0.{n}1 ... 0.8 0.9 1.0]" for n in range(N)], "leaves numbers out (...)"),
    "decimal commas": ([f"0,1; 0,2; 0,{n}" for n in range(N)], "is no list of numbers"),
    "names": ([f"text embedding model number {n}" for n in range(N)], "is no list of numbers"),
    "several": (pa.array([[[1.0, 2.0], [3.0, 4.0]]] * N), "row 0 holds 2 lists, where one vector a row is needed"),
    "mixed struct": (pa.array([{"model": "a", "values": [1.0]}] * N), "each field would have to be a number"),
    "map": (pa.array([[("a", 1.0)]] * N, pa.map_(pa.string(), pa.float64())), "lists of numbers are needed"),
    "pickles": ([b"\x80\x04\x95" + bytes([n]) * 9 for n in range(N)], "its cells are bytes (80 04 95"),
    "lists of words": (pa.array([["a", "b"]] * N), "not all are numbers"),
}


@pytest.mark.parametrize("how", UNREAD)
def test_what_cannot_be_read_as_vectors_is_named_and_is_not_the_text(how):
    column, why = UNREAD[how]
    source = read(pa.table({"embedding": column, "text": ["short"] * N}), text=None)
    assert source.vectors is None and source.roles.text == "text" and "embedding" in source.rows.column_names
    assert any("'embedding' is named like vectors and cannot be read" in g and why in g for g in source.guesses)
    with pytest.raises(UserError) as error:
        read(pa.table({"embedding": column, "n": range(N)}))
    assert "no column that looks like text, and no vectors" in str(error.value) and why in str(error.value)


def test_printed_vectors_are_not_the_text_when_the_vectors_come_from_a_file(tmp_path):
    np.save(tmp_path / "X.npy", X)
    table = pa.table({"embedding": [str(row) for row in X], "body": ["short one"] * N})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", vectors=tmp_path / "X.npy").roles.text == "body"


def test_numbers_in_fixed_notation_in_columns_of_a_csv_are_vectors(tmp_path):
    lines = [",".join(f"{value:.6f}" for value in row) + f",{text}" for row, text in zip(X, TEXTS, strict=True)]
    (tmp_path / "a.csv").write_text(",".join(f"emb_{n}" for n in range(D)) + ",text\n" + "\n".join(lines))
    np.testing.assert_allclose(read(tmp_path / "a.csv").vectors, X, atol=1e-6)


def test_a_column_of_a_vector_model_name_is_an_ordinary_column():
    source = read(pa.table({"text": TEXTS, "embedding_model": ["small"] * N, "n_vectors": range(N)}))
    assert not any("named like vectors" in line for line in source.guesses)
