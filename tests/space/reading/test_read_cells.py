"""Cells of csv and JSON: what was typed comes back, to the letter."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import codomain
from codomain.core import UserError
from codomain.space import read
from codomain.space.reading.cells import convert_strings, restore_strings
from codomain.workbench.csv_table import write_csv

NAMES = ["1.10", "1e3", "01000", "+1", "1_000", "NaN", "inf", "9223372036854775808", "18446744073709551617",
         "0x10", "1,5", ".5", "5.", "True", "TRUE", "yes", "2024-01-02", "1.0E5", "0.30000000000000000001", "NA",
         "1e400", "٣", "null"]  # fmt: skip


def cells_of(tmp_path, cells, ending="csv"):
    path = tmp_path / f"a.{ending}"
    comma = "\t" if ending == "tsv" else ";"
    rows = [f"{cell}{comma}some words {n}" for n, cell in enumerate(cells)]
    path.write_text("\n".join([f"x{comma}text", *rows]) + "\n", encoding="utf-8")
    return read(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", ["7", "1.5", "true"])
def test_one_cell_that_would_not_come_back_keeps_its_whole_column_text(tmp_path, name, before):
    cells = [before] * 1500 + [name]  # after what a sample of rows would see
    assert cells_of(tmp_path, cells).rows["x"].to_pylist() == cells
    assert cells_of(tmp_path, [name], "tsv").rows["x"].to_pylist() == [name]


@pytest.mark.parametrize("cell", [" 1", "1 ", "\u00a01"])
def test_blanks_around_a_number_are_part_of_what_was_typed(tmp_path, cell):
    assert cells_of(tmp_path, [cell, "2"]).rows["x"].to_pylist() == [cell, "2"]


def test_numbers_that_come_back_are_numbers(tmp_path):
    for cells, values in (
        (["1", "-20", "9223372036854775807"], [1, -20, 2**63 - 1]),
        (["1.5", "-0.25", "2.0"], [1.5, -0.25, 2.0]),
        (["1.5", "-0.25", "2"], [1.5, -0.25, 2.0]),
        (["1e-05", "0.1", "1e+16"], [1e-5, 0.1, 1e16]),
        (["true", "false"], [True, False]),
    ):
        found = cells_of(tmp_path, cells).rows["x"].to_pylist()
        assert found == values and list(map(type, found)) == list(map(type, values))


@given(st.lists(st.sampled_from([*NAMES, "1", "-2", "1.5", "2.0", "true", "1e-05", "x", " "]), min_size=1, max_size=4))
def test_whatever_a_column_becomes_its_cells_come_back_as_typed(cells):
    found, spelled = convert_strings(pa.chunked_array([cells]))
    field = pa.field("x", found.type, metadata={b"codomain.typed": spelled} if spelled else None)
    assert restore_strings(found, field).to_pylist() == cells


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_as_python_prints_them_are_read_to_the_last_bit(values):
    found, _ = convert_strings(pa.chunked_array([[repr(value) for value in values]]))
    assert np.array(found.to_pylist()).tobytes() == np.array(values).tobytes()


def test_a_column_that_stays_text_says_which_cell_keeps_it_so(tmp_path):
    said = cells_of(tmp_path, ["1.5", "1.50"]).guesses
    assert "'x' stays text: '1.50' (row 1) would not come back as it was typed" in said
    assert not any("stays text" in line for line in cells_of(tmp_path, ["net", "graph"]).guesses)


def test_a_csv_goes_through_a_space_and_back_to_csv_with_every_cell_as_it_was(tmp_path):
    columns = {
        "code": ["007", "08", "", "10"], "long": ["1.0", "2.5", "", "1e-05"], "short": ["1", "2.5", "", "3"],
        "whole": ["1", "", "-3", "4"], "ok": ["true", "", "false", "true"], "text": ["a b", "c d", "e f", "g, h"],
        "version": ["1.10", "1.9", "1.1", ""],
    }  # fmt: skip
    table = pa.table({name: pa.array([cell or None for cell in cells]) for name, cells in columns.items()})
    pa_csv.write_csv(table, tmp_path / "a.csv")
    source = read(tmp_path / "a.csv", text="text")
    assert [str(kind) for kind in source.rows.schema.types] == [
        "string", "double", "double", "int64", "bool", "string", "string"
    ]  # fmt: skip
    space = codomain.write(tmp_path / "s", source.rows, np.eye(4, dtype=np.float32), roles=source.roles)
    write_csv(space.rows(list(columns)), tmp_path / "b.csv")
    options = pa_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False)
    assert pa_csv.read_csv(tmp_path / "b.csv", convert_options=options).to_pydict() == columns


@pytest.mark.parametrize("header", ['"a\nb"', '"' + "long " * 20_000 + '"', '"a\r\nb"', '"say ""a"""'])
def test_a_name_with_line_breaks_or_of_100_kilobytes_changes_no_type(tmp_path, header):
    (tmp_path / "a.csv").write_bytes(f"id,text,{header}\n01,one two,01000\n02,three four,1000\n".encode())
    table = read(tmp_path / "a.csv").rows
    assert table.column(2).to_pylist() == ["01000", "1000"] and table["id"].to_pylist() == ["01", "02"]
    assert table.column_names[2] == header[1:-1].replace('""', '"')


