"""Files with a seal, their size and hashes, so that a flipped bit is refused instead of read."""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codomain.core.errors import DamagedError, UserError
from codomain.core.locks import only_writer
from codomain.core.npy import npy_chunks

BLOCK = 64 * 2**20  # bytes under one block hash
_STEP = 2**20
_LONG_NAME = 240  # bytes; file systems take names of 255, and some signs are added here


@dataclass(frozen=True)
class Seal:
    """Size and hashes that a file must have.

    Parameters
    ----------
    bytes : int
        Its size.
    sha256 : str
        Hash of the whole file, as `sha256sum` prints it.
    blocks : tuple of str
        Hash of each 64 MiB; a smaller file has one, equal to `sha256`.
    """

    bytes: int
    sha256: str
    blocks: tuple[str, ...]

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote; ValueError when it cannot be the seal of any file."""
        seal = cls(record["bytes"], record["sha256"], tuple(record.get("blocks", [record["sha256"]])))
        blocks = max(1, -(-seal.bytes // BLOCK)) if isinstance(seal.bytes, int) and seal.bytes >= 0 else 0
        if len(seal.blocks) != blocks or not all(isinstance(one, str) for one in (seal.sha256, *seal.blocks)):
            raise ValueError(f"no file has the seal {str(record)[:200]}")
        return seal

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them; one block is not written twice."""
        plain: dict[str, Any] = {"bytes": self.bytes, "sha256": self.sha256}
        return plain | ({"blocks": list(self.blocks)} if len(self.blocks) > 1 else {})


