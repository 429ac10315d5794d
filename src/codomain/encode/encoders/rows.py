"""Encode many rows so that a crash costs one block."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core import UserError, bar, slices
from codomain.core.locks import FULL, locked
from codomain.core.sealed import canonical, replace_atomically
from codomain.encode.encoders.encoder import BadRow, Encoder
from codomain.space import text_hashes

OnBlock = Callable[[NDArray[np.int64], NDArray[np.float32]], object]


def encode_rows(
    encoder: Encoder, texts: Sequence[str], folder: Path, *, known: Mapping[bytes, ArrayLike] | None = None,
    hashes: Sequence[bytes] | NDArray[np.bytes_] | None = None, on_block: OnBlock | None = None, progress: bool = True,
) -> NDArray[np.float32]:  # fmt: skip
    """Encode every text once, block by block, into a file; called again after a crash, it goes on where it was.

    Each finished block of `encoder.batch_rows` texts is written down with its hash before the next begins. A later
    call with the same encoder and texts checks those hashes and encodes only what is missing or damaged; with another
    encoder or other texts it begins again. Blocks follow a shuffle with a fixed seed, so that eight of them are a
    fair sample of all rows, and do not depend on interruptions: neither do the vectors. Memory beyond the texts: about
    100 bytes a row and one block of vectors; the vectors themselves are a memory map.

    Parameters
    ----------
    encoder : Encoder
        What encodes.
    texts : sequence of str
        One text per row; None is an empty text. Equal texts are encoded once.
    folder : Path
        Where the vectors (`vectors.npy`) and the ledger (`ledger.jsonl`) live; made when it is not there.
    known : mapping of content hash to vector, default=None
        Vectors this encoder made earlier: rows whose hash is in it are not encoded.
    hashes : sequence of bytes, default=None
        Content hash of each row, as `Space.hashes`; computed from the texts by default.
    on_block : callable, default=None
        Called after each block with the numbers of the rows done so far and the array of all vectors, read-only.
    progress : bool, default=True
        Show a bar on a terminal.

    Returns
    -------
    ndarray of shape (n, encoder.identity.dim)
        A read-only memory map of float32.

    Raises
    ------
    UserError
        When a vector is not finite or has another width (it names the row), another process encodes into the same
        folder, or the disk is full.
    """
    plan = _Plan(texts, known or {}, hashes, encoder)
    if not len(texts):
        return np.empty((0, plan.dim), dtype=np.float32)
    with _alone(folder), _Ledger(folder, plan) as ledger:
        ledger.fill_known(known or {})
        finished = ledger.finished()
        shown = bar("encode", total=len(plan.order), unit="texts") if progress else nullcontext(lambda done: None)
        with shown as tick:
            tick(sum(len(plan.block(number)) for number in finished))
            for number in sorted(set(range(plan.n_blocks)) - finished):
                ledger.write(number, _vectors(encoder, texts, plan.block(number), plan.dim))
                tick(len(plan.block(number)))
                if on_block:
                    on_block(*ledger.so_far())
    found: NDArray[np.float32] = np.load(folder / "vectors.npy", mmap_mode="r")
    return found


class _Plan:
    """Which texts are encoded, in which blocks, and which rows each of them fills."""

    def __init__(
        self, texts: Sequence[str], known: Mapping[bytes, ArrayLike],
        hashes: Sequence[bytes] | NDArray[np.bytes_] | None, encoder: Encoder,
    ) -> None:  # fmt: skip
        if hashes is not None and len(hashes) != len(texts):
            raise UserError(f"There are {len(hashes):,} hashes for {len(texts):,} texts.", needed="one per text")
        identity = encoder.identity
        self.dim, self.block_rows, self.n = identity.dim, encoder.batch_rows, len(texts)
        own = text_hashes(texts)
        keys = own if hashes is None else hashes
        self.known = np.array([bytes(key) in known for key in keys], dtype=bool)
        _, first, self._text_of = np.unique(own, return_index=True, return_inverse=True)
        self.keys = keys
        self._rows = np.argsort(self._text_of, kind="stable")  # rows, those of one text together
        self._starts = np.searchsorted(self._text_of[self._rows], np.arange(len(first) + 1))
        new = np.zeros(len(first), dtype=bool)
        new[self._text_of[~self.known]] = True
        first = np.sort(first[new])
        drawn = first[np.random.default_rng(0).permutation(len(first))]
        lengths = np.array([len(texts[row] or "") for row in drawn])
        order = _near_in_length(lengths, self.block_rows)
        self.order, self._lengths = drawn[order], lengths[order]
        self.n_blocks = -(-len(self.order) // self.block_rows)
        who = {key: value for key, value in identity.to_dict().items() if key != "uri"}
        content = hashlib.sha256(own.tobytes() + self.known.tobytes()).hexdigest()
        self.header = {"encoder": who, "rows": self.n, "texts": content, "block_rows": self.block_rows}

    def block(self, number: int) -> NDArray[np.int64]:
        """Return the rows whose texts make up a block, short texts first: batches then waste little on padding."""
        place = slice(number * self.block_rows, (number + 1) * self.block_rows)
        return self.order[place][np.argsort(self._lengths[place], kind="stable")]

    def filled_by(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return every row that has one of the texts of `rows`, and which one it has."""
        starts, ends = self._starts[self._text_of[rows]], self._starts[self._text_of[rows] + 1]
        same = np.concatenate([self._rows[start:end] for start, end in zip(starts, ends, strict=True)])
        source = np.repeat(np.arange(len(rows)), ends - starts)
        return same[~self.known[same]], source[~self.known[same]]


