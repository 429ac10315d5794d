"""What a generation of a space is made of, as sealed JSON."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any, Self

from codomain.core import DamagedError, EncoderIdentity, UserError
from codomain.core.sealed import Seal, canonical, check, check_size
from codomain.space.origins import Origin
from codomain.space.received import check_names

FORMAT = 2  # 2: the files that the rows came from
CHECKED_AT_OPEN = 2**30  # bytes; what is beyond is checked block by block when first read
_UNFIT = (ValueError, TypeError, KeyError, AttributeError, RecursionError)  # what a made up manifest raises
_LIBRARIES = (
    "codomain", "numpy", "scipy", "scikit-learn", "pyarrow", "safetensors", "faiss-cpu", "onnxruntime", "tokenizers",
    "torch", "umap-learn",
)  # fmt: skip


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries whose numbers may end up in a space."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Roles:
    """Which columns play a part.

    Parameters
    ----------
    text, label, id : str or None
        Names of the columns that hold the text that was encoded, a label, and what identifies a row.
    """

    text: str | None = None
    label: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class Shard:
    """Rows that were written together: file names of their vectors and of their table."""

    rows: int
    vectors: str
    table: str


@dataclass(frozen=True)
class PartRecord:
    """A derived part: its folder, its files, what it was made from and by which versions."""

    folder: str
    files: tuple[str, ...]
    made_from: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """Everything about one generation."""

    generation: int
    when: str
    note: str
    parent: str | None  # sha256 of the manifest before
    dim: int
    encoder: EncoderIdentity
    roles: Roles
    columns: tuple[str, ...]  # the id column first; the content hash is not among them
    hash_column: str
    numbered: bool  # ids are the row numbers 0 to n - 1
    shards: tuple[Shard, ...]
    origins: tuple[Origin, ...] = ()
    parts: dict[str, PartRecord] = field(default_factory=dict)
    seals: dict[str, Seal] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=library_versions)

    @property
    def rows(self) -> int:
        """How many rows."""
        return sum(shard.rows for shard in self.shards)

    @property
    def fingerprint(self) -> str:
        """Hash of what the rows are: shards, encoder and roles, but no derived part."""
        seals = [(self.seals[s.vectors].sha256, self.seals[s.table].sha256) for s in self.shards]
        data = canonical([seals, self.encoder.to_dict(), asdict(self.roles)])
        return hashlib.sha256(data).hexdigest()[:32]

    def part_seals(self, name: str) -> dict[str, Seal]:
        """Seals of one part's files, by path within the space."""
        record = self.parts[name]
        return {f"{record.folder}/{file}": self.seals[f"{record.folder}/{file}"] for file in record.files}

    def to_bytes(self) -> bytes:
        """Return canonical JSON."""
        plain = asdict(self) | {"seals": {name: seal.to_dict() for name, seal in self.seals.items()}}
        return canonical({"format": FORMAT, "rows": self.rows, **plain}, indent=1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote, or raise any of the errors in `_UNFIT`; see `Head.manifest`."""
        plain = json.loads(data)
        rows = plain.pop("rows")
        del plain["format"]
        plain["encoder"] = EncoderIdentity.from_dict(plain["encoder"])
        plain["roles"] = Roles(**plain["roles"])
        plain["columns"] = tuple(plain["columns"])
        plain["shards"] = tuple(Shard(**shard) for shard in plain["shards"])
        plain["parts"] = {
            name: PartRecord(**record | {"files": tuple(record["files"])}) for name, record in plain["parts"].items()
        }
        plain["seals"] = {name: Seal.from_dict(seal) for name, seal in plain["seals"].items()}
        plain["origins"] = tuple(Origin(**origin) for origin in plain.get("origins", ()))
        manifest = cls(**plain)
        if manifest.rows != rows:
            raise ValueError(f"{rows} rows are said, and the shards have {manifest.rows}")
        return manifest


@dataclass(frozen=True)
class Head:
    """Which generation is the present one, and the hash of every manifest that is kept."""

    generation: int
    manifests: dict[int, str]

    def to_bytes(self) -> bytes:
        """Return canonical JSON that carries its own hash."""
        plain = {"format": FORMAT, "generation": self.generation}
        body: dict[str, Any] = plain | {"manifests": {str(n): sha for n, sha in self.manifests.items()}}
        return canonical(body | {"check": _sha256(canonical(body, indent=1))}, indent=1)

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read and check SPACE/HEAD.

        Raises
        ------
        DamagedError
            When a bit of it has changed.
        UserError
            When a newer version wrote it.
        """
        path = root / "HEAD"
        damaged = DamagedError(
            f"{path} is damaged: it does not match its own hash.", todo="copy this file back from a backup"
        )
        data = path.read_bytes()
        try:
            body = json.loads(data)
            found = body.pop("check")
            whole = canonical(body | {"check": found}, indent=1) == data
        except (ValueError, KeyError, TypeError, AttributeError):
            raise damaged from None
        if not whole or found != _sha256(canonical(body, indent=1)):
            raise damaged
        if not isinstance(body["format"], int):
            raise damaged
        if body["format"] > FORMAT:
            raise UserError(
                f"{root} was written in format {body['format']}; this version reads up to format {FORMAT}.",
                needed="a codomain at least as new as the one that wrote the space",
                todo="upgrade codomain: pip install --upgrade codomain",
            )
        try:
            head = cls(body["generation"], {int(n): sha for n, sha in body["manifests"].items()})
        except _UNFIT:
            raise damaged from None
        if head.generation not in head.manifests:
            raise damaged
        return head

    def manifest_bytes(self, root: Path, number: int) -> bytes:
        """Return one manifest's bytes after its hash has matched."""
        path = root / "manifests" / f"{number}.json"
        todo = "copy this file back from a backup"
        if not path.is_file():
            raise DamagedError(f"{path} is missing{', or no file' if path.exists() else ''}.", todo=todo)
        data = path.read_bytes()
        if _sha256(data) != self.manifests[number]:
            raise DamagedError(f"{path} is damaged: it is not what HEAD sealed.", todo=todo)
        return data

    def manifest(self, root: Path, number: int) -> Manifest:
        """Return one checked manifest, or say which generations there are."""
        if number not in self.manifests:
            kept = ", ".join(map(str, sorted(self.manifests)))
            raise UserError(
                f"{root} has no generation {number}.", needed=f"one of {kept}", todo=f"look at codomain log {root}"
            )
        data = self.manifest_bytes(root, number)
        try:
            manifest = Manifest.from_bytes(data)
            check_names(manifest)
            if manifest.generation != number:
                raise ValueError(f"it is that of generation {manifest.generation}")
        except _UNFIT as error:  # HEAD sealed it, but anybody can make a HEAD
            raise DamagedError(
                f"{root / 'manifests' / str(number)}.json does not describe a space: {error}.",
                todo="copy the space again from where it came from",
            ) from error
        return manifest


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

    def known(self, name: str) -> bool:
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


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
