"""Things that are no files where files belong, and small files that unpack to gigabytes."""

import gzip
import json
import os
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codomain.core import UserError
from codomain.space import read
from codomain.space.reading import bounds
from codomain.space.reading.bounds import unpacked_bytes


def refused(path, **options):
    with pytest.raises(UserError) as error:
        read(path, **options)
    return str(error.value)


@pytest.mark.parametrize("ending", ["csv", "parquet", "npy", "npz", "jsonl", "txt", "safetensors"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, ending):
    os.mkfifo(tmp_path / f"a.{ending}")
    assert "is a pipe, socket or device" in refused(tmp_path / f"a.{ending}")
    (tmp_path / "rows.csv").write_text("text\none two\n")
    assert "is a pipe" in refused(tmp_path / "rows.csv", vectors=tmp_path / f"a.{ending}")


def test_links_that_lead_nowhere_are_refused(tmp_path):
    (tmp_path / "a.csv").symlink_to("a.csv")
    (tmp_path / "b.csv").symlink_to("gone.csv")
    assert "a link to a.csv, which is not there" in refused(tmp_path / "a.csv")
    assert "a link to gone.csv, which is not there" in refused(tmp_path / "b.csv")
    (tmp_path / "c.csv").write_text("text\none two\n")
    (tmp_path / "d.csv").symlink_to("c.csv")
    assert len(read(tmp_path / "d.csv")) == 1


def test_a_folder_with_the_name_of_a_file_is_read_as_a_folder(tmp_path):
    (tmp_path / "a.csv").mkdir()
    assert "holds no file that can be read" in refused(tmp_path / "a.csv")


# Bombs. The bound is lowered for them to 4 MiB, so that each is made in a moment; it is 1 GiB for people.


@pytest.fixture
def low(monkeypatch):
    assert bounds.LEAST == 2**30
    monkeypatch.setattr(bounds, "LEAST", 2**22)


def test_a_zip_of_zeros_is_refused_before_it_is_unpacked(tmp_path, low):
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((2**18, 8), np.float32))
    assert (tmp_path / "a.npz").stat().st_size < 2**14
    assert "the arrays in it would take 8 MiB of memory" in refused(tmp_path / "a.npz")


def test_a_word_of_a_megabyte_that_a_dictionary_repeats_is_refused(tmp_path, low):
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(5000, np.int32)), pa.array(["x " * 2**13]))
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), pa.schema([("text", column.type)])) as file:
        file.write(pa.record_batch({"text": column}))
    for name in ("a.parquet", "a.arrow"):
        said = refused(tmp_path / name)
        assert "the column 'text' would take 78 MiB of memory" in said and "in several files, or unpacked" in said


WORD = "x " * 2**13
PAIR = pa.struct([("a", pa.string()), ("b", pa.int32())])


@pytest.mark.parametrize(
    "row",
    [
        pa.scalar([WORD, None]),
        pa.scalar({"a": WORD, "b": 1}, PAIR),
        pa.scalar([{"a": WORD, "b": 1}], pa.list_(PAIR)),
        pa.scalar([(WORD, 1)], pa.map_(pa.string(), pa.int32())),
        pa.scalar([[WORD.encode()]]),
        pa.scalar([WORD], pa.list_(pa.string_view())),
    ],
    ids=lambda value: str(value.type),
)
@pytest.mark.parametrize("groups", [1000, 400])
def test_a_word_that_lists_and_structs_repeat_is_refused_and_a_few_of_it_are_read(tmp_path, low, row, groups):
    for count, name in ((1000, "a.parquet"), (20, "b.parquet")):
        column = pa.array([row.as_py()] * count, row.type)
        table = pa.table({"text": [f"row {n}" for n in range(count)], "x.y": column, "plain": ["a word"] * count})
        pq.write_table(table, tmp_path / name, row_group_size=groups)
    assert (tmp_path / "a.parquet").stat().st_size < 2**16 * 1000 // groups
    # Several groups are refused as soon as those read so far are too much together.
    assert re.search(r"'x\.y' would take (6|12|13|15|16) MiB of memory", refused(tmp_path / "a.parquet"))
    found = read(tmp_path / "b.parquet").rows
    assert found["x.y"].to_pylist() == [row.as_py()] * 20 and found["plain"].to_pylist() == ["a word"] * 20


