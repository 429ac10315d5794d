"""One writer at a time, on every system, and the system's refusals in plain words."""

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from codomain.core.errors import UserError
from codomain.core.progress import say

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FAR = 2**30  # Windows locks bytes, which nobody may read then: this one lies behind the end of every file locked
_MINE = threading.local()  # the spaces that this thread works on
_PAUSE = 0.05  # seconds between two tries where the system has no patient way to wait


def locked(file: BinaryIO, *, wait: bool = False) -> bool:
    """Lock an open file for this process alone, until the file is closed.

    Parameters
    ----------
    file : binary file
        Open for writing.
    wait : bool, default=False
        Whether to wait while another process has it.

    Returns
    -------
    bool
        False when another process, or another open file of this one, has it.
    """
    if find_spec("fcntl"):
        fcntl: Any = import_module("fcntl")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
    msvcrt: Any = import_module("msvcrt")
    while not _byte_locked(file, msvcrt):
        if not wait:
            return False
        time.sleep(_PAUSE)
    return True


def _byte_locked(file: BinaryIO, msvcrt: Any) -> bool:
    """Lock one byte, as Windows does; the file's place stays where it was."""
    place = file.tell()
    file.seek(_FAR)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EDEADLK):
            raise
        return False
    finally:
        file.seek(place)
    return True


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the space's only pen; wait for it when another process has it.

    Parameters
    ----------
    root : Path
        Folder of the space, made when it is not there.

    Raises
    ------
    UserError
        When the disk is full or the folder may not be written to.
    """
    with _holding(root, ".lock", f"Another process writes to {root}: waiting for it."):
        yield


@contextmanager
def working(root: Path) -> Iterator[None]:
    """Be the only one who encodes for a space, studies it or clears its scratch; wait for another process that does.

    Longer than `writing`, which is held only while a generation is written: readers and writers of other parts do not
    wait for it. A thread that has it already goes on.

    Parameters
    ----------
    root : Path
        Folder of the space, made when it is not there.

    Raises
    ------
    UserError
        When the disk is full or the folder may not be written to.
    """
    mine = _MINE.__dict__.setdefault("roots", set())
    name = os.path.realpath(root)
    if name in mine:
        yield
        return
    with _holding(root, ".working", f"Another command works on {root}: waiting for it."):
        mine.add(name)
        try:
            yield
        finally:
            mine.remove(name)


@contextmanager
def only_writer(path: Path, lock: Path) -> Iterator[None]:
    """Be the only one who writes a file that has no space around it; wait for another who does.

    Parameters
    ----------
    path : Path
        The file, for the line that says what is waited for.
    lock : Path
        A file that is there only while somebody writes, or after a writer was killed.
    """
    while True:
        with lock.open("ab") as file:
            if not locked(file):
                say(f"Another process writes {path}: waiting for it.")
                locked(file, wait=True)
            if not _is_at(file, lock):  # its owner has removed it since
                continue
            try:
                yield
                return
            finally:
                if os.name == "nt":  # no open file is removed there
                    file.close()
                with suppress(PermissionError):  # there the next writer has it open, and removes it
                    lock.unlink()


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _holding(root: Path, name: str, wait: str) -> Iterator[None]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with (root / name).open("ab") as file:
            if not locked(file):
                say(wait)
                locked(file, wait=True)
            yield
    except OSError as error:
        if error.errno in FULL:
            raise UserError(
                f"The disk is full, or a limit on file size was met, while writing to {root}.",
                needed="room for the new files; what was there before is whole",
                todo=f"free some room (codomain gc {root} removes old generations) and type the command again",
            ) from error
        if error.errno in _FORBIDDEN:
            raise UserError(
                f"{root} may not be written to ({error.strerror}).",
                needed="a folder that you may write to",
                todo=f"{_permit(root)}, or copy the space to a folder of your own",
            ) from error
        raise


def _permit(root: Path) -> str:
    """Return what to type so that a folder may be written to."""
    return f"chmod -R u+w {root}" if os.name == "posix" else f"icacls {root} /grant %USERNAME%:(OI)(CI)M /T"
