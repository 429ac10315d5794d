"""What a generation of a space is made of, as sealed JSON."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Self

from codomain.core import EncoderIdentity
from codomain.core.sealed import Seal, canonical
from codomain.space.origins import Origin

FORMAT = 2  # 2: the files that the rows came from
UNFIT = (ValueError, TypeError, KeyError, AttributeError, RecursionError)  # what a made up manifest raises
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
        """Read what `to_bytes` wrote, or raise any of the errors in `UNFIT`; see `Head.manifest`."""
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
