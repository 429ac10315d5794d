"""Rows that a program holds: data frames, tables, data sets, lists of texts and arrays, as a file would hold them.

Neither pandas, polars, datasets nor torch is imported here: whoever holds one of their objects has imported them.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from codomain.core import UserError
from codomain.space.intake import as_vectors, free_name, raw_table
from codomain.space.reading.arrays import no_columns
from codomain.space.reading.folders import name_classes
from codomain.space.reading.tables import Held


class ArrowStream(Protocol):
    """What hands itself over as Arrow: a data frame of pandas or polars, a table of pyarrow, a relation of duckdb."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a capsule with the stream."""


class Features(Protocol):
    """A data set of `datasets`."""

    @property
    def features(self) -> Mapping[str, Any]:
        """Its columns."""


InMemory: TypeAlias = ArrowStream | Features | Mapping[str, Any] | Sequence[Any] | ArrayLike
_PICTURES = {"Image", "Audio", "Video", "Pdf"}  # features of `datasets` whose cells are files


def hold(source: InMemory, *, rows: InMemory | None = None) -> Held:
    """Bring an object to the form in which a file is read.

    Parameters
    ----------
    source : data frame, Table, Dataset, list of texts, list of dict, dict of columns, or array of shape (n, d)
        Rows; an array, a tensor or a list of equal lists of numbers is vectors. The index of a pandas frame becomes
        its first column, apart from the usual one that counts from 0.
    rows : as source, apart from an array
        What stands beside an array, in the same order.

    Returns
    -------
    Held
        A table, vectors, or both; `name` says what came.

    Raises
    ------
    UserError
        When it is none of these; with the columns that cannot be kept, and what to type.
    """
    name = type(source).__name__
    if _is_array(source):
        vectors = as_matrix(source)
        return Held(no_columns(len(vectors)) if rows is None else _as_rows(rows), vectors, name=name)
    if rows is not None:
        raise UserError(
            f"rows= came beside a {name}, which holds rows itself.",
            needed="an array of vectors, of shape (n, d), with rows= beside it",
            todo="give the rows first and the vectors as vectors=",
        )
    return Held(_as_rows(source), name=name)


def as_matrix(value: Any) -> NDArray[Any]:
    """Return vectors of shape (n, d), a memory map as it is.

    Raises
    ------
    UserError
        For strings, objects, complex numbers, masks, sparse matrices, and any other number of dimensions.
    """
    if _is_of(value, "scipy", "spmatrix", "sparray"):
        raise UserError(
            f"A sparse matrix came, of shape {value.shape}.", needed="an array", todo="X.toarray().astype('float32')"
        )
    if isinstance(value, np.ma.MaskedArray):
        raise UserError(
            "A masked array came, whose mask no space keeps.", needed="a plain array", todo="X.filled(0), or drop rows"
        )
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":  # numpy has no such numbers
        value = value.float()
    array = as_vectors(value)
    kind, shape = array.dtype.kind, array.shape
    if todo := _REFUSED.get(kind):
        raise UserError(f"An array of {array.dtype} came, of shape {shape}.", needed="numbers", todo=todo)
    if kind not in "fiu":
        raise UserError(f"An array of {array.dtype} came.", needed="numbers", todo="X.astype('float32')")
    if len(shape) != 2:
        todo = (
            "X.reshape(len(X), -1) makes one row each" if len(shape) > 2 else "X[:, None] makes rows of one number each"
        )
        raise UserError(f"An array of shape {shape} came.", needed="shape (n, d): one row for each vector", todo=todo)
    return array


_REFUSED = {
    "U": "give texts as a list: X.tolist()", "S": "give texts as a list: X.astype(str).tolist()",
    "O": "np.stack(list(X)).astype('float32') where each item is a vector, X.tolist() where each is a text",
    "c": "np.hstack([X.real, X.imag]), or np.abs(X)", "V": "give a table: pandas.DataFrame(X)",
}  # fmt: skip


def _is_of(value: Any, library: str, *names: str) -> bool:
    """Whether a value is an object of a class of a library, which is not imported to find out."""
    kinds = type(value).__mro__
    return any(kind.__module__.partition(".")[0] == library and kind.__name__ in names for kind in kinds)


