"""A space may come from a stranger: its paths stay inside it, and what its manifest says is held against its files."""

import io
import mmap
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from codomain.core import DamagedError

if TYPE_CHECKING:
    from codomain.space.files import Files
    from codomain.space.manifest import Manifest

_OURS = {"HEAD", ".lock", ".working", "manifests", "parts", "work"}
_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"  # begins with a letter or digit, so it is neither ".." nor hidden
VECTORS = re.compile(r"vectors-([0-9a-f]{16})\.npy")
TABLE = re.compile(r"rows-([0-9a-f]{16})\.parquet")
PART = re.compile(rf"parts/{_PLAIN}-([0-9a-f]{{16}})")


def looks_ours(name: str) -> bool:
    """Whether a file name is one that a space has in its folder."""
    return name in _OURS or name.startswith(("vectors-", "rows-", ".new-", ".HEAD."))


def check_links(root: Path) -> None:
    """Refuse a space in which a link leads out of its folder, where something would be read or overwritten.

    Parameters
    ----------
    root : Path
        Folder of the space; it may itself be reached by a link.

    Raises
    ------
    DamagedError
        Naming the link.
    """
    here = os.path.realpath(root)
    for folder, folders, files in os.walk(here):
        if folder == here:
            folders[:] = [name for name in folders if looks_ours(name)]
            files = [name for name in files if looks_ours(name)]
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            if os.path.islink(path) and os.path.commonpath([here, os.path.realpath(path)]) != here:
                raise DamagedError(
                    f"{path} is a link to {os.readlink(path)!r}, outside the space.",
                    needed="a space whose files lie in its own folder",
                    todo="do not use this space unless you made the link; then copy the file to where the link is",
                )


def check_names(manifest: "Manifest") -> None:
    """Refuse a manifest whose values are of other kinds than they should be, or that names files as no space does.

    Parameters
    ----------
    manifest : Manifest
        As read; nothing of it has been used.

    Raises
    ------
    ValueError
        Saying what is wrong.
    """
    counts = {"dim": manifest.dim, **{shard.vectors: shard.rows for shard in manifest.shards}}
    for what, count in counts.items():
        if type(count) is not int or count < 1:
            raise ValueError(f"{what}: {count!r} is not a whole number above 0")
    identity = manifest.encoder
    words = [manifest.when, manifest.note, manifest.hash_column, *manifest.columns, identity.name, identity.uri]
    if not all(isinstance(word, str) for word in words) or not manifest.columns or not manifest.shards:
        raise ValueError("names and notes are texts, and there are columns and shards")
    if identity.dim != manifest.dim:
        raise ValueError(f"the encoder makes {identity.dim} numbers and the vectors have {manifest.dim}")
    used = []
    for shard in manifest.shards:
        _refuse_name(VECTORS, shard.vectors)
        _refuse_name(TABLE, shard.table)
        used += [shard.vectors, shard.table]
    for record in manifest.parts.values():
        _refuse_name(PART, record.folder)
        for file in record.files:
            _refuse_name(re.compile(_PLAIN), file)
            used.append(f"{record.folder}/{file}")
        if not isinstance(record.made_from, str):
            raise ValueError(f"{record.folder} is made from {record.made_from!r}")
    if set(used) != set(manifest.seals):
        raise ValueError(f"the files and the seals differ: {sorted(set(used) ^ set(manifest.seals))[:3]}")


def _refuse_name(pattern: re.Pattern[str], name: object) -> None:
    if not isinstance(name, str) or not pattern.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file in a space")


def map_vectors(files: "Files", name: str, rows: int, dim: int) -> tuple[mmap.mmap, int]:
    """Map a file of vectors whose own header says what the manifest says.

    Parameters
    ----------
    files : Files
        The sealed files; the size of this one has been checked.
    name : str
        The file.
    rows, dim : int
        What the manifest says.

    Returns
    -------
    mmap, int
        The bytes of the file, read-only, and where its rows begin.

    Raises
    ------
    DamagedError
        When the header says something else, or cannot be read.
    """
    path = files.root / name
    with path.open("rb") as file:
        start = io.BytesIO(file.read(4096))
        try:
            np.lib.format.read_magic(start)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(start)
        except (ValueError, EOFError):
            shape, fortran, dtype = (), True, None
        offset = start.tell()
        size = os.fstat(file.fileno()).st_size
        if (shape, fortran, dtype) != ((rows, dim), False, np.dtype("<f4")) or size != offset + rows * dim * 4:
            raise DamagedError(
                f"{path} does not hold {rows:,} x {dim} numbers of type float32, as the manifest says: "
                f"its header says shape {shape} and type {dtype}, and it has {size:,} bytes.",
                todo="copy this file back from a backup, or do not use this space",
            )
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), offset


def check_tables(files: "Files", manifest: "Manifest") -> None:
    """Refuse a space whose tables have other rows or columns than its manifest says.

    Parameters
    ----------
    files : Files
        The sealed files; their sizes have been checked.
    manifest : Manifest
        What they should hold.

    Raises
    ------
    DamagedError
        Naming the table.
    """
    wanted = {*manifest.columns, manifest.hash_column}
    for shard in manifest.shards:
        path = files.root / shard.table
        try:
            footer = pq.read_metadata(path)
            rows, columns = footer.num_rows, set(footer.schema.to_arrow_schema().names)
        except (pa.ArrowException, OSError) as error:
            raise DamagedError(f"{path} is not a table: {error}", todo="copy this file back from a backup") from error
        if rows != shard.rows or columns != wanted:
            raise DamagedError(
                f"{path} has {rows:,} rows and the columns {', '.join(sorted(columns))}.",
                needed=f"{shard.rows:,} rows and the columns {', '.join(sorted(wanted))}, as the manifest says",
                todo="copy this file back from a backup, or do not use this space",
            )
