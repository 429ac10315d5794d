"""Which generation of a space is the present one, and the way to its manifest."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from codomain.core import DamagedError, UserError
from codomain.core.sealed import canonical
from codomain.space.manifest import FORMAT, UNFIT, Manifest
from codomain.space.received import check_names


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
        except UNFIT:
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
        except UNFIT as error:  # HEAD sealed it, but anybody can make a HEAD
            raise DamagedError(
                f"{root / 'manifests' / str(number)}.json does not describe a space: {error}.",
                todo="copy the space again from where it came from",
            ) from error
        return manifest


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