def _is_array(value: Any) -> bool:
    if isinstance(value, np.ndarray) or hasattr(value, "detach") or _is_of(value, "scipy", "spmatrix", "sparray"):
        return True
    if isinstance(value, list | tuple):
        first = next(iter(value), None)
        return isinstance(first, np.ndarray | list | tuple | int | float | np.number) or hasattr(first, "detach")
    arrow = hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")
    return hasattr(value, "__array__") and hasattr(value, "shape") and not arrow and not _is_of(value, "pandas", *_OF)


_OF = ("DataFrame", "Series", "Index")


def _as_rows(value: Any) -> pa.Table:
    if isinstance(value, str | Path):
        raise UserError(f"rows={str(value)!r} is a path.", needed="a table, a data frame or a list of texts",
                        todo=f"read it first: codomain.read({str(value)!r}).rows")  # fmt: skip
    if _is_of(value, "pandas", "Series", "Index"):
        value = value.to_frame(name="text" if value.name is None else value.name)
    if _is_of(value, "pandas", "DataFrame"):
        return _of_pandas(value)
    if _is_of(value, "polars", "LazyFrame"):
        raise UserError("A LazyFrame came, which holds no rows yet.", needed="a DataFrame", todo="df.collect()")
    if _is_of(value, "polars", "Series"):
        value = value.to_frame(value.name or "text")
    if _is_of(value, "polars", "DataFrame"):
        odd = [
            (name, value[name]) for name, kind in zip(value.columns, value.dtypes, strict=True) if str(kind) == "Object"
        ]
        _refuse_columns([_kinds(name, column.to_list()) or f"{name!r} of objects" for name, column in odd])
    if _is_of(value, "datasets", "Dataset", "IterableDataset", "DatasetDict", "IterableDatasetDict"):
        return _of_datasets(value)
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return pa.table({"text": value})
    if hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__"):
        return _without_views(pa.table(value))
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        return raw_table(value)
    listed = list(value)
    if not all(item is None or isinstance(item, str) for item in listed) or not listed:
        _refuse_odd_items(listed)
        return raw_table(listed)
    return pa.table({"text": pa.array(listed, pa.string())})


def _without_views(table: pa.Table) -> pa.Table:
    """Return polars' texts under the type that pandas' have, so that equal frames of the two are the same rows."""
    for at, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type):
            table = table.set_column(at, field.with_type(pa.large_string()), table.column(at).cast(pa.large_string()))
    return table


def _refuse_odd_items(items: list[Any]) -> None:
    """Refuse a list in which texts, or rows, stand beside something else."""
    wanted = str if any(isinstance(item, str) for item in items) else Mapping
    odd = next((at for at, item in enumerate(items) if not isinstance(item, wanted)), None)
    if items and odd is not None:
        raise UserError(
            f"Item {odd} of this list is of type {type(items[odd]).__name__}: {_show(items[odd])}.",
            needed="texts (None for a row without one), dicts, or vectors of one width",
            todo="make them all texts: list(map(str, texts))",
        )


def _of_pandas(frame: Any) -> pa.Table:
    columns, index = frame.columns, frame.index
    if columns.nlevels > 1:
        raise UserError(
            f"The columns of this DataFrame have {columns.nlevels} levels, such as {columns[0]!r}.",
            needed="one name for each column",
            todo="df.columns = ['_'.join(map(str, name)) for name in df.columns]",
        )
    if index.nlevels > 1:
        levels = ", ".join(map(repr, index.names))
        raise UserError(
            f"The rows of this DataFrame have an index of {index.nlevels} levels ({levels}).",
            needed="one id for each row, or none",
            todo="df.reset_index() makes them columns",
        )
    names = [str(name) for name in columns]
    usual = type(index).__name__ == "RangeIndex" and (index.start, index.step, index.name) == (0, 1, None)
    if not usual:
        names.insert(0, free_name(("index", "row_index"), names) if index.name is None else str(index.name))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        also = " (one of them is the index)" if not usual and names[0] in twice else ""
        raise UserError(
            f"Two columns of this DataFrame are called {', '.join(map(repr, twice))}{also}.",
            needed="each column with its own name",
            todo="df.reset_index(drop=True) leaves the index out" if also else "df.loc[:, ~df.columns.duplicated()]",
        )
    flat = frame.reset_index(drop=usual, names=None if usual else [names[0]], allow_duplicates=True)
    flat.columns = names
    objects = [name for name in names if flat[name].dtype == object]
    _refuse_columns([_kinds(name, flat[name].array, flat[name].isna().to_numpy()) for name in objects])
    try:
        table = pa.table(flat)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        _refuse_columns([_why_not(name, flat[name]) for name in names])
        raise
    _refuse_columns([
        f"{field.name!r} of type {flat[field.name].dtype}, such as {_show(next(iter(flat[field.name]), None))}"
        for field in table.schema
        if getattr(field.type, "extension_name", "").startswith("pandas.")
    ])  # fmt: skip
    return table


