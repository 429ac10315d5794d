"""The vectors of a space: memory maps underneath, checked before they are read."""

from collections.abc import Iterator
from itertools import pairwise
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import DamagedError
from codomain.core.maths.blocks import slices
from codomain.core.sealed import BLOCK
from codomain.space.files import Files
from codomain.space.manifest import Manifest
from codomain.space.received import map_vectors


class Vectors:
    """Float32 rows of one generation, read from disk as they are asked for.

    Parameters
    ----------
    files : Files
        The sealed files of the generation.
    manifest : Manifest
        Which shards hold the rows.
    """

    dtype = np.dtype(np.float32)
    ndim = 2

    def __init__(self, files: Files, manifest: Manifest) -> None:
        self._files, self._names = files, [shard.vectors for shard in manifest.shards]
        self._starts = np.cumsum([0, *(shard.rows for shard in manifest.shards)])
        self.shape = (int(self._starts[-1]), manifest.dim)
        self._files_mapped: list[mmap | None] = []  # None once the rows are in memory
        self._offsets, self._maps = [], []
        for shard in manifest.shards:
            mapped, offset = map_vectors(files, shard.vectors, shard.rows, manifest.dim)
            whole: NDArray[np.float32] = np.frombuffer(mapped, "<f4", shard.rows * manifest.dim, offset)
            self._files_mapped.append(mapped)
            self._offsets.append(offset)
            self._maps.append(whole.reshape(shard.rows, manifest.dim))

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Vectors({self.shape[0]:,} x {self.shape[1]}, float32, {len(self._maps)} shards)"

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        """Return rows: an int, a slice, integers or a mask of length n.

        A slice within one shard is a read-only view of the file; anything else is a copy.
        """
        if isinstance(key, int | np.integer):
            return self[np.array([key])][0]
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            return self._between(start, stop)[::step] if step > 0 else self[np.arange(start, stop, step)]
        rows = np.asarray(key)
        if rows.dtype == bool:
            if rows.shape != (len(self),):
                raise IndexError(f"The mask has shape {rows.shape}: give one of shape ({len(self)},).")
            rows = np.flatnonzero(rows)
        if rows.size == 0:
            return np.empty((*rows.shape, self.shape[1]), np.float32)
        if rows.dtype.kind not in "iu":
            raise IndexError(f"Rows are chosen by integers, a slice or a mask, not by {rows.dtype}.")
        if rows.min() < -len(self) or rows.max() >= len(self):
            raise IndexError(f"Row {rows.max() if rows.max() >= len(self) else rows.min()} is not among {len(self)}.")
        return self._gather(np.where(rows < 0, rows + len(self), rows))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:]
        if copy is False and (len(self._maps) > 1 or dtype not in (None, self.dtype)):
            raise ValueError("These vectors cannot become an array without a copy: drop copy=False.")
        return np.array(whole, dtype=dtype) if copy else np.asarray(whole, dtype=dtype)

    def blocks(self, rows: int = 65536) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (first row, the next `rows` rows of shape (at most rows, d)) in order."""
        return ((block.start, self[block]) for block in slices(len(self), rows))

    def load(self) -> None:
        """Read all rows into memory: a file that is cut short while a map of it is read would end the process.

        Raises
        ------
        DamagedError
            When a file does not match its seal.
        """
        for shard, name in enumerate(self._names):
            n_rows = len(self._maps[shard])
            self._check(shard, np.array([0, n_rows - 1]), whole=True)
            rows = np.empty((n_rows, self.shape[1]), np.float32)
            with (self._files.root / name).open("rb") as file:
                file.seek(self._offsets[shard])
                if file.readinto(rows.view(np.uint8).reshape(-1)) != rows.nbytes:  # type: ignore[arg-type]
                    raise self._cut_short(name)
            rows.flags.writeable = False
            self._maps[shard], self._files_mapped[shard] = rows, None

    def _between(self, start: int, stop: int) -> NDArray[np.float32]:
        pieces = []
        for shard, (first, end) in enumerate(pairwise(self._starts)):
            a, b = max(start, first), min(stop, end)
            if a < b:
                self._check(shard, np.array([a, b - 1]) - first, whole=True)
                pieces.append(self._maps[shard][a - first : b - first])
        if not pieces:
            return np.empty((0, self.shape[1]), np.float32)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _gather(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        out = np.empty((*rows.shape, self.shape[1]), np.float32)
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        for shard in np.unique(owner):
            mine = owner == shard
            local = rows[mine] - self._starts[shard]
            self._check(shard, local)
            out[mine] = self._maps[shard][local]
        return out

    def _check(self, shard: int, rows: NDArray[Any], *, whole: bool = False) -> None:
        name, mapped = self._names[shard], self._files_mapped[shard]
        if mapped is None:
            return
        if mapped.size() != self._files.seals[name].bytes:  # reading on would end the process
            raise self._cut_short(name)
        if self._files.is_trusted(name):
            return
        first = self._offsets[shard] + rows * (self.shape[1] * 4)
        ends = np.unique(np.concatenate([first, first + self.shape[1] * 4 - 1]) // BLOCK)
        self._files.check(name, range(ends[0], ends[-1] + 1) if whole else ends.tolist())

    def _cut_short(self, name: str) -> DamagedError:
        return DamagedError(
            f"{self._files.root / name} was cut short, or grew, while it was open.",
            todo="copy this file back from a backup, and open the space again",
        )
