"""Arrays in files: npy, npz, safetensors and fvecs. Nothing is unpickled."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.space.checks import nearest
from codomain.space.reading.bounds import check_bytes
from codomain.space.reading.tables import Held


def read_npy(path: Path, vector: str | None = None) -> Held:
    """Read a .npy file of vectors as a memory map."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise _unsafe(path, error) from error
    return Held(no_columns(array.shape[0] if array.ndim else 0), array)


def read_npz(path: Path, vector: str | None = None) -> Held:
    """Read a .npz file: its one matrix is the vectors, its lists of the same length are columns."""
    try:
        with zipfile.ZipFile(path) as packed:  # the sizes are in its directory: nothing is unpacked for them
            check_bytes(path, sum(entry.file_size for entry in packed.infolist()), "the arrays in it")
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise _unsafe(path, error) from error
    return _choose(path, arrays, vector)


def read_safetensors(path: Path, vector: str | None = None) -> Held:
    """Read a .safetensors file: its one matrix is the vectors, its lists of the same length are columns."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}
            arrays = {name: file.get_tensor(name) for name, kind in kinds.items() if kind != "BF16"}
    except SafetensorError as error:
        raise UserError(f"{path} cannot be read as safetensors: {error}") from error
    return _choose(path, arrays | {name: _bfloat(path, name) for name, kind in kinds.items() if kind == "BF16"}, vector)


def _bfloat(path: Path, name: str) -> NDArray[np.float32]:
    """Return a bfloat16 tensor, which numpy does not know: it is the upper half of a float32."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
    start, end = entry["data_offsets"]
    half = np.memmap(path, "<u2", "r", offset=8 + length + start, shape=((end - start) // 2,))
    return (half.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])


def read_fvecs(path: Path, vector: str | None = None) -> Held:
    """Read .fvecs (each vector is its int32 width, then its float32 values) as a memory map."""
    size = path.stat().st_size
    width = int(np.fromfile(path, "<i4", 1)[0]) if size >= 4 else 0
    if width < 1 or size % (4 * (width + 1)):
        raise UserError(f"{path} is no .fvecs file: a width of {width} does not divide its {size:,} bytes.")
    raw = np.memmap(path, "<i4", "r").reshape(-1, width + 1)
    other = np.flatnonzero(raw[:, 0] != width)
    if len(other):
        raise UserError(
            f"{path}: vector {other[0]} says it is {raw[other[0], 0]} wide; the first is {width}.",
            needed="vectors of one width",
        )
    return Held(no_columns(len(raw)), raw[:, 1:].view("<f4"))


def no_columns(rows: int) -> pa.Table:
    """Return a table without columns that still knows how many rows it has."""
    return pa.table({"row": pa.nulls(rows)}).select([])


def _choose(path: Path, arrays: dict[str, NDArray[Any]], vector: str | None) -> Held:
    shapes = ", ".join(f"{name!r} {array.dtype} {array.shape}" for name, array in arrays.items()) or "nothing"
    matrices = [name for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiu"]
    if vector is not None and vector not in arrays:
        raise UserError(f"{path} has no array {vector!r}{nearest(vector, arrays)}.", needed=f"one of {shapes}")
    if vector is None and len(matrices) != 1:
        raise UserError(
            f"{path} holds {shapes}, and {'several' if matrices else 'none'} of these could be the vectors.",
            needed="one array of shape (rows, width)",
            todo="name it: --vector NAME",
        )
    chosen = vector or matrices[0]
    rows = arrays[chosen].shape[0] if arrays[chosen].ndim else 0
    columns = {name: pa.array(array) for name, array in arrays.items() if array.shape == (rows,)}
    notes = [f"vectors: the array {chosen!r} of {path.name}" + ("; another: --vector NAME" if matrices[1:] else "")]
    return Held(pa.table(columns) if columns else no_columns(rows), arrays[chosen], notes)


def _unsafe(path: Path, error: Exception) -> UserError:
    if "pickle" in str(error) or "objects" in str(error).lower():
        return UserError(
            f"{path} holds Python objects, which run code when they are read.",
            needed="an array of numbers",
            todo="in the program that made it: np.save(FILE, np.stack(list(X)).astype('float32'))",
        )
    return UserError(f"{path} cannot be read as {path.suffix}: {error}")
