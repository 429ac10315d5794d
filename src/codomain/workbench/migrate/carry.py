"""Carry a space over a bridge: vectors computed while they are written, and the parts that are worth keeping."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.align import Bridge, Doubt
from codomain.core import EncoderIdentity, Matrix, UserError, bar, slices, unit_rows
from codomain.space import GroupsPart, LabelsPart, MapPart, Space
from codomain.workbench.compare.join import Rows
from codomain.workbench.stages import Settings, fingerprints

CARRIED = (GroupsPart, MapPart)  # what people have named and pointed at; the rest is about vectors and made again


class Moved:
    """The rows of a space in the new encoder's space, computed as they are read, by any thread.

    Parameters
    ----------
    space : Space
        The space that moves.
    bridge : Bridge or None
        From the old vectors to the new; None leaves rows that are not laid over as they are.
    identity : EncoderIdentity
        The new encoder.
    doubt : Doubt or None
        What foretells the error of a bridged row; None keeps `doubts`.
    doubts : ndarray of shape (n,), optional
        Doubt of each row, from an earlier migration.
    """

    def __init__(
        self,
        space: Space,
        bridge: Bridge | None,
        identity: EncoderIdentity,
        doubt: Doubt | None,
        doubts: ArrayLike | None = None,
    ) -> None:
        self.space, self.bridge, self.identity, self.doubt = space, bridge, identity, doubt
        self.shape, self.dtype = (len(space), identity.dim), np.dtype(np.float32)
        self.doubts = np.zeros(len(space), np.float32) if doubts is None else np.array(doubts)
        self.true = np.zeros(len(space), bool)
        self._over: list[tuple[Rows, Matrix]] = []

    def overlay(self, rows: Rows, vectors: Matrix) -> None:
        """Give rows, their numbers rising, their true vectors; `vectors` are read only when they are needed."""
        self._over.append((rows, vectors))
        self.true[rows], self.doubts[rows] = True, 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        return self.block(rows)[0]

    def block(self, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return vectors and doubts of the rows from start to stop."""
        start, stop, _ = rows.indices(len(self))
        new, doubts = self._bridge_rows(self.space.vectors[start:stop])
        for known, vectors in self._over:
            first, last = np.searchsorted(known, [start, stop])
            new[known[first:last] - start] = vectors[first:last]
        if not np.isfinite(np.einsum("ij,ij->i", new, new)).all():
            row = start + int(np.flatnonzero(~np.isfinite(new).all(axis=1))[0])
            raise UserError(f"Row {row} would become NaN or infinity.", todo="look at its vectors in both spaces")
        doubts = self.doubts[start:stop] if doubts is None else np.where(self.true[start:stop], 0, doubts)
        return new, np.asarray(doubts, np.float32)

    def take_rows(self, rows: Rows) -> NDArray[np.float32]:
        """Return a few rows, their numbers rising, as they will be."""
        new = self._bridge_rows(self.space.vectors[rows])[0]
        for known, vectors in self._over:
            _, mine, theirs = np.intersect1d(rows, known, assume_unique=True, return_indices=True)
            new[mine] = vectors[theirs]
        return new

    def _bridge_rows(self, old: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Bridge rows; also return their doubts where those are foretold."""
        if self.bridge is None:
            return np.array(old), None
        new = self.bridge.transform(old)
        doubts = None if self.doubt is None else self.doubt.score(old, new)
        if self.identity.normalised:
            lengths = np.sqrt(np.einsum("ij,ij->i", new, new))
            if lengths.min(initial=1) > 1e-12 and lengths.max(initial=1) < 1e12:
                new /= lengths[:, None]  # in place: half the time of the general way
            else:
                new = unit_rows(new)
        return new, doubts

    def read_doubts(self) -> NDArray[np.float32]:
        """Read every row once for its doubt alone."""
        with bar("doubt", total=len(self)) as tick:
            written = Written(self, tick)
            for rows in slices(len(self)):
                written[rows]
        return written.doubts


class Written:
    """The rows of a `Moved` on their only way to the disk: their doubts stay here, and a bar sees them pass.

    Parameters
    ----------
    moved : Moved
        What is written.
    tick : callable
        Told how many rows have passed.

    Attributes
    ----------
    doubts : ndarray of shape (n,)
        Doubt of each row that has passed.
    """

    def __init__(self, moved: Moved, tick: Callable[[int], object]) -> None:
        self.shape, self.dtype, self.doubts = moved.shape, moved.dtype, np.zeros(len(moved), np.float32)
        self._moved, self._tick = moved, tick

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        new, self.doubts[rows] = self._moved.block(rows)
        self._tick(len(new))
        return new


def carry(space: Space, rows: str) -> Iterator[tuple[str, tuple[None, str]]]:
    """Yield the parts that stay as they are, with the fingerprint under which a study keeps them.

    A part that a study would make again anyway, for its settings or its version, still would be.
    """
    settings = Settings.of(space)
    before, after = fingerprints(space.fingerprint, settings), fingerprints(rows, settings)
    for kind in CARRIED:
        if part := space.parts.find(kind):
            usual = part.made_from == before[part.name]
            yield part.name, (None, after[part.name] if usual else f"{rows}-carried")
    # The key of labels stays: those that people gave count, and what the old head said is out of date.
    if labels := space.parts.find(LabelsPart):
        yield labels.name, (None, labels.made_from)
