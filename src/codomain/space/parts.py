"""Derived parts of a space: files by name, each checked against its seal before it is read."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.space.checks import nearest
from codomain.space.files import Files
from codomain.space.manifest import PartRecord

T = TypeVar("T")


class SealedFiles(Mapping[str, Any]):
    """The files of one part as a generation has sealed them.

    Parameters
    ----------
    record : PartRecord
        What the manifest says of the part.
    files : Files
        The sealed files of the generation.
    """

    def __init__(self, record: PartRecord, files: Files) -> None:
        self.record, self._files = record, files

    @property
    def bytes(self) -> int:
        """Size of all of them."""
        return sum(self._files.seals[f"{self.record.folder}/{name}"].bytes for name in self)

    def path(self, name: str) -> Path:
        """Return the path of one of them, checked against its seal."""
        return self._files.check(f"{self.record.folder}/{name}")

    def __getitem__(self, name: str) -> Any:
        path = self.path(name)
        if path.suffix == ".json":
            return json.loads(path.read_bytes())
        if path.suffix != ".npy":
            return path
        return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)

    def __iter__(self) -> Iterator[str]:
        return iter(self.record.files)

    def __len__(self) -> int:
        return len(self.record.files)


class Part:
    """What one stage has made: its files by name. `schema` names those of each stage, and gives them as attributes.

    Parameters
    ----------
    files : mapping of str to array, JSON value or Path
        Sealed files, or what a stage has just returned.
    name : str, optional
        The stage; that of the class by default.
    rows : str, default=""
        Fingerprint of the rows that the space has now.
    """

    name: str = ""
    made_by: ClassVar[str] = "study"  # the command that makes it; only a study can bring a part up to date
    reads: ClassVar[tuple[str, ...]] = ()  # names of the parts that it is made from, besides the rows

    def __init__(self, files: Mapping[str, Any], *, name: str = "", rows: str = "") -> None:
        self._content, self._rows = files, rows
        self._sealed = files if isinstance(files, SealedFiles) else None
        if name:
            self.name = name

    @property
    def made_from(self) -> str:
        """Fingerprint of what it was made from, as its stage gave it; nothing when it is not sealed."""
        return self._sealed.record.made_from if self._sealed is not None else ""

    @property
    def fresh(self) -> bool:
        """Whether it is about the rows that the space has now; a stage's fingerprint begins with that of the rows."""
        return self._sealed is None or self.made_from.startswith(self._rows)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the libraries that were installed when it was sealed."""
        return dict(self._sealed.record.versions) if self._sealed is not None else {}

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its files."""
        return tuple(self._content)

    @property
    def bytes(self) -> int:
        """Size of all its files on the disk."""
        return self._sealed.bytes if self._sealed is not None else 0

    def __contains__(self, name: object) -> bool:
        return name in self.files

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}: {', '.join(self.files)})"

    def path(self, name: str) -> Path:
        """Return the path of one file, checked against its seal."""
        self._check(name)
        return self._sealed.path(name) if self._sealed is not None else Path(self._content[name])

    def __getitem__(self, name: str) -> Any:
        """Return a read-only memory map of a .npy file, the value of a .json file, the path of any other."""
        self._check(name)
        return self._content[name]

    def _check(self, name: str) -> None:
        if name not in self.files:
            raise UserError(
                f"The part {self.name!r} has no file {name!r}.",
                needed=f"one of {', '.join(self.files)}{nearest(name, self.files)}",
            )


# A file is declared as an attribute of its part. On the class it is the name, which is what a stage writes:
# `{MapPart.xy: drawn.xy}`. On a part it is the content: `space.parts.map.xy`.
class ArrayFile(str):
    """Name of a .npy file; on a part, the array."""

    __slots__ = ()

    @overload
    def __get__(self, part: None, kind: type[Part]) -> Self: ...
    @overload
    def __get__(self, part: Part, kind: type[Part]) -> NDArray[Any]: ...
    def __get__(self, part: Part | None, kind: type[Part]) -> Self | NDArray[Any]:
        return self if part is None else np.asarray(part[self])


class JsonFile(str, Generic[T]):
    """Name of a .json file; on a part, its value, of the type T."""

    @overload
    def __get__(self, part: None, kind: type[Part]) -> Self: ...
    @overload
    def __get__(self, part: Part, kind: type[Part]) -> T: ...
    def __get__(self, part: Part | None, kind: type[Part]) -> Self | T:
        return self if part is None else part[self]


class OtherFile(str):
    """Name of a file of another kind; on a part, its path."""

    __slots__ = ()

    @overload
    def __get__(self, part: None, kind: type[Part]) -> Self: ...
    @overload
    def __get__(self, part: Part, kind: type[Part]) -> Path: ...
    def __get__(self, part: Part | None, kind: type[Part]) -> Self | Path:
        return self if part is None else part.path(self)
