"""What leaves a space as csv and JSON: every cell in a form that comes back, and valid JSON."""

import base64
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from codomain.core import plain
from codomain.workbench.csv_table import write_csv
from codomain.workbench.report.pack import pack_words

TABLE = pa.table(
    {
        "words": ["a", None, ""],
        "list": pa.array([[1, 2**53 + 1], None, []], pa.list_(pa.int64())),
        "struct": pa.array([{"a": "x", "b": None}, None, {"a": '"', "b": 1.5}]),
        "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        "bytes": pa.array([b"\xff\x00", None, b""]),
        "large": pa.array([2**63 - 1, None, -1]),
        "float": pa.array([np.nan, None, 2.5]),
    }
)


def test_every_type_has_a_form_in_csv(tmp_path):
    write_csv(TABLE, tmp_path / "a.csv")
    options = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(TABLE.column_names, pa.string()), strings_can_be_null=True, null_values=[""],
        quoted_strings_can_be_null=False,
    )  # fmt: skip
    back = pa_csv.read_csv(tmp_path / "a.csv", convert_options=options).to_pydict()
    assert all(cells[1] is None for cells in back.values())
    assert back["words"] == ["a", None, ""] and back["large"] == [str(2**63 - 1), None, "-1"]
    assert [json.loads(cell or "null") for cell in back["list"]] == [[1, str(2**53 + 1)], None, []]
    assert [json.loads(cell or "null") for cell in back["struct"]] == TABLE["struct"].to_pylist()
    assert json.loads(back["map"][0]) == [["a", 1]]
    assert base64.b64decode(back["bytes"][0]) == b"\xff\x00"


def test_records_become_json_that_javascript_reads_without_rounding():
    text = json.dumps(plain(TABLE.to_pylist()), allow_nan=False)
    first, empty, last = json.loads(text, parse_int=float)  # as JavaScript reads it
    assert first["large"] == str(2**63 - 1) and first["float"] is None and first["words"] == "a"
    assert set(empty.values()) == {None} and last["large"] == -1 and last["words"] == ""


def test_a_column_of_the_report_is_text_as_a_whole_when_one_of_its_numbers_has_to_be():
    import gzip

    _, packed, _ = pack_words([], {"n": [1, 2**60 + 1, None], "m": [1, 2, None]})
    assert json.loads(gzip.decompress(base64.b64decode(packed))) == {
        "n": ["1", str(2**60 + 1), None],
        "m": [1, 2, None],
    }