def _refuse_columns(problems: Sequence[str]) -> None:
    """Refuse columns that no table keeps, each with an example."""
    if problems := [problem for problem in problems if problem]:
        raise UserError(
            f"These columns cannot be kept: {'; '.join(problems)}.",
            needed="one type in each column: numbers, texts, dates, bytes, lists or dicts",
            todo="make it text, df['NAME'] = df['NAME'].astype(str), or leave it out, df.drop(columns='NAME')",
        )


_ALIKE = {
    np.bool_: "bool", np.integer: "int", np.floating: "float", np.str_: "str", tuple: "list", np.ndarray: "list",
}  # fmt: skip


def _kinds(name: str, values: Sequence[Any], missing: Sequence[bool] | None = None) -> str:
    """Say which types of values stand in a column, each with an example; nothing where it is one that Arrow has."""
    first: dict[str, int] = {}
    known: dict[type, str] = {}
    for row, value in enumerate(values):
        if value is None or (missing is not None and missing[row]):
            continue
        kind = type(value)
        if kind not in known:
            known[kind] = next((word for base, word in _ALIKE.items() if issubclass(kind, base)), kind.__name__)
            first.setdefault(known[kind], row)
    if (len(first) < 2 or set(first) == {"int", "float"}) and not first.keys() & {"set", "frozenset", "UUID"}:
        return ""
    examples = ", ".join(f"{kind} ({_show(values[row])} in row {row:,})" for kind, row in first.items())
    return f"{name!r} holds {examples}"


def _why_not(name: str, column: Any) -> str:
    """Say why a column of pandas is no column of Arrow; nothing where it is one."""
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        there = column.dropna()
        example = f", such as {_show(there.iloc[0])}" if len(there) else ""
        kind = type(there.iloc[0]).__name__ if len(there) and column.dtype == object else column.dtype
        return f"{name!r} of {kind}{example} ({str(error).splitlines()[0]})"
    return ""


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _of_datasets(value: Any) -> pa.Table:
    if isinstance(value, Mapping):
        splits = list(value)
        raise UserError(
            f"A {type(value).__name__} came, with the splits {', '.join(map(repr, splits))}.",
            needed="one of them",
            todo=f"dataset[{splits[0]!r}]" if splits else "",
        )
    if _is_of(value, "datasets", "IterableDataset"):
        raise UserError(
            "A streaming data set came, whose rows are not there yet.",
            needed="a Dataset",
            todo="load it without streaming=True, or take some rows: Dataset.from_list(list(dataset.take(10_000)))",
        )
    pictures = [name for name, feature in value.features.items() if _holds_pictures(feature)]
    if pictures:
        raise UserError(
            f"The columns {', '.join(map(repr, pictures))} of this Dataset hold pictures, sounds or documents.",
            needed="texts, numbers, or vectors that a model has made of them",
            todo=f"dataset.remove_columns({pictures!r}), and give the vectors beside it: vectors=X",
        )
    table = value.with_format("arrow")[:]
    for name, feature in value.features.items():
        if type(feature).__name__ == "ClassLabel":
            named = name_classes(Path("Dataset"), name, table[name], feature.names)
            table = table.set_column(table.column_names.index(name), name, named)
    return table


def _holds_pictures(feature: Any) -> bool:
    if isinstance(feature, Mapping):
        return any(map(_holds_pictures, feature.values()))
    if isinstance(feature, list | tuple):
        return any(map(_holds_pictures, feature))
    return type(feature).__name__ in _PICTURES or _holds_pictures(getattr(feature, "feature", ()))
