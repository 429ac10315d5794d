"""Reading: every format against the library that wrote it, and every problem named."""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

import codomain
from codomain.core import UserError
from codomain.space import Roles, read

N = 40
WORDS = ["heat", "flow", "graph", "lattice", "kernel", "proof", "signal", "noise"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    body = [" ".join(rng.choice(WORDS, 12)) + f" {n}" for n in range(N)]
    return {"id": [f"a{n}" for n in range(N)], "body": body, "year": list(range(N)), "section": ["x", "y"] * (N // 2)}


@pytest.fixture
def X():
    return np.random.default_rng(1).normal(size=(N, 12)).astype(np.float32)


FORMATS = ["csv", "tsv", "csv.gz", "bom.csv", "semicolon.csv", "parquet", "jsonl", "json", "columns.json", "arrow",
           "stream.arrow", "feather"]  # fmt: skip


def save(path, table, kind):
    frame, arrow = pd.DataFrame(table), pa.table(table)
    if kind in ("csv", "csv.gz"):
        frame.to_csv(path, index=False)
    elif kind == "tsv":
        frame.to_csv(path, index=False, sep="\t")
    elif kind == "bom.csv":
        frame.to_csv(path, index=False, encoding="utf-8-sig")
    elif kind == "semicolon.csv":
        frame.to_csv(path, index=False, sep=";")
    elif kind == "parquet":
        pq.write_table(arrow, path)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif kind == "json":
        frame.to_json(path, orient="records")
    elif kind == "columns.json":
        path.write_text(json.dumps(table))
    elif kind == "feather":
        feather.write_feather(arrow, path)
    else:
        maker = pa.ipc.new_stream if kind == "stream.arrow" else pa.ipc.new_file
        with maker(str(path), arrow.schema) as file:
            file.write_table(arrow)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_a_table_is_read_in_every_format(tmp_path, table, kind):
    source = read(save(tmp_path / f"mine.{kind}", table, kind))
    assert source.rows.to_pydict() == table and source.vectors is None and len(source) == N
    assert source.roles == Roles(text="body", label="section", id="id")
    assert source.name.startswith("mine")
    said = " ".join(source.guesses)
    assert "text column: 'body' (longest strings, 100 % distinct); another: --text NAME" in said
    assert "label column: 'section' (2 values)" in said and "id column: 'id'" in said


def test_numbers_beyond_float32_are_named(tmp_path, X):
    columns = {f"emb_{n}": X[:, n].astype(float) for n in range(12)}
    columns["emb_3"][7] = 1e300
    assert "row 7: the vector has NaN, infinity" in problem(save(tmp_path / "a.csv", columns, "csv"))


@pytest.mark.parametrize("how", ["fixed", "list", "double", "json strings", "numpy strings", "numbered", "numbered 1"])
def test_vectors_are_found_in_columns(tmp_path, table, X, how):
    path = tmp_path / "mine.parquet"
    if how in ("fixed", "list", "double"):
        kind = {"fixed": pa.list_(pa.float32(), 12), "list": pa.list_(pa.float32()), "double": pa.list_(pa.float64())}
        column = pa.array(X.tolist(), kind[how])
        pq.write_table(pa.table({**table, "emb": column}), path)
    elif how == "json strings":
        path = save(tmp_path / "mine.csv", {**table, "vector": [str(x) for x in X.tolist()]}, "csv")
    elif how == "numpy strings":
        path = save(tmp_path / "mine.csv", {**table, "vector": [str(x) for x in X]}, "csv")  # with line breaks
    else:
        first = int(how[-1]) if how[-1] == "1" else 0
        columns = {f"emb_{first + n}": X[:, n] for n in reversed(range(12))}
        path = save(tmp_path / "mine.csv", {**columns, **table}, "csv")
    source = read(path)
    np.testing.assert_allclose(source.vectors, X, rtol=0 if how in ("fixed", "list") else 1e-5, atol=1e-7)
    assert source.vectors.dtype == np.float32
    assert source.rows.column_names == list(table) and source.roles.text == "body"
    assert any("vectors: " in line and "--vector NAME" in line for line in source.guesses)
    assert len(codomain.write(tmp_path / "s", source.rows, source.vectors, roles=source.roles)) == N


def test_arrays_are_read_in_every_format(tmp_path, X):
    from safetensors.numpy import save_file

    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "b.npz", X=X, y=np.arange(N))
    save_file({"X": X}, tmp_path / "c.safetensors")
    raw = np.concatenate([np.full((N, 1), 12, "<i4"), X.view("<i4")], axis=1)
    raw.tofile(tmp_path / "d.fvecs")
    for name in ("a.npy", "b.npz", "c.safetensors", "d.fvecs"):
        source = read(tmp_path / name)
        np.testing.assert_array_equal(source.vectors, X)
        assert len(source) == N == source.rows.num_rows
        assert len(codomain.write(tmp_path / f"{name}-space", source.rows, source.vectors)) == N
    assert read(tmp_path / "b.npz").rows.to_pydict() == {"y": list(range(N))}
    assert isinstance(read(tmp_path / "a.npy").vectors, np.memmap)


def test_bfloat16_tensors_are_widened(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    tensor = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    save_file({"other": torch.zeros(2), "X": tensor}, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(read(tmp_path / "a.safetensors").vectors, tensor.float().numpy())


def test_several_arrays_are_named_and_one_is_asked_for(tmp_path, X):
    np.savez(tmp_path / "a.npz", train=X, test=X[:5])
    with pytest.raises(UserError, match=r"(?s)'train' float32 \(40, 12\), 'test' float32 \(5, 12\).*--vector NAME"):
        read(tmp_path / "a.npz")
    assert len(read(tmp_path / "a.npz", vector="test")) == 5
    with pytest.raises(UserError, match="no array 'tets'; did you mean 'test'"):
        read(tmp_path / "a.npz", vector="tets")


def test_vectors_may_lie_in_a_file_beside(tmp_path, table, X):
    np.save(tmp_path / "X.npy", X)
    path = save(tmp_path / "mine.csv", table, "csv")
    source = read(path, vectors=tmp_path / "X.npy")
    np.testing.assert_array_equal(source.vectors, X)
    np.save(tmp_path / "X.npy", X[:-1])
    with pytest.raises(UserError, match="39 vectors and 40 rows"):
        read(path, vectors=tmp_path / "X.npy")


def test_a_folder_of_shards_is_one_table(tmp_path, table, X):
    (tmp_path / "data").mkdir()
    whole = pa.table({**table, "emb": X.tolist()})
    for number in range(4):
        pq.write_table(whole.slice(number * 10, 10), tmp_path / "data" / f"train-{number}.parquet")
    (tmp_path / "data" / "README.md").write_text("about these data")
    source = read(tmp_path / "data")
    assert source.rows.to_pydict() == table
    np.testing.assert_allclose(source.vectors, X, rtol=1e-6)
    assert "4 files are taken as one table" in source.guesses[0] and source.name == "data"


def test_a_folder_of_a_table_and_its_vectors_is_read_as_both(tmp_path, table, X):
    (tmp_path / "d").mkdir()
    save(tmp_path / "d" / "rows.parquet", table, "parquet")
    for part in range(2):
        np.save(tmp_path / "d" / f"X-{part}.npy", X[part * 20 : part * 20 + 20])
    source = read(tmp_path / "d")
    np.testing.assert_array_equal(source.vectors, X)
    assert source.rows.to_pydict() == table


def test_a_folder_of_documents_is_one_row_each(tmp_path):
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "docs" / "b.txt").write_text("second text")
    (tmp_path / "docs" / "deep" / "a.md").write_text("# third text\n")
    (tmp_path / "docs" / "a.md").write_text("\ufefffirst text", encoding="utf-8")
    (tmp_path / "docs" / ".hidden.txt").write_text("no")
    source = read(tmp_path / "docs")
    assert source.rows.to_pydict() == {
        "file": ["a.md", "b.txt", "deep/a.md"],
        "text": ["first text", "second text", "# third text\n"],
    }
    assert source.roles == Roles(text="text", id="file")
    (tmp_path / "docs" / "c.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UserError, match=r"1 files are not UTF-8 text: c\.txt \(byte 3\)"):
        read(tmp_path / "docs")


def test_a_saved_hugging_face_data_set_is_read(tmp_path, table):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "body": datasets.Value("string"),
            "section": datasets.ClassLabel(names=["x", "y"]),
        }
    )
    rows = {name: table[name] for name in features}
    data = datasets.Dataset.from_dict(rows, features=features)
    data.save_to_disk(tmp_path / "one", num_shards=2)
    source = read(tmp_path / "one")
    assert source.rows.to_pydict() == rows and source.roles.label == "section"
    datasets.DatasetDict({"test": data.select(range(5)), "train": data}).save_to_disk(tmp_path / "many")
    source = read(tmp_path / "many")
    assert len(source) == N and any("split: 'train'; another: " in line for line in source.guesses)
    assert len(read(tmp_path / "many" / "test")) == 5


def test_a_text_file_is_one_row_a_line(tmp_path):
    (tmp_path / "a.txt").write_text("one two\n\n  three \n")
    assert read(tmp_path / "a.txt").rows.to_pydict() == {"text": ["one two", "three"]}


def test_a_name_that_lies_is_seen_through(tmp_path, table, X):
    save(tmp_path / "a.csv", table, "parquet")
    assert read(tmp_path / "a.csv").rows.to_pydict() == table
    np.save(tmp_path / "b.npy", X)
    (tmp_path / "b.npy").rename(tmp_path / "b.csv")
    np.testing.assert_array_equal(read(tmp_path / "b.csv").vectors, X)


def test_a_table_in_memory_is_read(table):
    assert read(pd.DataFrame(table)).roles == read(table).roles == Roles("body", "section", "id")


def test_ids_and_codes_keep_their_leading_zeros(tmp_path):
    (tmp_path / "a.csv").write_text(
        "id,zip,score,ok,n,when,text\n"
        "007,01234,1.5,true,1,2024-01-02,one two\n"
        "08,20000,-2.0,false,,2024-01-03,three four\n"
    )
    assert read(tmp_path / "a.csv").rows.to_pydict() == {
        "id": ["007", "08"], "zip": ["01234", "20000"], "score": [1.5, -2.0], "ok": [True, False], "n": [1, None],
        "when": ["2024-01-02", "2024-01-03"], "text": ["one two", "three four"],
    }  # fmt: skip


def test_a_type_that_changes_late_in_the_file_is_text(tmp_path):
    lines = [f"{n},word word {n}" for n in range(3000)] + ["n/k,last word"]
    (tmp_path / "a.csv").write_text("code,text\n" + "\n".join(lines) + "\n")
    assert read(tmp_path / "a.csv").rows["code"].to_pylist()[-2:] == ["2999", "n/k"]


def test_unnamed_columns_get_a_name(tmp_path, table):
    pd.DataFrame(table).to_csv(tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").rows.column_names == ["column_0", *table]


def test_a_sample_keeps_the_row_numbers_of_the_whole(tmp_path, X):
    np.save(tmp_path / "a.npy", X)
    one, two = (read(tmp_path / "a.npy", sample=10) for _ in range(2))
    rows = one.rows["id"].to_pylist()
    assert len(one) == 10 and rows == sorted(rows) == two.rows["id"].to_pylist()
    np.testing.assert_array_equal(one.vectors, X[rows])
    assert one.roles.id == "id" and any("sample of 10 rows" in line for line in one.guesses)


def test_named_columns_are_taken_and_an_empty_name_means_none(tmp_path, table):
    path = save(tmp_path / "a.csv", table | {"note": ["a b c d"] * N}, "csv")
    source = read(path, text="note", label="", id="")
    assert source.roles == Roles(text="note")


# What is wrong, and that it is said.


def problem(path, **options):
    with pytest.raises(UserError) as error:
        read(path, **options)
    return str(error.value)


def test_everything_wrong_is_said_in_one_error(tmp_path, table, X):
    vectors = X.tolist()
    vectors[3], vectors[5], vectors[8] = [0.0] * 12, [float("nan")] * 12, [float("inf")] + [1.0] * 11
    table["id"][7], table["id"][9] = "a1", " "
    pq.write_table(pa.table({**table, "emb": vectors}), tmp_path / "a.parquet")
    said = problem(tmp_path / "a.parquet", label="sektion")
    for words in ("5 problems (rows count from 0)", "row 3: the vector is all zeros", "rows 5, 8: the vector has NaN",
                  "row 7: the id in 'id' is there already ('a1')", "row 9: the id in 'id' is blank",
                  "no column 'sektion'", "did you mean 'section'", "nothing has been written"):  # fmt: skip
        assert words in said, said


def test_only_the_first_five_rows_are_listed_and_the_rest_counted(tmp_path, X):
    X[::2] = np.nan
    np.save(tmp_path / "a.npy", X)
    assert "rows 0, 2, 4, 6, 8 and 15 more: the vector has NaN" in problem(tmp_path / "a.npy")


def test_vectors_of_mixed_widths_are_named(tmp_path, table, X):
    vectors = X.tolist()
    vectors[4], vectors[6], vectors[7] = vectors[4][:5], [], None
    pq.write_table(pa.table({**table, "emb": vectors}), tmp_path / "a.parquet")
    said = problem(tmp_path / "a.parquet")
    assert "rows 4, 6: the vector in 'emb' is 0, 5 wide and most are 12" in said
    strings = [str(v) if v is not None else "" for v in vectors]
    strings[9] = "[0.1, oops]"
    said = problem(save(tmp_path / "b.csv", {**table, "emb": strings}, "csv"))
    assert "row 9: 'emb' is no list of numbers" in said and "rows 4, 6: the vector in 'emb'" in said


def test_a_row_without_a_vector_is_named(tmp_path, table, X):
    vectors = X.tolist()
    vectors[7] = None
    vectors[8][3] = None
    pq.write_table(pa.table({**table, "emb": vectors}), tmp_path / "a.parquet")
    assert "rows 7, 8: the vector has NaN, infinity or no value" in problem(tmp_path / "a.parquet")


def test_a_few_blank_texts_are_left_out_and_counted_and_many_are_named(tmp_path, table):
    table["body"][2], table["body"][11] = "", "  "
    path = save(tmp_path / "a.csv", table, "csv")
    source = read(path)
    assert len(source) == N - 2 and "a11" not in source.rows["id"].to_pylist()
    assert "2 of 40 rows without text in 'body' are left out (rows 2, 11)" in source.guesses
    table["body"][30] = ""
    path = save(tmp_path / "a.csv", table, "csv")
    assert "rows 2, 11, 30: no text in 'body', and that is 8% of all rows (up to 5% are left out)" in problem(path)
    assert len(read(path, drop_empty=True)) == N - 3


def test_zero_vectors_are_dropped_when_asked(tmp_path, X):
    X[[3, 30]] = 0
    np.save(tmp_path / "a.npy", X)
    source = read(tmp_path / "a.npy", drop_empty=True)
    np.testing.assert_array_equal(source.vectors, np.delete(X, [3, 30], axis=0))


def test_a_table_without_text_or_vectors_lists_its_columns(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,x\n2,y\n")
    said = problem(tmp_path / "a.csv")
    assert "'a' (int64), 'b' (string)" in said and "--text NAME" in said


def test_two_vector_columns_are_a_question(tmp_path, X):
    pq.write_table(pa.table({"emb_a": X.tolist(), "emb_b": X.tolist()}), tmp_path / "a.parquet")
    assert "'emb_a', 'emb_b'" in problem(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", vector="emb_b").rows.column_names == ["emb_a"]
    assert "did you mean 'emb_b'" in problem(tmp_path / "a.parquet", vector="embb")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"id,text\n", "0 rows"),
        ("a.csv", b"id,text\n1,caf\xe9 noir\n", "byte 13 \\(line 2\\) is 0xe9.*iconv"),
        ("a.csv", bytes(range(256)) * 20, "byte 0 .*is 0x00"),
        ("a.csv", np.random.default_rng(0).bytes(5000), "is not (UTF-8 )?text"),
        ("a.csv", "text\none two".encode("utf-16"), "UTF-16"),
        ("a.csv", b"id,text\n1,a b\n2\n3,c,d\n4,e\n", "2 lines have too many or too few values: rows 1, 2.*2 values"),
        ("a.csv", b"text,text\na b,c d\n", "Two columns are called 'text'"),
        ("a.jsonl", b'{"text": "a b"}\n{"text": \n', "line 2 is not JSON"),
        ("a.jsonl", b'{"text": "a b"}\n[1]\n', "row 1 is no JSON object"),
        ("a.jsonl", b'{"text": "a b"}\n{"text": 3}\n', "do not make a table"),
        ("a.json", b"[1, 2", "is not JSON"),
        ("a.json", b"[1, 2]", "no JSON object"),
        ("a.parquet", b"PAR1" + bytes(60), "cannot be read as .parquet"),
        ("a.parquet", b"nonsense", "cannot be read as .parquet"),
        ("a.arrow", b"ARROW1\0\0garbage", "cannot be read as .arrow"),
        ("a.npy", b"\x93NUMPY garbage", "cannot be read as .npy"),
        ("a.npz", b"PK\x03\x04 garbage", "cannot be read as .npz"),
        ("a.safetensors", b"\xff" * 40, "cannot be read as safetensors"),
        ("a.fvecs", b"\x03\0\0\0abcd", "is no .fvecs"),
        ("a.pkl", b"\x80\x04.", "a pickle runs code"),
        ("a.xyz", b"what", "'.xyz', which is not read"),
    ],
)
def test_a_broken_file_is_refused_in_plain_words(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=f"(?s){words}"):
        read(tmp_path / name)


@pytest.mark.parametrize("kind", [*FORMATS, "npy", "npz", "safetensors", "fvecs"])
def test_a_file_with_flipped_bits_is_read_or_refused_but_ends_nothing(tmp_path, table, X, kind):
    from safetensors.numpy import save_file

    path, rng = tmp_path / f"a.{kind}", np.random.default_rng(0)
    if kind in FORMATS:
        save(path, table | {"emb": X.tolist()} if kind in ("parquet", "arrow") else table, kind)
    elif kind == "safetensors":
        save_file({"X": X}, path)
    elif kind == "fvecs":
        np.concatenate([np.full((N, 1), 12, "<i4"), X.view("<i4")], axis=1).tofile(path)
    else:
        (np.save if kind == "npy" else np.savez)(path, X)
    whole, refused = path.read_bytes(), 0
    for turn in range(30):
        data = bytearray(whole)
        for bit in rng.integers(0, 8 * min(len(data), 400 if turn % 2 else len(data)), 2):  # often in the header
            data[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(data)
        try:
            read(path)
        except UserError:
            refused += 1
    assert refused > 0  # nothing but a UserError came, and some did


def test_an_array_of_objects_is_refused_and_not_run(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[1.0], [2.0, 3.0]], object), allow_pickle=True)
    assert "run code" in problem(tmp_path / "a.npy")


def test_a_cut_gzip_file_is_refused(tmp_path, table):
    whole = gzip.compress(pd.DataFrame(table).to_csv(index=False).encode())
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as .csv" in problem(tmp_path / "a.csv.gz")


def test_a_wrong_path_is_answered_with_the_nearest_name(tmp_path, table):
    save(tmp_path / "papers.csv", table, "csv")
    assert "did you mean 'papers.csv'" in problem(tmp_path / "paper.csv")
    (tmp_path / "empty").mkdir()
    assert "no file that can be read" in problem(tmp_path / "empty")


def test_a_space_is_not_a_source(tmp_path, X):
    codomain.write(tmp_path / "s", None, X)
    assert "is a space already" in problem(tmp_path / "s")


def test_a_column_that_only_looks_like_an_id_is_not_forced(tmp_path, table):
    table["doc_id"] = ["same"] * N
    del table["id"]
    source = read(save(tmp_path / "a.csv", table, "csv"))
    assert source.roles.id is None and any("row numbers" in line for line in source.guesses)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["target", "price"])
def test_numbers_with_fractions_are_classes_only_when_a_person_names_them(tmp_path, table, kind, name):
    values: list = [(None, 0.5, -1.25, 2.0)[n % 4] for n in range(N)]
    if kind == "csv":  # where such numbers stay as they were typed
        values = [("", "0.50", "-1.25", "2.00")[n % 4] for n in range(N)]
    frame = pd.DataFrame({"body": table["body"], name: values})
    path = tmp_path / f"a.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    source = read(path)
    assert source.roles.label is None
    said = f"'{name}' is named like labels and holds numbers with fractions: no classes"
    assert any(said in guess for guess in source.guesses) == (name == "target")
    assert read(path, label=name).roles.label == name


def test_a_missing_float_is_no_class(tmp_path, table):
    from codomain.workbench.first_look import text_column

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": table["body"], "target": [float("nan"), 0.5, None, 1.5] * (N // 4)}), path)
    assert text_column(read(path, label="target"), "target")[:4] == ["", "0.5", "", "1.5"]
