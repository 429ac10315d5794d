"""Which files the rows of a space came from, so that the same file is not added twice."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from codomain.core.sealed import canonical, seal_of


@dataclass(frozen=True)
class Origin:
    """A file or folder that rows were read from.

    Parameters
    ----------
    name : str
        Its name, without the folder that it was in.
    sha256 : str
        Hash of its bytes; empty when only some of its rows were taken.
    """

    name: str
    sha256: str

    @classmethod
    def of(cls, path: Path, *, whole: bool = True) -> Self:
        """Read a file, or every file of a folder, and return what it is; no hash of what is neither."""
        name = path.resolve().name
        if not whole or not path.exists():
            return cls(name, "")
        if path.is_file():
            return cls(name, seal_of(path).sha256)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        found = {file.relative_to(path).as_posix(): seal_of(file).sha256 for file in files}
        return cls(name, sha256(canonical(found)).hexdigest() if files else "")