@pytest.mark.parametrize("value", [WORD, [WORD]], ids=["text", "list"])
def test_texts_that_say_only_how_they_differ_from_the_one_before_are_refused_when_they_take_too_much(
    tmp_path, low, value
):
    for count, name in ((1000, "a.parquet"), (20, "b.parquet")):
        table = pa.table({"text": [f"row {n}" for n in range(count)], "x": [value] * count})
        leaf = "x" if isinstance(value, str) else "x.list.element"
        pq.write_table(
            table, tmp_path / name, use_dictionary=["text"], column_encoding={leaf: "DELTA_BYTE_ARRAY"}
        )  # fmt: skip
    assert (tmp_path / "a.parquet").stat().st_size < 2**16
    assert "its texts would take 4 MiB" in refused(tmp_path / "a.parquet").replace("5 MiB", "4 MiB")
    assert read(tmp_path / "b.parquet").rows["x"].to_pylist() == [value] * 20


def test_a_number_that_a_page_repeats_a_million_times_is_refused(tmp_path, low):
    pq.write_table(pa.table({"n": np.zeros(2**20, np.int64)}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 2**16
    assert "would take 8 MiB of memory" in refused(tmp_path / "a.parquet")


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("maker", [pa.ipc.new_file, pa.ipc.new_stream])
def test_arrow_buffers_that_unpack_to_too_much_are_refused(tmp_path, low, compression, maker):
    table = pa.table({"n": np.zeros(2**17, np.int64)})
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with maker(str(tmp_path / "a.arrow"), table.schema, options=options) as file:
        for _ in range(8):
            file.write_table(table)
    assert "would take 8 MiB of memory" in refused(tmp_path / "a.arrow")


def test_text_that_unpacks_without_end_is_refused(tmp_path, low):
    with gzip.open(tmp_path / "a.csv.gz", "wb", 9) as file:
        file.write(b"text\n" + b"word word\n" * 2**20)
    assert "would take 5 MiB of memory" in refused(tmp_path / "a.csv.gz")


def test_objects_with_names_of_their_own_are_refused_when_their_table_has_no_end(tmp_path, low):
    rows = [{f"n{n}": 1, "text": "a b"} for n in range(1200)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "b.jsonl").write_text("\n".join(json.dumps({"text": "a b", "x": row}) for row in rows))
    assert "a table of its 1,201 names and 1,200 rows would take 11 MiB" in refused(tmp_path / "a.json")
    assert "a table of its 1,201 names and 1,200 rows would take 11 MiB" in refused(tmp_path / "a.jsonl")
    assert "a table of its 1,202 names and 1,200 rows would take 11 MiB" in refused(tmp_path / "b.jsonl")


def test_many_rows_of_few_names_are_read_whatever_signs_their_texts_hold(tmp_path, low):
    texts = [f'"a{n}": \\ ":" {{"b{n}": 1}}, ":{n}' for n in range(3000)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text, "tags": [":", text]}) for text in texts))
    assert read(tmp_path / "a.jsonl").rows["text"].to_pylist() == texts


def test_an_arrow_file_whose_list_of_batches_points_behind_its_end_is_refused(tmp_path):
    table = pa.table({"text": ["one two", "three four"]})
    for batches in (1, 2):
        with pa.ipc.new_file(str(tmp_path / f"{batches}.arrow"), table.schema) as file:
            for _ in range(batches):
                file.write_table(table)
    one, two = ((tmp_path / name).read_bytes() for name in ("1.arrow", "2.arrow"))
    end = b"\xff\xff\xff\xff\x00\x00\x00\x00"
    stop = one.index(end, 8)  # the first batch ends here; in the longer file the second one begins
    assert one[:stop] == two[:stop] and len(read(tmp_path / "2.arrow")) == 4
    (tmp_path / "2.arrow").write_bytes(two[:stop] + end[:8] + two[stop + 8 :])
    assert "lists 2 batches at its end and holds 1" in refused(tmp_path / "2.arrow")


