"""Every type that pyarrow knows: a space keeps it exactly, or says by name under which other one, or refuses it."""

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.types as t
import pytest

import codomain
from codomain.core import UserError
from codomain.space import read
from codomain.space.kinds import cast_exactly

D = Decimal
DAY, LISTS = date(2020, 1, 2), [[1, 2], None, []]


def of(values, kind):
    return pa.array(values, kind)


def numbers(kind):
    return pa.array([1, None, 86399], pa.int64() if kind.bit_width == 64 else pa.int32()).cast(kind)


def whole(kind):
    return pa.array([0, None, 100], pa.int64()).cast(kind)


def stored(kind, values):
    return pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))


INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
MOMENTS = [pa.timestamp(unit, zone) for unit in ("ms", "us", "ns") for zone in (None, "Europe/Paris", "+02:00")]
LENGTHS = [pa.duration(unit) for unit in ("s", "ms", "us", "ns")]
KEPT = [
    *map(whole, INTEGERS), *map(whole, [pa.float16(), pa.float32(), pa.float64()]),
    of([True, None, False], pa.bool_()),
    of([2**63 - 1, None, -(2**63)], pa.int64()), of([2**64 - 1, None, 0], pa.uint64()),
    of([float("nan"), None, float("inf")], pa.float64()),
    *(
        of([D("1.10"), None, D("-2.50")], kind)
        for kind in (pa.decimal32(5, 2), pa.decimal64(12, 2), pa.decimal128(38, 2), pa.decimal256(60, 2))
    ),
    of([DAY, None, DAY], pa.date32()), *map(numbers, [pa.time32("ms"), pa.time64("us"), pa.time64("ns")]),
    *map(numbers, MOMENTS), *map(numbers, LENGTHS),
    *(of([b"a\xff", None, b""], kind) for kind in (pa.binary(), pa.large_binary())),
    of([b"a\xff", None, b"cd"], pa.binary(2)),
    *(of(["a", None, ""], kind) for kind in (pa.string(), pa.large_string())),
    *(of(LISTS, kind) for kind in (pa.list_(pa.int32()), pa.large_list(pa.int32()))),
    of([[1, 2], None, [3, None]], pa.list_(pa.int32(), 2)),
    of([{"a": 1, "b": "x"}, None, {"a": None, "b": ""}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    of([[("a", 1)], None, []], pa.map_(pa.string(), pa.int32())),
]  # fmt: skip
CHANGED = [
    (pa.nulls(3), pa.string()),
    (of([DAY, None, DAY], pa.date64()), pa.date32()),
    (numbers(pa.time32("s")), pa.time32("ms")),
    (numbers(pa.timestamp("s")), pa.timestamp("ms")),
    (numbers(pa.timestamp("s", "Europe/Paris")), pa.timestamp("ms", "Europe/Paris")),
    (of([b"a\xff", None, b""], pa.binary_view()), pa.binary()),
    (of(["a", None, ""], pa.string_view()), pa.string()),
    (of(LISTS, pa.list_view(pa.int32())), pa.list_(pa.int32())),
    (of(LISTS, pa.large_list_view(pa.int32())), pa.large_list(pa.int32())),
    (of(["a", None, "a"], pa.string()).dictionary_encode(), pa.string()),
    (of([5, None, 5], pa.int16()).dictionary_encode(), pa.int16()),
    (pa.RunEndEncodedArray.from_arrays(of([2, 3], pa.int32()), of(["a", None], pa.string())), pa.string()),
    (of([D("100"), None, D("200")], pa.decimal128(10, -2)), pa.decimal128(12, 0)),
    (of([["a"], None, []], pa.list_(pa.dictionary(pa.int32(), pa.string()))), pa.list_(pa.string())),
    (stored(pa.bool8(), [1, None, 0]), pa.int8()),
    (stored(pa.uuid(), [b"0" * 16, None, b"1" * 16]), pa.binary(16)),
    (stored(pa.json_(), ["1", None, "{}"]), pa.string()),
    (stored(pa.opaque(pa.int8(), "x", "y"), [1, None, 0]), pa.int8()),
    (stored(pa.fixed_shape_tensor(pa.int32(), [2]), [[1, 2], [1, 2], [3, 4]]), pa.list_(pa.int32(), 2)),
]
REFUSED = [
    of([pa.MonthDayNano([1, 2, 3]), None, None], pa.month_day_nano_interval()),
    pa.UnionArray.from_sparse(of([0, 1, 0], pa.int8()), [of([1, 2, 3], pa.int64()), of(["a", "b", "c"], pa.string())]),
    pa.UnionArray.from_dense(
        of([0, 1, 0], pa.int8()), of([0, 0, 1], pa.int32()), [of([1, 2], pa.int64()), of(["a"], pa.string())]
    ),
    of([{}, None, {}], pa.struct([])),
    of([LISTS, None, []], pa.list_(pa.list_view(pa.int32()))),
    of([[], [], []], pa.list_(pa.int32(), 0)),
]  # fmt: skip


def name(array):
    return str(array.type if isinstance(array, pa.Array) else array)


def values(array):
    storage = array.storage if isinstance(array.type, pa.BaseExtensionType) else array
    # repr, as NaN is not equal to itself; 1E+2 is 100.
    return [f"{value:f}" if isinstance(value, D) else repr(value) for value in storage.to_pylist()]


def stored_and_read(tmp_path, array):
    source = read({"text": ["one two", "three four", "five six"], "x": array}, text="text")
    space = codomain.write(tmp_path / "s", source.rows, np.eye(3, dtype=np.float32), roles=source.roles)
    assert values(space.take([2, 0], ["x"])["x"].combine_chunks()) == [values(array)[2], values(array)[0]]
    return source, space.rows()["x"]


@pytest.mark.parametrize("array", KEPT, ids=name)
def test_a_column_is_kept_exactly(tmp_path, array):
    source, back = stored_and_read(tmp_path, array)
    assert back.type == array.type and values(back.combine_chunks()) == values(array)
    assert not any("another type" in line for line in source.guesses)


@pytest.mark.parametrize(("array", "kind"), CHANGED, ids=name)
def test_a_column_that_parquet_does_not_keep_is_stored_under_a_type_that_is_said(tmp_path, array, kind):
    source, back = stored_and_read(tmp_path, array)
    assert back.type == kind and values(back.combine_chunks()) == values(array)
    assert f"same values under another type: 'x' (from {array.type} to {kind})" in source.guesses


@pytest.mark.parametrize("array", REFUSED, ids=name)
def test_a_column_that_no_space_can_keep_is_refused_by_name_before_anything_is_written(tmp_path, array):
    table = pa.table({"text": ["one two", "three four", "five six"], "x": array})
    with pytest.raises(UserError, match="No space can keep the columns 'x' of type"):
        read(table)
    with pytest.raises(UserError, match="No space can keep the columns 'x' of type"):
        codomain.write(tmp_path / "s", table, np.eye(3, dtype=np.float32))
    assert not (tmp_path / "s").exists()


def test_no_type_of_pyarrow_is_left_out_of_these_lists():
    ids = {array.type.id for array in [*KEPT, *(array for array, _ in CHANGED), *REFUSED]}
    every = {value for key, value in vars(pa.lib).items() if key.startswith("Type_")}
    unmade = {"Type_INTERVAL_MONTHS", "Type_INTERVAL_DAY_TIME"}  # pyarrow makes no arrays of these two
    assert every - ids - {getattr(pa.lib, key, None) for key in unmade} == set()
    assert t.is_interval(pa.month_day_nano_interval())


def test_a_value_outside_the_stored_type_is_refused_by_the_name_of_its_column(tmp_path):
    seconds = of([2**60, 0, 1], pa.int64()).cast(pa.timestamp("s"))
    with pytest.raises(UserError, match=r"The column 'x' of type timestamp\[s\] cannot be kept"):
        read({"text": ["one two", "three four", "five six"], "x": seconds})


@pytest.mark.parametrize(
    ("cells", "kind", "row"),
    [(["1", "01067"], pa.int64(), 1), (["1.5", "1.50"], pa.float64(), 1), (["true", "1"], pa.bool_(), 1)],
)
def test_a_cell_that_would_change_in_the_column_of_a_space_is_named(cells, kind, row):
    column = pa.chunked_array([cells])
    found, wrong = cast_exactly(column, kind, "x")
    assert found is column and wrong[0].startswith(f"row {row}: the column 'x' is of type {kind}, and {cells[row]!r}")
    assert cast_exactly(column.slice(0, 1), kind, "x")[1] == []


def test_a_wholly_blank_column_is_nulls_of_any_type():
    for column in (pa.chunked_array([pa.nulls(2)]), pa.chunked_array([["", " "]])):
        found, wrong = cast_exactly(column, pa.list_(pa.int8()), "x")
        assert found.type == pa.list_(pa.int8()) and found.null_count == 2 and not wrong
