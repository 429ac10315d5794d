"""Which files the rows of a space came from, so that the same file is not added twice."""

import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from codomain.core.maths.blocks import slices
from codomain.core.sealed import canonical, seal_of


@dataclass(frozen=True)
class Origin:
    """A file, a folder or an object of a program that rows came from.

    Parameters
    ----------
    name : str
        Its name, without the folder that it was in; of an object that of its class.
    sha256 : str
        Hash of its bytes, or of the object's values; empty when only some of its rows were taken.
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

    @classmethod
    def of_rows(cls, name: str, table: pa.Table, vectors: NDArray[Any] | None, *, whole: bool = True) -> Self:
        """Return what an object is by the names, types and values of its columns, and by its vectors as float32."""
        if not whole:
            return cls(name, "")
        sink = _Hash()
        sink.write(f"{table.num_rows}".encode())
        if table.num_columns:  # parquet writes values one way, however the memory that holds them is laid out
            parquet.write_table(table.combine_chunks(), pa.PythonFile(sink, "w"), compression="none")
        if vectors is not None:
            sink.write(f"{vectors.shape}".encode())
            for rows in slices(len(vectors)):
                with np.errstate(over="ignore"):  # what float32 cannot hold is refused where vectors are checked
                    sink.write(np.ascontiguousarray(vectors[rows], "<f4").data.cast("B"))
        return cls(name, sink.sha256.hexdigest())


class _Hash(io.RawIOBase):
    """A file of which only the hash is kept."""

    def __init__(self) -> None:
        self.sha256 = sha256()

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self.sha256.update(piece)
        return len(piece)
