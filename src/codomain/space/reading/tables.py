"""Tables in Arrow's own files: parquet, arrow and feather."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from codomain.core import UserError
from codomain.space.reading.bounds import check_bytes, check_parquet, check_unpacked, unpack_table
from codomain.space.reading.ipc_sizes import stream_of, unpacked_buffers

_PIECE = 64  # rows read at once where nothing in the file tells how long they become


@dataclass
class Held:
    """What a file, or an object of a program, holds: a table, vectors, and what was decided while reading."""

    table: pa.Table
    vectors: Any = None
    notes: list[str] = field(default_factory=list)
    name: str = ""  # of the object's class; of a file its path is known


def read_parquet(path: Path) -> Held:
    """Read a parquet file."""
    # ParquetFile reads this file and no neighbour: read_table would take folder names for columns.
    footer = pq.read_metadata(path)
    check_parquet(path, footer)
    inside = _check_repeats(path, footer)
    # A word that a dictionary repeats a million times is held once until its length has been looked at.
    texts = [name for name in _texts(footer, "DICTIONARY") if name not in inside]
    with pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
        table = file.read()
    table.validate(full=True)  # parquet takes it on trust that texts are UTF-8
    return Held(unpack_table(path, table))


def _check_repeats(path: Path, footer: Any) -> set[str]:
    """Refuse texts that repeat, within lists and structs or by their beginnings, until they take too much memory.

    They are read an additional time, as dictionaries or piece by piece. Returns the columns within lists and structs.
    """
    inside = {
        column.path for column in map(footer.schema.column, range(footer.num_columns)) if column.path != column.name
    }
    if words := [name for name in _texts(footer, "DICTIONARY") if name in inside]:
        with pq.ParquetFile(path, read_dictionary=words, page_checksum_verification=True) as file:
            sizes: Counter[str] = Counter()
            for group in range(file.num_row_groups):  # Arrow cannot join nested dictionaries of several
                check_unpacked(path, file.read_row_group(group, words), sizes)
    if words := _texts(footer, "DELTA_BYTE_ARRAY"):  # each value says how much of the one before it begins with
        total = 0
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(_PIECE, columns=words):
                total += batch.nbytes
                check_bytes(path, total, "its texts")
    return inside


def _texts(footer: Any, encoding: str) -> list[str]:
    """Return the columns of texts that some row group holds in an encoding."""
    found = {}
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            if chunk.physical_type == "BYTE_ARRAY" and any(encoding in one for one in chunk.encodings):
                found[chunk.path_in_schema] = True
    return list(found)


def read_arrow(path: Path) -> Held:
    """Read an Arrow file (feather is one) or stream, as a memory map.

    A file is a stream with a list of its batches at the end. It is read as the stream: of what only the list points to
    nobody has looked at the size.
    """
    source = pa.memory_map(str(path)).read_buffer()
    stream = stream_of(source)
    listed = pa.ipc.open_file(source).num_record_batches if stream.size < source.size else None
    check_bytes(path, unpacked_buffers(stream))
    batches = pa.ipc.open_stream(stream)
    kept, total = [], 0
    for batch in batches:
        # Arrow takes offsets in a file at their word: one flipped bit in them would end the process.
        batch.validate(full=True)
        kept.append(batch)
        total += batch.nbytes
        check_bytes(path, total)
    if listed not in (None, len(kept)):
        raise UserError(
            f"{path} lists {listed:,} batches at its end and holds {len(kept):,}.", needed="a whole Arrow file"
        )
    return Held(unpack_table(path, pa.Table.from_batches(kept, batches.schema)))