@pytest.mark.parametrize(
    ("array", "size"),
    [
        (pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, None]), pa.array(["abc", "d"])), 2 * 7 + 5),
        (pa.RunEndEncodedArray.from_arrays(pa.array([10, 12], pa.int32()), pa.array([1, 2], pa.int64())), 12 * 8),
        (pa.array([[1, 2], None, [3]], pa.list_view(pa.int16())), 3 * 2),
        (pa.array([1, 2, 3], pa.int32()), 12),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_the_size_of_an_array_is_that_of_its_values_written_out(array, size):
    assert unpacked_bytes(array) == size


# Damaged Hugging Face folders.


def saved(folder, **changes):
    table = pa.table({"text": ["one two", "three four"], "label": [0, 1]})
    folder.mkdir()
    with pa.ipc.new_stream(str(folder / "data.arrow"), table.schema) as file:
        file.write_table(table)
    state = {"_data_files": [{"filename": "data.arrow"}]}
    info = {"features": {"label": {"_type": "ClassLabel", "names": ["net", "graph"]}}}
    for name, value in ({"state.json": state, "dataset_info.json": info} | changes).items():
        (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


def test_a_saved_data_set_has_its_class_names(tmp_path):
    assert read(saved(tmp_path / "d")).rows["label"].to_pylist() == ["net", "graph"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state.json": "[1]"}, "holds list, no JSON object"),
        ({"state.json": "{"}, "is not JSON"),
        ({"state.json": "[" * 10_000}, "is not JSON"),
        ({"state.json": {}}, "lists no data files"),
        ({"state.json": {"_data_files": [3]}}, "lists no data files"),
        ({"state.json": {"_data_files": [{"filename": "../../etc/gone"}]}}, "lacks 1 of its data files: gone"),
        ({"dataset_info.json": {"features": {"label": {"_type": "ClassLabel"}}}}, "no names for the classes"),
        ({"dataset_info.json": {"features": {"label": {"_type": "ClassLabel", "names": ["a"]}}}}, "class 1 in 'label'"),
        ({"dataset_info.json": {"features": {"text": {"_type": "ClassLabel", "names": ["a"]}}}}, "are of type string"),
        ({"data.arrow": "nonsense"}, "cannot be read as a folder of data"),
        ({"dataset_dict.json": {"splits": []}}, "names no splits"),
        ({"dataset_dict.json": {"splits": {"train": 1}}}, "names no splits"),
        ({"dataset_dict.json": {"splits": ["train"]}}, "state.json is not there"),
    ],
)  # fmt: skip
def test_a_damaged_saved_data_set_is_refused_in_plain_words(tmp_path, changes, words):
    assert words in refused(saved(tmp_path / "d", **changes))


# Texts joined from several columns, and rows without text.


def test_columns_with_commas_between_are_joined_into_the_text(tmp_path):
    (tmp_path / "a.csv").write_text("Title,Review Text,n\nOne,first words,1\n,second words,2\nThree,,3\n")
    source = read(tmp_path / "a.csv", text="Title,Review Text")
    assert source.roles.text == "Title,Review Text"
    assert source.rows["Title,Review Text"].to_pylist() == ["One\nfirst words", "second words", "Three"]
    assert source.rows["Title"].to_pylist() == ["One", None, "Three"]
    assert any("joined line by line" in line for line in source.guesses)
    assert "there is no column 'Title,Reviews'" in refused(tmp_path / "a.csv", text="Title,Reviews")


def test_a_row_that_is_blank_in_all_joined_columns_is_left_out(tmp_path):
    rows = [f"title {n},body {n}" for n in range(40)]
    rows[7], rows[9] = " ,", "only a title,"
    (tmp_path / "a.csv").write_text("a,b\n" + "\n".join(rows) + "\n")
    source = read(tmp_path / "a.csv", text="a, b")
    assert len(source) == 39 and source.rows["a, b"].to_pylist()[8] == "only a title"
    assert any("1 of 40 rows without text in 'a, b' are left out (row 7)" in line for line in source.guesses)
