"""Derived parts of a space: arrays, JSON and other files, each checked before it is read."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from codomain.core import UserError
from codomain.space.checks import nearest
from codomain.space.manifest import Files, PartRecord


class Part:
    """The files that one stage has sealed.

    Parameters
    ----------
    name : str
        The stage.
    record : PartRecord
        What the manifest says of it.
    files : Files
        The sealed files of the generation.
    """

    def __init__(self, name: str, record: PartRecord, files: Files) -> None:
        self.name, self._record, self._files = name, record, files

    @property
    def made_from(self) -> str:
        """Fingerprint of what it was made from, as its stage gave it."""
        return self._record.made_from

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the libraries that were installed when it was made."""
        return dict(self._record.versions)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its files."""
        return self._record.files

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(self._files.seals[f"{self._record.folder}/{name}"].bytes for name in self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __repr__(self) -> str:
        return f"Part({self.name!r}: {', '.join(self.names)})"

    def path(self, name: str) -> Path:
        """Return the path of one file, checked against its seal."""
        if name not in self.names:
            raise UserError(
                f"The part {self.name!r} has no file {name!r}.",
                needed=f"one of {', '.join(self.names)}{nearest(name, self.names)}",
            )
        return self._files.check(f"{self._record.folder}/{name}")

    def __getitem__(self, name: str) -> Any:
        """Return a read-only memory map of a .npy file, the value of a .json file, the path of any other."""
        path = self.path(name)
        if path.suffix == ".json":
            return json.loads(path.read_bytes())
        if path.suffix != ".npy":
            return path
        shape = np.load(path, mmap_mode="r", allow_pickle=False)
        return shape.view(np.ndarray)