class SealedWriter:
    """A binary file that is hashed while it is written, and is on the disk once closed.

    Parameters
    ----------
    path : Path
        Where to write; an older file there is overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._whole, self._block = hashlib.sha256(), hashlib.sha256()
        self._blocks: list[str] = []
        self._size = 0
        self._pool = ThreadPoolExecutor(1)  # its thread starts with the first task

    @property
    def closed(self) -> bool:
        """Whether the file is closed (pyarrow asks)."""
        return self._file.closed

    @property
    def seal(self) -> Seal:
        """The seal of what has been written so far."""
        if not self._blocks:
            return Seal(self._size, self._whole.hexdigest(), (self._whole.hexdigest(),))
        last = [self._block.hexdigest()] if self._size % BLOCK else []
        return Seal(self._size, self._whole.hexdigest(), (*self._blocks, *last))

    def write(self, data: Any) -> int:
        """Write bytes, or any object with the buffer protocol."""
        left = memoryview(data).cast("B")
        written = len(left)
        while left:
            piece = left[: BLOCK - self._size % BLOCK]
            if self._blocks:  # up to the first boundary both hashes are the same; after it each has its own thread
                other = self._pool.submit(self._whole.update, piece)
                self._file.write(piece)
                self._block.update(piece)
                other.result()
            else:
                self._file.write(piece)
                self._whole.update(piece)
            self._size += len(piece)
            left = left[len(piece) :]
            if self._size % BLOCK == 0:
                self._blocks.append((self._block if self._blocks else self._whole).hexdigest())
                self._block = hashlib.sha256()
        return written

    def flush(self) -> None:
        """Pass what is buffered to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Write everything to the disk itself, then close."""
        if not self._file.closed:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            finally:
                self._file.close()
                self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def write_sealed(path: Path, data: bytes | NDArray[Any] | Iterable[Any]) -> Seal:
    """Write a file to the disk itself and return its seal.

    Parameters
    ----------
    path : Path
        Where to write.
    data : bytes, ndarray or iterable of bytes
        An array becomes a .npy file.

    Returns
    -------
    Seal
        Of the bytes that were to be written, not of those that a faulty disk returns.
    """
    chunks = npy_chunks(data) if isinstance(data, np.ndarray) else [data] if isinstance(data, bytes) else data
    with SealedWriter(path) as file:
        for chunk in chunks:
            file.write(chunk)
    return file.seal


def seal_of(path: Path) -> Seal:
    """Read a file and return its seal."""
    whole, blocks, size = hashlib.sha256(), [], 0
    with path.open("rb") as file:
        while True:
            block, read = hashlib.sha256(), 0
            while read < BLOCK and (piece := file.read(min(_STEP, BLOCK - read))):
                whole.update(piece)
                block.update(piece)
                read += len(piece)
            if read or not size:
                blocks.append(block.hexdigest())
            size += read
            if read < BLOCK:
                return Seal(size, whole.hexdigest(), tuple(blocks))


def check(path: Path, seal: Seal, *, blocks: Iterable[int] | None = None, todo: str = "") -> None:
    """Refuse a file that does not match its seal.

    Parameters
    ----------
    path : Path
        The file.
    seal : Seal
        The seal that it must have.
    blocks : iterable of int, default=None
        Numbers of the 64 MiB blocks to read; all by default, an empty list checks only the size.
    todo : str, default=""
        What to type when it is damaged.

    Raises
    ------
    DamagedError
        With the name of the file: it is missing, or has another size or other bytes.
    """
    todo = todo or "copy this file back from a backup"
    needed = f"the {seal.bytes:,} bytes with sha256 {seal.sha256[:16]}... that were sealed"
    check_size(path, seal, todo=todo)
    wanted = range(len(seal.blocks)) if blocks is None else sorted(set(blocks))
    buffer = memoryview(bytearray(_STEP))
    with path.open("rb") as file:
        for number in wanted:
            file.seek(number * BLOCK)
            left, found = min(BLOCK, seal.bytes - number * BLOCK), hashlib.sha256()
            while left and (read := file.readinto(buffer[: min(left, _STEP)])):
                found.update(buffer[:read])
                left -= read
            if found.hexdigest() != seal.blocks[number]:
                raise DamagedError(
                    f"{path} is damaged: bytes from {number * BLOCK:,} on are not what was sealed.",
                    needed=needed,
                    todo=todo,
                )


def check_size(path: Path, seal: Seal, *, todo: str = "") -> None:
    """Refuse what is missing, is no file, or has another size than was sealed; see `check`."""
    todo = todo or "copy this file back from a backup"
    needed = f"the {seal.bytes:,} bytes with sha256 {seal.sha256[:16]}... that were sealed"
    try:
        found = path.stat()
    except FileNotFoundError:
        raise DamagedError(f"{path} is missing.", needed=needed, todo=todo) from None
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
        raise DamagedError(f"{path} is not a file.", needed=needed, todo=todo)
    if found.st_size != seal.bytes:
        raise DamagedError(f"{path} is damaged: it has {found.st_size:,} bytes.", needed=needed, todo=todo)


def canonical(value: Any, *, indent: int | None = None) -> bytes:
    """Return the one JSON form of a value: sorted keys, no NaN, numpy numbers as plain ones."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent, default=_plain)
    return (text + "\n").encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form: give a dict, list, string, number or array.")


def fsync_folder(path: Path) -> None:
    """Make renames inside a folder survive a power cut; does nothing on Windows, which has no such call."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there at the end becomes the file `path`, and an error leaves the old file.

    Parameters
    ----------
    path : Path
        The file to make or replace. A link to a file stays a link; a device is written to as it is.

    Yields
    ------
    Path
        A new name in the same folder. Another writer of `path` waits; a writer that was killed is cleared up after.

    Raises
    ------
    UserError
        When a folder has this name.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder.", needed="the name of a file")
    if path.exists() and not path.is_file():
        yield path
        return
    path = Path(os.path.realpath(path))
    with _moved_into(path) as new:
        yield new
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, new)


def replace_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content so that a reader, or a crash, finds either the old bytes or the new ones."""
    with _moved_into(path) as new:
        write_sealed(new, data)


@contextmanager
def _moved_into(path: Path) -> Iterator[Path]:
    """Give the name that stands in for a file until it is whole; the same each time, so a killed writer's is reused."""
    name = path.name if len(os.fsencode(path.name)) < _LONG_NAME else hashlib.sha256(os.fsencode(path.name)).hexdigest()
    new = path.with_name(f".{name}.new")
    with only_writer(path, path.with_name(f".{name}.new.lock")):
        try:
            new.unlink(missing_ok=True)  # of a writer that was killed; its mode may be another
            yield new
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    fsync_folder(path.parent)
