import sys

import pyarrow as pa
import pytest

from codomain.core import Table, UserError

ROWS = pa.table({"id": list(range(30)), "words": [["a", "b"]] * 29 + [None], "share": [0.12345] * 30})


def test_a_table_is_a_sequence_of_its_rows():
    table = Table(ROWS)
    assert len(table) == 30 and table[-1] == {"id": 29, "words": None, "share": 0.12345}
    assert [row["id"] for row in table[3:9:2]] == [3, 5, 7]
    assert [row["id"] for row in table] == list(range(30))
    with pytest.raises(IndexError):
        table[30]


def test_it_shows_its_first_rows_and_how_many_there_are_more():
    table = Table(ROWS, ["Thirty <rows>."])
    text, page = repr(table).splitlines(), table._repr_html_()
    assert text[0] == "Thirty <rows>." and text[1].split() == ["id", "words", "share"]
    assert text[2].split() == ["0", "a,", "b", "0.123"] and text[-1] == "... and 10 more rows"
    assert "&lt;rows&gt;" in page and page.count("<tr>") == 21 and "10 more rows" in page
    assert repr(Table(ROWS.slice(0, 0))).split() == ["id", "words", "share"]


def test_long_cells_are_cut_and_what_does_not_print_is_written_out():
    cell = repr(Table(pa.table({"t": ["x" * 200, "a\x1b[31m"]}))).splitlines()[1:]
    assert len(cell[0]) == 100 and cell[0].endswith("…") and "\x1b" not in cell[1]


def test_it_goes_to_arrow_pandas_and_polars():
    table = Table(ROWS)
    assert table.to_arrow().equals(ROWS)
    assert pa.Table.from_pandas(table.to_pandas())["share"].to_pylist() == ROWS["share"].to_pylist()
    assert table.to_polars()["words"].to_list() == ROWS["words"].to_pylist()


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_without_them_the_error_is_the_command_to_type(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=r"pip install 'codomain\[frames\]'"):
        getattr(Table(ROWS), f"to_{name}")()
