"""Reading a space: vectors, rows and derived parts under one seal."""

import html
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, UserError
from codomain.space.files import Files
from codomain.space.head import Head
from codomain.space.manifest import Manifest, Roles
from codomain.space.origins import Origin
from codomain.space.parts import Part, SealedFiles
from codomain.space.received import check_tables
from codomain.space.rows import RowReader
from codomain.space.schema import KINDS, Parts
from codomain.space.vectors import Vectors


@dataclass(frozen=True)
class Generation:
    """One line of a space's history: its number, when and why it was made, its rows, parts and bytes on disk.

    It is studied when every part that a study makes is there and about these rows.
    """

    number: int
    when: str
    note: str
    rows: int
    parts: tuple[str, ...]
    bytes: int
    studied: bool


class View:
    """What can be read from one generation of a space.

    Parameters
    ----------
    path : Path
        Folder of the space.
    manifest : Manifest
        The generation.
    trusted : iterable of str, default=()
        Files that this process has just written or checked.
    """

    def __init__(self, path: Path, manifest: Manifest, trusted: Iterable[str] = ()) -> None:
        self.path = path
        self._manifest = manifest
        self._files = Files(path, manifest.seals, trusted)
        self._files.check_open()
        self._reader = RowReader(self._files, manifest)
        self.vectors = Vectors(self._files, manifest)
        check_tables(self._files, manifest)
        rows = self.fingerprint
        sealed = {name: SealedFiles(record, self._files) for name, record in manifest.parts.items()}
        self.parts = Parts(
            {name: KINDS.get(name, Part)(files, name=name, rows=rows) for name, files in sealed.items()}, path
        )

    @property
    def generation(self) -> int:
        """Number of this generation, from 1."""
        return self._manifest.generation

    @property
    def encoder(self) -> EncoderIdentity:
        """What made the vectors."""
        return self._manifest.encoder

    @property
    def roles(self) -> Roles:
        """Which columns are text, label and id."""
        return self._manifest.roles

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, the id column first."""
        return self._manifest.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and width."""
        return self.vectors.shape

    @property
    def fingerprint(self) -> str:
        """Hash of the rows, vectors, encoder and roles; derived parts do not change it."""
        return self._manifest.fingerprint

    @property
    def bytes(self) -> int:
        """Size of this generation on disk."""
        return _size(self._manifest)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The files that the rows came from, in the order in which they were written and added."""
        return self._manifest.origins

    @property
    def numbered(self) -> bool:
        """Whether the ids are the row numbers, so that new rows need none."""
        return self._manifest.numbered

    @property
    def studied(self) -> bool:
        """Whether every part that a study makes is there and about these rows."""
        return _is_studied(self._manifest)

    @property
    def work(self) -> Path:
        """Scratch folder for resumable work, made when it is not there; see `work_folder`."""
        return work_folder(self.path)

    def clear_work(self, name: str) -> None:
        """Remove `work/NAME`, whose result is sealed, also where a killed run had left it; and `work` when empty."""
        shutil.rmtree(self.path / "work" / name, ignore_errors=True)
        with suppress(OSError):
            (self.path / "work").rmdir()

    def __len__(self) -> int:
        return self._manifest.rows

    def __repr__(self) -> str:
        n, d = self.shape
        parts = f", parts: {', '.join(sorted(self.parts))}" if self.parts else ""
        return f"Space({str(self.path)!r}, generation {self.generation}: {n:,} x {d}, {self.encoder.describe()}{parts})"

    def _repr_html_(self) -> str:
        n, d = self.shape
        facts = {
            "rows": f"{n:,} x {d}, {self.bytes / 1e6:,.1f} MB",
            "encoder": self.encoder.describe(),
            "generation": f"{self.generation} of {self._manifest.when}: {self._manifest.note}",
            "columns": ", ".join(self.columns),
            "parts": ", ".join(sorted(self.parts)) or "none yet: codomain study",
        }
        lines = "".join(f"<tr><th>{name}</th><td>{html.escape(fact)}</td></tr>" for name, fact in facts.items())
        return f"<table><caption>{html.escape(str(self.path))}</caption>{lines}</table>"

    def rows(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return columns of all rows (all columns by default), the id column first."""
        return self._reader.read(self._reader.names(columns))

    def take(self, indices: Any, columns: Sequence[str] | None = None) -> pa.Table:
        """Return some rows, chosen by number or mask, in the order asked for."""
        return self._reader.take(indices, self._reader.names(columns))

    @cached_property
    def hashes(self) -> NDArray[np.bytes_]:
        """Content hash of each row, of shape (n,) and dtype S32."""
        column = self._reader.read([self._manifest.hash_column]).column(0).combine_chunks()
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        return np.frombuffer(column.buffers()[1], "S32", len(column), column.offset * 32)

    @cached_property
    def ids(self) -> pa.ChunkedArray:
        """The id column."""
        return self._reader.read([self.columns[0]]).column(0)

    def row_of(self, id: Any) -> int:
        """Return the row that has an id.

        Parameters
        ----------
        id : int or str
            As in the id column; a string is read as a number where ids are numbers.

        Raises
        ------
        UserError
            When no row has it.
        """
        try:
            row = pc.index(self.ids, pa.scalar(str(id)).cast(self.ids.type)).as_py()
        except pa.ArrowInvalid:
            row = -1
        if row < 0:
            sample = ", ".join(repr(value) for value in self.ids[:3].to_pylist())
            raise UserError(
                f"No row of {self.path} has the id {id!r}.",
                needed=f"an id from the column {self.columns[0]!r}, such as {sample}",
            )
        return int(row)

    def part(self, name: str) -> Part:
        """Return a derived part, or say how it is made."""
        return self.parts.need(name)

    def log(self) -> list[Generation]:
        """Return the generations that are kept, oldest first."""
        head = Head.read(self.path)
        kept = [head.manifest(self.path, number) for number in sorted(head.manifests)]
        return [
            Generation(m.generation, m.when, m.note, m.rows, tuple(sorted(m.parts)), _size(m), _is_studied(m))
            for m in kept
        ]


def _size(manifest: Manifest) -> int:
    return sum(seal.bytes for seal in manifest.seals.values())


def _is_studied(manifest: Manifest) -> bool:
    rows, parts = manifest.fingerprint, manifest.parts
    made = [name for name, kind in KINDS.items() if kind.made_by == "study"]
    return all(name in parts and parts[name].made_from.startswith(rows) for name in made)


def work_folder(path: str | Path) -> Path:
    """Return the scratch folder of a space, made when it is not there, even before the space is.

    What lies in it is not sealed. A stage keeps its resumable work in a subfolder with its name, which is removed when
    the stage's part is put (`encode`: when rows are written or appended); `gc` removes the rest.
    """
    folder = Path(path) / "work"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
