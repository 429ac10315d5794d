"""One writer at a time, and the system's refusals in plain words."""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codomain.core import UserError, say

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


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
    try:
        root.mkdir(parents=True, exist_ok=True)
        with (root / ".lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"Another process writes to {root}: waiting for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        if error.errno in _FULL:
            raise UserError(
                f"The disk is full, or a limit on file size was met, while writing to {root}.",
                needed="room for the new files; what was there before is whole",
                todo=f"free some room (codomain gc {root} removes old generations) and type the command again",
            ) from error
        if error.errno in _FORBIDDEN:
            raise UserError(
                f"{root} may not be written to ({error.strerror}).",
                needed="a folder that you may write to",
                todo=f"chmod -R u+w {root}, or copy the space to a folder of your own",
            ) from error
        raise