def test_a_blank_cell_is_null_and_a_quoted_one_is_an_empty_text(tmp_path):
    (tmp_path / "a.csv").write_text('text,note,n\na b,"",1\nc d,,\ne f,x,3\n')
    table = read(tmp_path / "a.csv", text="text").rows
    assert table["note"].to_pylist() == ["", None, "x"] and table["n"].to_pylist() == [1, None, 3]


# Broken quotes.


def refused(path):
    with pytest.raises(UserError) as error:
        read(path)
    return str(error.value)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize(
    ("row", "cell"), [(3, '"never closed'), (11, '"never closed'), (2, '"closed" too early'), (5, '"a "b" c"')]
)
def test_a_broken_quote_is_refused_with_its_row(tmp_path, ending, row, cell):
    comma = "\t" if ending == "tsv" else ","
    lines = [f"{n}{comma}some words {n}" for n in range(12)]
    lines[row] = f"{row}{comma}{cell}"
    lines[8] = f'8{comma}"a quoted value"'
    (tmp_path / f"a.{ending}").write_text("\n".join([f"id{comma}text", *lines]) + "\n")
    said = refused(tmp_path / f"a.{ending}")
    assert f"the quotes of row {row} (line" in said and "are broken" in said


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_rows_swallowed_between_two_stray_quotes_are_refused(tmp_path, ending):
    comma = "\t" if ending == "tsv" else ","
    lines = [f"{n}{comma}some words {n}" for n in range(12)]
    lines[3], lines[7] = f'3{comma}"a screen of', f'7{comma}14"'  # strictly, this is one value of five lines
    (tmp_path / f"a.{ending}").write_text("\n".join([f"id{comma}text", *lines]) + "\n")
    assert "row 3 holds 5 lines that look like rows of their own, with 2 values each" in refused(
        tmp_path / f"a.{ending}"
    )


