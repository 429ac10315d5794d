"""How much memory reading may take: said before it is taken, for a small file can unpack to any size."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codomain.core import UserError

LEAST = 2**30  # bytes that any file may unpack to
TIMES = 64  # times its own size that a file may unpack to: numbers and texts seldom shrink to a tenth


def check_bytes(path: Path, wanted: int, what: str = "it") -> None:
    """Refuse what would take more memory than a file of this size has any reason to.

    Parameters
    ----------
    path : Path
        The file on disk.
    wanted : int
        Bytes that reading takes.
    what : str, default="it"
        What takes them.

    Raises
    ------
    UserError
        When that is over 1 GiB and over 64 times the file.
    """
    size = path.stat().st_size
    if wanted > max(LEAST, TIMES * size):
        raise UserError(
            f"{path} has {size:,} bytes, and {what} would take {wanted / 2**20:,.0f} MiB of memory.",
            needed=f"at most {TIMES} times its size, or {LEAST / 2**20:,.0f} MiB",
            todo="see where the file comes from; when it is meant so, write it in several files, or unpacked",
        )


def unpack_table(path: Path, table: pa.Table) -> pa.Table:
    """Return a table without dictionaries and runs, after looking at how long their values become."""
    check_unpacked(path, table, Counter())
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type) and _is_text(field.type.value_type):
            table = table.set_column(at, field.name, table.column(at).cast(field.type.value_type))
    return table


def check_unpacked(path: Path, table: pa.Table, sizes: Counter[str]) -> None:
    """Add the unpacked bytes of each column to those of earlier pieces, and refuse what is too much together."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        sizes[name] += sum(unpacked_bytes(chunk) for chunk in column.chunks)
        check_bytes(path, sizes[name], f"the column {name!r}")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)


def unpacked_bytes(array: Any) -> int:
    """Return the bytes of an Arrow array once its dictionaries, runs and shared lists are written out."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return unpacked_bytes(array.storage)
    if pa.types.is_dictionary(kind):
        used = np.bincount(array.indices.drop_null().to_numpy(zero_copy_only=False), minlength=len(array.dictionary))
        return int(used @ _sizes(array.dictionary))
    if pa.types.is_run_end_encoded(kind):
        ends = array.run_ends.to_numpy()
        return int(np.diff(ends, prepend=0) @ _sizes(array.values))
    if "list_view" in str(kind).split("<")[0]:
        return int(np.sum(array.sizes.to_numpy())) * max(1, kind.value_type.bit_width // 8 if _is_fixed(kind) else 16)
    if pa.types.is_nested(kind) and not pa.types.is_union(kind):
        if pa.types.is_struct(kind):
            return sum(unpacked_bytes(field) for field in array.flatten())
        if pa.types.is_map(kind):
            return unpacked_bytes(array.keys) + unpacked_bytes(array.items)
        return 8 * len(array) + unpacked_bytes(array.flatten())
    return int(array.nbytes)


def _is_fixed(kind: pa.DataType) -> bool:
    return pa.types.is_primitive(kind.value_type)


def _sizes(values: Any) -> Any:
    """Return the bytes of each value, as floats: their sum may be beyond any integer."""
    if pa.types.is_primitive(values.type):
        return np.full(len(values), values.type.bit_width / 8)
    try:
        return pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False).astype(float) + 4
    except pa.ArrowNotImplementedError:
        return np.full(len(values), float(values.nbytes))  # nested values: each is at most all of them


def check_parquet(path: Path, footer: Any) -> None:
    """Refuse a parquet file whose columns unpack to more than `check_bytes` lets pass.

    Texts that repeat are counted once here: `read_parquet` looks at those.
    """
    widths = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12, "BYTE_ARRAY": 4}
    total = 0
    for group in range(footer.num_row_groups):
        row_group = footer.row_group(group)
        for column in range(row_group.num_columns):
            chunk = row_group.column(column)
            plain = chunk.num_values * widths.get(chunk.physical_type, footer.schema.column(column).length)
            total += max(plain, chunk.total_uncompressed_size, 0)
    check_bytes(path, total)
