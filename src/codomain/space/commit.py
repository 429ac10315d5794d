"""How a space changes: new files, fsync, rename, manifest, and HEAD last."""

import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from codomain.core import DamagedError, UserError
from codomain.core.locks import writing
from codomain.core.maths.threads import cores
from codomain.core.npy import npy_makers
from codomain.core.sealed import (
    Seal,
    SealedWriter,
    canonical,
    fsync_folder,
    replace_atomically,
    seal_of,
    write_sealed,
)
from codomain.space.head import Head
from codomain.space.intake import file_chunks, hash_blocks, plain_name
from codomain.space.manifest import Manifest, PartRecord, Shard, library_versions
from codomain.space.received import check_links, looks_ours


class Pen:
    """What a writer holds while the lock is his: the present state, and a folder for new files.

    Parameters
    ----------
    root, folder : Path
        The space, and the temporary folder inside it.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.head = Head.read(root) if (root / "HEAD").exists() else None
        self.base: Manifest | None = self.head.manifest(root, self.head.generation) if self.head else None
        self.seals: dict[str, Seal] = {}
        self.moved: list[Path] = []

    def shard(self, table: pa.Table, vectors: Any, text: str | None, hash_column: str) -> Shard:
        """Write rows and vectors to the temporary folder, block by block."""
        vectors_name = self.vectors(vectors)
        if text is None:  # the hashes are of the vectors, which may be costly to make
            vectors = np.load(self.folder / vectors_name, mmap_mode="r")
        # The writer cannot close a sealed file, so close it here: only then is it on the disk.
        with SealedWriter(self.folder / "rows") as file:
            schema = next(hash_blocks(table.slice(0, 1), vectors, text, hash_column)).schema
            with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
                for block in hash_blocks(table, vectors, text, hash_column):
                    writer.write_table(block)
        table_name = self._keep(self.folder / "rows", f"rows-{file.seal.sha256[:16]}.parquet", file.seal)
        return Shard(table.num_rows, vectors_name, table_name)

    def vectors(self, vectors: Any) -> str:
        """Write vectors to the temporary folder, block by block, and return the name of their file."""
        seal = write_sealed(self.folder / "vectors", _work_ahead(npy_makers(vectors, "<f4")))
        return self._keep(self.folder / "vectors", f"vectors-{seal.sha256[:16]}.npy", seal)

    def part(self, name: str, files: Mapping[str, Any], made_from: str) -> PartRecord:
        """Write a part's files; a file given by its path is linked, and removed from there after the commit."""
        seals = {}
        for file, value in files.items():
            target = self.folder / plain_name(file, "a file")
            if isinstance(value, Path):
                _adopt(value, target)
                self.moved.append(value)
                seals[file] = seal_of(target)
                continue
            if isinstance(value, dict | list):
                suffix, chunks = ".json", [canonical(value)]
            else:
                suffix, chunks = file_chunks(value, file)  # type: ignore[assignment]
            if not file.endswith(suffix):
                raise UserError(f"{file!r} is given a {type(value).__name__}.", needed=f"a name ending in {suffix}")
            seals[file] = write_sealed(target, chunks)
        digest = sha256(canonical({file: seal.sha256 for file, seal in seals.items()})).hexdigest()[:16]
        folder = f"parts/{plain_name(name, 'a part')}-{digest}"
        for file, seal in seals.items():
            self._keep(self.folder / file, f"{folder}/{file}", seal)
        return PartRecord(folder, tuple(sorted(seals)), made_from, library_versions())

    def _keep(self, written: Path, name: str, seal: Seal) -> str:
        written.rename(self.folder / _flatten(name))
        self.seals[name] = seal
        return name

    def commit(self, manifest: Manifest) -> tuple[Manifest, set[str]]:
        """Move the new files to their places and make `manifest` the present generation."""
        generation = self.head.generation + 1 if self.head else 1
        known = (self.base.seals if self.base else {}) | manifest.seals | self.seals
        used = [name for shard in manifest.shards for name in (shard.vectors, shard.table)]
        used += [f"{part.folder}/{file}" for part in manifest.parts.values() for file in part.files]
        manifest = replace(
            manifest,
            generation=generation,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            parent=self.head.manifests[self.head.generation] if self.head else None,
            seals={name: known[name] for name in used},
        )
        folders = {self.root}
        for name in self.seals:
            target = self.root / name
            folders |= {target.parent, target.parent.parent} if "/" in name else set()
            target.parent.mkdir(parents=True, exist_ok=True)
            (self.folder / _flatten(name)).replace(target)
        (self.root / "manifests").mkdir(exist_ok=True)
        for folder in folders:
            fsync_folder(folder)
        data = manifest.to_bytes()
        replace_atomically(self.root / "manifests" / f"{generation}.json", data)
        kept = self.head.manifests if self.head else {}
        head = Head(generation, {**kept, generation: sha256(data).hexdigest()})
        replace_atomically(self.root / "HEAD", head.to_bytes())
        for path in self.moved:
            path.unlink(missing_ok=True)
        return manifest, set(self.seals)