def _near_in_length(lengths: NDArray[np.int64], block_rows: int) -> NDArray[np.int64]:
    """Return an order in which a block's texts are of similar length, so that batches waste little on padding.

    Texts are sorted among eight blocks at a time, and these blocks drawn in random order: after every eight blocks,
    what is done is a fair sample.
    """
    rng, order = np.random.default_rng(1), []
    for group in slices(len(lengths), 8 * block_rows):
        near = group.start + np.argsort(lengths[group], kind="stable")
        blocks = [near[block] for block in slices(len(near), block_rows)]
        order += [blocks[number] for number in rng.permutation(len(blocks))]
    return np.concatenate(order) if order else np.empty(0, np.int64)


class _Ledger:
    """The file of vectors and the list of blocks in it that are whole."""

    def __init__(self, folder: Path, plan: _Plan) -> None:
        self._vectors, self._path, self._plan = folder / "vectors.npy", folder / "ledger.jsonl", plan
        listed, out = self._read(), self._open()
        if listed is None or out is None:
            listed, out = {}, self._begin()
        self._listed, self._out = listed, out
        self._done = np.empty(plan.n, dtype=np.int64)
        self._n_done = 0
        self._file = self._path.open("r+b")
        self._file.truncate(self._file.read().rfind(b"\n") + 1)  # a line that a crash tore
        self._file.seek(0, os.SEEK_END)

    def _begin(self) -> Any:
        """Make an empty file of vectors and a ledger with no block."""
        self._path.unlink(missing_ok=True)
        out = np.lib.format.open_memmap(self._vectors, "w+", np.float32, shape=(self._plan.n, self._plan.dim))
        # A hole in the file would end the process, not raise, when the disk fills up under it.
        if hasattr(os, "posix_fallocate"):
            with self._vectors.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, self._vectors.stat().st_size)
        replace_atomically(self._path, canonical(self._plan.header))
        return out

    def _read(self) -> dict[int, str] | None:
        """Return the hash of each block listed, or None when the ledger is of other work."""
        if not self._path.is_file():
            return None
        lines = []
        for line in self._path.read_bytes().split(b"\n")[:-1]:
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({})
        if not lines or lines[0] != json.loads(canonical(self._plan.header)):
            return None
        return {line["block"]: line["sha256"] for line in lines[1:] if "block" in line}

    def _open(self) -> Any:
        try:
            found = np.lib.format.open_memmap(self._vectors, "r+")
        except (ValueError, OSError):
            return None
        whole = found.shape == (self._plan.n, self._plan.dim) and found.dtype == np.float32
        return found if whole else None

    def __enter__(self) -> "_Ledger":
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
        self._out.flush()

    def fill_known(self, known: Mapping[bytes, ArrayLike]) -> None:
        """Put the vectors that need no encoding in their rows."""
        rows = np.flatnonzero(self._plan.known)
        for row in rows:
            vector = np.asarray(known[bytes(self._plan.keys[int(row)])])
            if vector.shape != (self._plan.dim,):
                raise UserError(
                    f"The known vector of row {row} has the shape {vector.shape}.", needed=f"({self._plan.dim},)"
                )
            self._out[row] = vector
        self._add(rows)

    def finished(self) -> set[int]:
        """Return the blocks whose bytes are what the ledger says."""
        there = set()
        for number, expected in self._listed.items():
            if number < self._plan.n_blocks:
                rows, _ = self._plan.filled_by(self._plan.block(number))
                if self._hash(rows) == expected:
                    there.add(number)
                    self._add(rows)
        return there

    def write(self, number: int, vectors: NDArray[np.float32]) -> None:
        """Put a block's vectors in every row that has its texts, then list the block."""
        rows, source = self._plan.filled_by(self._plan.block(number))
        self._out[rows] = vectors[source]
        # Not flushed to the disk here: after a power cut, blocks whose bytes did not get there fail their hash.
        self._file.write(canonical({"block": number, "sha256": self._hash(rows)}))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._add(rows)

    def so_far(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows that are done and the array of all vectors, neither to be written to."""
        done, out = self._done[: self._n_done], np.asarray(self._out).view()
        out.flags.writeable = False
        return done, out

    def _add(self, rows: NDArray[np.int64]) -> None:
        self._done[self._n_done : self._n_done + len(rows)] = rows
        self._n_done += len(rows)

    def _hash(self, rows: NDArray[np.int64]) -> str:
        return hashlib.sha256(self._out[rows].tobytes()).hexdigest()


def _vectors(encoder: Encoder, texts: Sequence[str], rows: NDArray[np.int64], dim: int) -> NDArray[np.float32]:
    """Encode the texts of some rows; whatever is wrong with one is said with its row number."""
    try:
        found = np.asarray(encoder.encode([texts[row] or "" for row in rows]), dtype=np.float32)
    except BadRow as error:
        raise error.at(int(rows[error.row])) from None
    name = encoder.identity.name
    if found.shape != (len(rows), dim):
        raise UserError(f"{name} returned an array of shape {found.shape}.", needed=f"({len(rows)}, {dim})")
    if len(bad := np.flatnonzero(~np.isfinite(found).all(axis=1))):
        row = int(rows[bad[0]])
        raise BadRow(
            row, f"{name} made NaN or infinity of its text ({texts[row][:60]!r}).",
            todo="change or leave out that row, or name another encoder",
        )  # fmt: skip
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; say in words that the disk is full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("ab") as file:
            if not locked(file):
                raise UserError(
                    f"Another process encodes into {folder} right now.",
                    todo="wait until it is done, then type the command again: it goes on from there",
                )
            yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(
            f"The disk is full, or a limit on file size was met, while encoding into {folder}.",
            todo="free some room and type the command again: finished blocks are kept",
        ) from error
