"""Arrays as the bytes of .npy files: one in blocks of rows, or several in one file. Nothing is ever pickled."""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core.errors import UserError

_STEP = 8 * 2**20  # bytes of rows in a chunk


def npy_chunks(array: Any, dtype: Any = None) -> Iterator[Any]:
    """Yield the bytes of a .npy file a few megabytes at a time, so that a memory map is never copied whole.

    Parameters
    ----------
    array : array-like with shape, dtype and slicing by rows
        What to write.
    dtype : dtype, default=None
        Convert to this, block by block.

    Yields
    ------
    bytes-like
        The header, then blocks of rows in C order.
    """
    return (make() for make in npy_makers(array, dtype))


def npy_makers(array: Any, dtype: Any = None) -> Iterator[Callable[[], Any]]:
    """Yield functions that return the chunks of `npy_chunks`, one each; any thread may call them."""
    kind = np.dtype(dtype or array.dtype)
    if kind.hasobject:
        raise TypeError("An array of Python objects has no safe form on disk: give it a number or string dtype.")
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": tuple(array.shape)}
    head = _Bytes()
    np.lib.format.write_array_header_1_0(head, header)
    yield lambda: bytes(head)
    if not array.shape:
        yield lambda: np.asarray(array, dtype=kind).tobytes()
        return
    width = int(np.prod(array.shape[1:], dtype=np.int64)) * kind.itemsize
    step = max(1, _STEP // max(1, width))

    def rows(start: int) -> Any:
        return np.ascontiguousarray(array[start : start + step], dtype=kind).reshape(-1).view(np.uint8)

    for start in range(0, array.shape[0] if width else 0, step):
        yield partial(rows, start)


class _Bytes(bytearray):
    def write(self, data: bytes) -> int:
        self += data
        return len(data)


def pack_arrays(magic: bytes, arrays: Iterable[NDArray[Any]]) -> bytes:
    """Return several arrays as the bytes of one file: a first line that names its kind, then one .npy after another.

    Parameters
    ----------
    magic : bytes
        First line of the file, with its end.
    arrays : iterable of ndarray
        Numbers or strings.

    Returns
    -------
    bytes
        What `unpack_arrays` reads.
    """
    out = io.BytesIO(magic)
    out.seek(0, io.SEEK_END)
    for array in arrays:
        np.save(out, array, allow_pickle=False)
    return out.getvalue()


def unpack_arrays(magic: bytes, data: bytes, count: int) -> list[NDArray[Any]]:
    """Read what `pack_arrays` wrote.

    Parameters
    ----------
    magic : bytes
        The first line that the file must have.
    data : bytes
        The file.
    count : int
        Arrays that it must hold.

    Returns
    -------
    list of ndarray
        As they were packed.

    Raises
    ------
    UserError
        When the first line differs, or the file is cut short or too long.
    """
    what = magic.decode().strip()
    if not data.startswith(magic):
        raise UserError(f"This is no file of {what!r}.", todo="codomain study SPACE makes it again")
    file = io.BytesIO(data)
    file.seek(len(magic))
    try:
        arrays = [np.load(file, allow_pickle=False) for _ in range(count)]
    except (ValueError, EOFError) as error:
        raise UserError(f"A file of {what!r} is cut short.", todo="codomain study SPACE makes it again") from error
    if file.tell() != len(data):
        raise UserError(f"A file of {what!r} has more than its arrays.", todo="codomain study SPACE makes it again")
    return arrays