def leftovers(root: Path) -> list[Path]:
    """Return the temporary files and folders that a killed writer left, or that one is writing now."""
    patterns = (".new-*", ".*.new", ".*.new.lock")
    return [path for folder in (root, root / "manifests") for pattern in patterns for path in folder.glob(pattern)]


@contextmanager
def pen(root: Path) -> Iterator[Pen]:
    """Take the lock, clear what a killed writer left, and give a `Pen`."""
    with writing(root):
        check_links(root)
        for left in leftovers(root):  # whoever made it is dead, or it would hold the lock
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        try:
            yield Pen(root, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def check_target(root: Path) -> None:
    """Refuse to make a space in a folder that holds something else."""
    if root.is_file():
        raise UserError(f"{root} is a file.", needed="a folder for the space", todo="choose another path")
    if not root.is_dir():
        return
    foreign = sorted(entry.name for entry in root.iterdir() if not looks_ours(entry.name))
    if foreign and not (root / "HEAD").exists():
        raise UserError(
            f"{root} is no space, and it holds {', '.join(foreign[:3])}{' and more' if len(foreign) > 3 else ''}.",
            needed="a new or empty folder",
            todo="choose another path",
        )
    manifests = root / "manifests"
    if not (root / "HEAD").exists() and manifests.is_dir() and len(list(manifests.glob("*.json"))) > 1:
        raise DamagedError(f"{root / 'HEAD'} is missing.", todo="copy this file back from a backup")


def same_rows(pen: Pen, seen: Manifest) -> Manifest:
    """Return the generation to build on: HEAD, when its rows are those that the caller saw."""
    if pen.base is None:
        raise DamagedError(f"{pen.root} is no longer a space: its HEAD is gone.")
    if pen.base.fingerprint != seen.fingerprint:
        raise UserError(
            f"{pen.root} has moved on: this view is of generation {seen.generation}, "
            f"and the rows are those of generation {pen.base.generation}.",
            needed="a view of the present rows",
            todo=f"open it again, space = codomain.open({str(pen.root)!r}), and repeat the change on that",
        )
    return pen.base


def _flatten(name: str) -> str:
    """Name of a file before it is moved to its place, with no sign that Windows forbids."""
    return name.replace("/", "+")


def _adopt(source: Path, target: Path) -> None:
    if not source.is_file():
        raise UserError(f"{source} is not a file.", needed="the path of a file to seal")
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, target)
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def are_row_numbers(ids: pa.ChunkedArray, start: int = 0) -> bool:
    """Whether ids are the row numbers from `start` on."""
    if not pa.types.is_integer(ids.type) or ids.null_count:
        return False
    return np.array_equal(ids.to_numpy(), np.arange(start, start + len(ids)))


def _work_ahead(makers: Iterator[Callable[[], Any]]) -> Iterator[Any]:
    """Yield what each of them returns, in order; later ones work in other threads while a chunk is hashed and written.

    One thread a core, each product of matrices on one of them: BLAS threads of their own would wait for each other.
    """
    first = list(islice(makers, 3))
    if len(first) < 3:  # a header and one block
        yield from (make() for make in first)
        return
    from threadpoolctl import threadpool_limits

    count, makers = cores(), chain(first, makers)
    with threadpool_limits(1 if count > 1 else None, user_api="blas"), ThreadPoolExecutor(count) as threads:
        coming = deque(threads.submit(make) for make in islice(makers, count + 1))
        while coming:
            chunk = coming.popleft().result()
            coming.extend(threads.submit(make) for make in islice(makers, 1))
            yield chunk
