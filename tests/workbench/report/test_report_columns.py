"""What the page knows of a column, and which columns fit into it."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from test_report import bare, block, page

from codomain.workbench.report import pack
from codomain.workbench.report.columns import describe_column, fit_columns, plain_values

DAY = datetime.date(2024, 5, 31)
MOMENT = datetime.datetime(2024, 5, 31, 12, 30)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([1, None, 3]), {"kind": "number", "whole": True}),
        (pa.array([1.5, None]), {"kind": "number"}),
        (pa.array([1.5, float("nan")]), {"kind": "number", "nan": True}),
        (pa.array([Decimal("1.50")]), {"kind": "number"}),
        (pa.array([2**60]), {"kind": "text"}),
        (pa.array([None, None], pa.int32()), {"kind": "text"}),
        (pa.array([True, None]), {"kind": "category", "truth": True}),
        (pa.array([DAY, None]), {"kind": "date", "form": "day"}),
        (pa.array([MOMENT]), {"kind": "date", "form": "moment"}),
        (pa.array([MOMENT], pa.timestamp("ns", "UTC")), {"kind": "date", "form": "moment", "zone": True}),
        (pa.array(["2024-05-31", None, "2024-06-01T10:00Z"]), {"kind": "date", "form": "text"}),
        (pa.array(["2024-05-31", "soon"]), {"kind": "category"}),
        (pa.array(["a", "b", None]).dictionary_encode(), {"kind": "category"}),
        (pa.array(["x" * 81, "b"]), {"kind": "text"}),
        (pa.array([f"row {i}" for i in range(100)]), {"kind": "text"}),
        (pa.array([[1, 2]]), {"kind": "text"}),
    ],
)
def test_the_kind_of_a_column_follows_from_its_arrow_type(column: pa.Array, said: dict[str, Any]) -> None:
    assert describe_column(pa.chunked_array([column])) == said


def test_a_list_is_described_as_arrow_reads_it_and_what_has_no_one_type_is_text() -> None:
    assert describe_column([1, 2, None]) == {"kind": "number", "whole": True}
    assert describe_column(np.array(["2024-05-31"], "datetime64[D]")) == {"kind": "date", "form": "day"}
    assert describe_column([1, "a", DAY]) == {"kind": "text"}
    assert describe_column(["half \ud83d pair"]) == {"kind": "text"}


def test_dates_become_iso_texts_and_long_texts_are_cut() -> None:
    zoned = pa.chunked_array([pa.array([MOMENT], pa.timestamp("ns", "UTC"))])
    assert plain_values(zoned, describe_column(zoned)) == ["2024-05-31T12:30:00+00:00"]
    assert plain_values([DAY, None], describe_column([DAY, None])) == ["2024-05-31", None]
    long = pa.chunked_array([pa.array(["x" * 200])])
    assert plain_values(long, describe_column(long)) == ["x" * 79 + "…"]


def test_columns_are_taken_in_their_order_and_those_without_room_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    columns = {"small": [1] * 500, "large": rng.random(500).tolist(), "late": ["a"] * 500}
    assert fit_columns(columns, 1000, pack.packed_size)[2] == ["large"]
    monkeypatch.setattr(pack, "COLUMN_BUDGET", 1000)
    html, _ = page(bare(500, columns=columns, xy=rng.random((500, 2))), tmp_path)
    assert list(json.loads(block(html, "columns"))) == ["small", "late"]
    assert json.loads(block(html, "head"))["left_out"] == ["large"]
    assert 'join on id for them too: <span dir="auto">large</span>' in html


def test_many_columns_are_all_there(tmp_path: Path) -> None:
    columns = {f"column {i}": list(range(20)) for i in range(60)}
    html, _ = page(bare(20, columns=columns), tmp_path)
    head = json.loads(block(html, "head"))
    assert list(head["kinds"]) == list(columns) and head["left_out"] == []
