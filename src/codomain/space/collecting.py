"""Freeing the room of old generations: which are kept, which files nothing needs, and removing them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from codomain.core import DamagedError
from codomain.core.locks import working
from codomain.core.sealed import canonical, replace_atomically, seal_of
from codomain.space.commit import pen
from codomain.space.head import Head
from codomain.space.received import PART, TABLE, VECTORS
from codomain.space.schema import KINDS

_SCRATCH = {"encode", "migrate", "scratch", *KINDS}  # folders in work/ that studies and migrations make


@dataclass(frozen=True)
class Garbage:
    """What nothing needs any more.

    Parameters
    ----------
    kept, forgotten : tuple of int
        Generations.
    files : dict of str to int
        Bytes of each file, by its path within the space.
    """

    kept: tuple[int, ...]
    forgotten: tuple[int, ...]
    files: dict[str, int]

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(self.files.values())


def garbage(root: Path, keep: int) -> Garbage:
    """Return what `collect` would remove; nothing is changed.

    A file is only listed when a generation that is known has sealed it, or when its name is made of the hash of its
    content, as a space makes names: so a killed writer's files are found, and a person's own are not.
    """
    head = Head.read(root)
    known = {number: head.manifest(root, number) for number in sorted(head.manifests)}
    rows = {number: manifest.fingerprint for number, manifest in known.items()}
    ends = [number for number, later in pairwise(known) if rows[number] != rows[later]]
    kept = (*ends, max(known))[-keep:]
    needed = {name for number in kept for name in known[number].seals} | {f"manifests/{n}.json" for n in kept}
    sealed = {name for manifest in known.values() for name in manifest.seals} | {f"manifests/{n}.json" for n in known}
    found = {name for name in sealed if (root / name).is_file()} | set(_own_files(root, sealed))
    files = {name: (root / name).lstat().st_size for name in sorted(found - needed)}
    return Garbage(kept, tuple(number for number in known if number not in kept), files)


def _own_files(root: Path, sealed: set[str]) -> Iterator[str]:
    """Yield files that no generation in HEAD has sealed and that were made by this space all the same."""
    for pattern, glob in ((VECTORS, "vectors-*"), (TABLE, "rows-*")):
        for path in root.glob(glob):
            named = pattern.fullmatch(path.name)
            if path.name not in sealed and named and path.is_file() and seal_of(path).sha256.startswith(named[1]):
                yield path.name
    for folder in root.glob("parts/*"):
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        names = [file.relative_to(root).as_posix() for file in files]
        named = PART.fullmatch(folder.relative_to(root).as_posix())
        if named and not sealed.intersection(names):
            seals = {file.relative_to(folder).as_posix(): seal_of(file).sha256 for file in files}
            if sha256(canonical(seals)).hexdigest().startswith(named[1]):
                yield from names
    for path in root.glob("manifests/*.json"):
        name = path.relative_to(root).as_posix()
        if name not in sealed and path.stem.isdecimal() and _generation(path) == int(path.stem):
            yield name
    for scratch in sorted(_SCRATCH):
        yield from (p.relative_to(root).as_posix() for p in (root / "work" / scratch).rglob("*") if p.is_file())


def _generation(path: Path) -> object:
    try:
        return json.loads(path.read_bytes()).get("generation")
    except (ValueError, AttributeError, RecursionError):
        return None


def collect(root: Path, keep: int) -> int:
    """Forget old generations and remove what nothing needs then; wait for a study that is at work.

    Parameters
    ----------
    root : Path
        The space.
    keep : int
        Of so many states of the rows, the latest first, the last generation stays.

    Returns
    -------
    int
        Bytes freed.
    """
    if not (root / "HEAD").is_file():
        raise DamagedError(f"{root / 'HEAD'} is missing.")
    with working(root), pen(root) as held:
        assert held.head is not None
        found = garbage(root, keep)
        head = Head(held.head.generation, {number: held.head.manifests[number] for number in found.kept})
        if head != held.head:  # HEAD first: a crash after it leaves files too many, never too few
            replace_atomically(root / "HEAD", head.to_bytes())
        folders = set()
        for name in found.files:
            (root / name).unlink()
            folders |= {root / parent for parent in Path(name).parents} - {root}
        for scratch in _SCRATCH:
            folders |= {root / "work", root / "work" / scratch, *(root / "work" / scratch).rglob("*")}
        for folder in sorted(folders, reverse=True):  # what is inside a folder comes before it
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    return found.bytes
