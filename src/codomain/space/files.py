"""The sealed files of one generation; none is read before it has matched its seal."""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from codomain.core.sealed import Seal, check, check_size

CHECKED_AT_OPEN = 2**30  # bytes; what is beyond is checked block by block when first read


class Files:
    """The sealed files of one generation; none is read before it has matched its seal.

    Parameters
    ----------
    root : Path
        Folder of the space.
    seals : dict of str to Seal
        By path within the space.
    trusted : set of str, default=()
        Files that this process has just sealed or already checked.
    """

    def __init__(self, root: Path, seals: dict[str, Seal], trusted: Iterable[str] = ()) -> None:
        self.root, self.seals = root, seals
        known = set(trusted)
        self._one = Lock()  # blocks are read ahead by several threads
        self._left = {name: set(range(len(seal.blocks))) for name, seal in seals.items() if name not in known}

    @property
    def trusted(self) -> set[str]:
        """Files that need no further look."""
        return set(self.seals) - set(self._left)

    def is_trusted(self, name: str) -> bool:
        """Whether a file needs no further look."""
        return name not in self._left

    def check_open(self) -> None:
        """Check every size, and every byte of the smaller files until 1 GiB is spent."""
        spent = 0
        for name in sorted(self._left, key=lambda name: (self.seals[name].bytes, name)):
            spent += self.seals[name].bytes
            if spent <= CHECKED_AT_OPEN:
                self.check(name)
            else:
                check(self.root / name, self.seals[name], blocks=(), todo=self._todo(name))

    def check_all(self) -> None:
        """Check every byte of every file."""
        for name in list(self._left):
            self.check(name)

    def check(self, name: str, blocks: Iterable[int] | None = None) -> Path:
        """Return a file's path once its 64 MiB blocks (all of them by default) have matched."""
        path = self.root / name
        with self._one:
            if name not in self._left:
                check_size(path, self.seals[name], todo=self._todo(name))  # a map of a file cut short ends the process
            else:
                todo = self._left[name] if blocks is None else self._left[name].intersection(blocks)
                check(path, self.seals[name], blocks=todo, todo=self._todo(name))
                self._left[name] = self._left[name] - todo
                if not self._left[name]:
                    del self._left[name]
        return path

    def _todo(self, name: str) -> str:
        backup = "copy this file back from a backup"
        mend = f"drop it, as it can be made again: codomain.open({str(self.root)!r}, mend=True)"
        return f"{backup}, or {mend}" if name.startswith("parts/") else backup