def test_texts_of_several_lines_are_read_whole(tmp_path):
    texts = ["Dear all,\nthanks, and see you,\n\nbest, Ann", 'she said "yes"\nand left', "one line"]
    table = pa.table({"id": ["a", "b", "c"], "text": texts, "n": [1, 2, 3]})
    pa_csv.write_csv(table, tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").rows.to_pydict() == table.to_pydict()


def test_quotes_inside_a_bare_value_are_letters(tmp_path):
    (tmp_path / "a.csv").write_text('id,text\na,a 21" screen\nb,say "yes" twice\n')
    assert read(tmp_path / "a.csv").rows["text"].to_pylist() == ['a 21" screen', 'say "yes" twice']


@pytest.mark.parametrize(
    "first", ["7,words of a row", "0.5,word", "a,a whole sentence which nobody would use as a name"]
)
def test_a_first_line_that_reads_like_a_row_is_said(tmp_path, first):
    (tmp_path / "a.csv").write_text(first + "\n8,more words here\n9,and words again\n")
    assert any("the first line is taken as the names" in line for line in read(tmp_path / "a.csv").guesses)


def test_names_that_are_names_are_not_doubted(tmp_path):
    (tmp_path / "a.csv").write_text("id,text,0,1\na,one two,5,6\nb,three four,7,8\n")
    assert not any("first line" in line for line in read(tmp_path / "a.csv").guesses)


# Lines.

ODD_LINES = ["form\x0cfeed", "next\x85line", "line\u2028separator", "para\u2029graph", "group\x1dmark", "lone\rreturn"]


def test_only_line_feeds_end_a_line_of_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("\r\n".join(ODD_LINES).encode() + b"\n")
    assert read(tmp_path / "a.txt").rows["text"].to_pylist() == ODD_LINES
    (tmp_path / "mac.txt").write_bytes(b"one two\rthree four\r")
    assert read(tmp_path / "mac.txt").rows["text"].to_pylist() == ["one two", "three four"]


def test_only_line_feeds_end_a_line_of_jsonl(tmp_path):
    texts = ["next\x85line", "line\u2028separator", "para\u2029graph"]
    lines = [json.dumps({"text": text, "n": 2**70 + n}, ensure_ascii=False) for n, text in enumerate(texts)]
    (tmp_path / "a.jsonl").write_text("\r\n".join(lines), encoding="utf-8", newline="")
    assert read(tmp_path / "a.jsonl").rows["text"].to_pylist() == texts


# JSON.


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_whole_numbers_of_json_keep_every_digit(tmp_path, ending):
    ids, mixed = [2**64 + 1, 2**64 + 2, 3], [2**53 + 1, 1.5, None]
    rows = [{"id": i, "m": m, "text": f"some words {i}"} for i, m in zip(ids, mixed, strict=True)]
    (tmp_path / f"a.{ending}").write_text("\n".join(map(json.dumps, rows)) if ending == "jsonl" else json.dumps(rows))
    source = read(tmp_path / f"a.{ending}")
    assert source.rows["id"].to_pylist() == list(map(str, ids))
    assert source.rows["m"].to_pylist() == [str(2**53 + 1), "1.5", None]
    assert any("'id' is kept as text" in line for line in source.guesses)


def test_a_name_that_only_later_objects_have_is_a_column(tmp_path):
    rows = [{"text": "one two"}, {"text": "three four", "late": 5}]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    assert read(tmp_path / "a.json").rows["late"].to_pylist() == [None, 5] == read(rows).rows["late"].to_pylist()


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_a_name_twice_in_one_object_is_refused(tmp_path, ending):
    (tmp_path / f"a.{ending}").write_text('{"text": "a b", "text": "c d"}\n')
    assert "'text' is there twice in one object" in refused(tmp_path / f"a.{ending}")


@pytest.mark.parametrize(("open", "shut"), [("[", "]"), ("[\n", "]\n"), ('{"a":', "}")])
@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_nesting_that_would_end_the_process_is_refused(tmp_path, open, shut, ending):
    inner = open * 20_000 + ("1" if "{" in open else "") + shut * 20_000
    (tmp_path / f"a.{ending}").write_text(f'{{"text": "a [[[[ b", "x": 1}}\n{{"text": "c d", "x": {inner}}}\n')
    refused(tmp_path / f"a.{ending}")


def test_brackets_inside_strings_do_not_count_as_nesting(tmp_path):
    texts = ["[" * 100 + " open", '\\"[[{{' * 50 + " words"]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    assert read(tmp_path / "a.jsonl").rows["text"].to_pylist() == texts


# Several files, and rows that are added.


def test_a_column_that_is_text_in_one_file_of_a_folder_is_text_in_all(tmp_path):
    (tmp_path / "d").mkdir()
    for n, codes in enumerate((["1000", "2000"], ["01067", "1.50"], ["", ""])):
        rows = "".join(f"{code},some words {n}{at}\n" for at, code in enumerate(codes))
        (tmp_path / "d" / f"{n}.csv").write_text("code,text\n" + rows)
    assert read(tmp_path / "d").rows["code"].to_pylist() == ["1000", "2000", "01067", "1.50", None, None]


def test_whole_numbers_beside_fractions_in_another_file_are_not_rounded(tmp_path):
    (tmp_path / "d").mkdir()
    for n, value in enumerate((2**53 + 1, 0.5)):
        pq.write_table(pa.table({"n": [value], "text": ["one two"]}), tmp_path / "d" / f"{n}.parquet")
    assert "'n' holds fractions in one file and whole numbers beyond 2^53 in another" in refused(tmp_path / "d")


def test_rows_that_are_added_keep_the_types_of_the_space_or_are_refused_by_row(tmp_path):
    first = "id,zip,plz,score,text\na,01067,10115,1.5,one two\nb,10115,20095,2.5,three four\n"
    (tmp_path / "a.csv").write_text(first)
    source = read(tmp_path / "a.csv")
    X = np.eye(2, dtype=np.float32)
    space = codomain.write(tmp_path / "s", source.rows, X, roles=source.roles)
    head = "id,zip,plz,score,text\n"
    (tmp_path / "b.csv").write_text(head + "c,10117,10117,,five six\nd,10119,10119,,seven eight\n")
    more = space.append(read(tmp_path / "b.csv").rows, X, encoder=space.encoder).rows()
    assert more["zip"].to_pylist() == ["01067", "10115", "10117", "10119"]
    assert more["plz"].to_pylist() == [10115, 20095, 10117, 10119]
    assert more["score"].to_pylist() == [1.5, 2.5, None, None]
    (tmp_path / "c.csv").write_text(head + "e,10117,10117,1.5,five six\nf,10119,01067,2.5,seven eight\n")
    space = codomain.open(tmp_path / "s")
    with pytest.raises(UserError, match=r"row 1: the column 'plz' is of type int64, and '01067' would become 1067"):
        space.append(read(tmp_path / "c.csv").rows, X, encoder=space.encoder)
