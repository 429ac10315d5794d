"""Other vectors for the same rows: what a change of encoder writes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from codomain.core import EncoderIdentity, UserError
from codomain.space import commit
from codomain.space.manifest import Shard
from codomain.space.space import Space

Parts = Callable[[str], Mapping[str, tuple[Mapping[str, Any] | None, str]]]


class Between:
    """Rows `start` to `stop` of an array, read slice by slice.

    Parameters
    ----------
    vectors : array-like of shape (n, d)
        With shape, dtype and slicing; nothing else is asked of it.
    start, stop : int
        First row, and the row after the last.
    """

    def __init__(self, vectors: Any, start: int, stop: int) -> None:
        self.vectors, self.start = vectors, start
        self.shape, self.dtype = (stop - start, vectors.shape[1]), vectors.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Any:
        first, last, _ = rows.indices(len(self))
        return self.vectors[self.start + first : self.start + last]


def exchange(space: Space, vectors: Any, *, encoder: EncoderIdentity, parts: Parts | None = None, note: str) -> Space:
    """Give the rows of a space other vectors, as its next generation.

    Rows, ids, columns and their order stay. The vectors are read once, a few megabytes at a time and by several threads
    at once, so they may be computed while they are read. `rollback` brings the old vectors and parts back.

    Parameters
    ----------
    space : Space
        A view of the present rows.
    vectors : array-like of shape (n, d)
        With shape, dtype and slicing by rows.
    encoder : EncoderIdentity
        What they belong to from now on.
    parts : callable, optional
        Called when the vectors are written, with the new fingerprint; returns the parts that the new generation has:
        name to (files as `Space.put` takes them, or None to keep those of the old part; made_from). Others are left
        out. Without it the new generation has no parts.
    note : str
        For the log.

    Returns
    -------
    Space
        The new generation.

    Raises
    ------
    UserError
        When the shape does not fit, or the rows have changed since `space` was opened; nothing is written then.
    """
    if tuple(vectors.shape) != (len(space), encoder.dim):
        raise UserError(f"The vectors have shape {tuple(vectors.shape)}.", needed=f"({len(space)}, {encoder.dim})")
    with commit.pen(space.path) as held:
        base = commit.same_rows(held, space._manifest)
        if base.roles.text is None:
            shards: tuple[Shard, ...] = (held.shard(space.rows(), vectors, None, base.hash_column),)
        else:
            shards, start = (), 0
            for shard in base.shards:
                name = held.vectors(Between(vectors, start, start + shard.rows))
                shards += (replace(shard, vectors=name),)
                start += shard.rows
        new = replace(base, dim=encoder.dim, encoder=encoder, shards=shards, parts={}, note=note)
        wanted = parts(replace(new, seals=base.seals | held.seals).fingerprint) if parts else {}
        records = {
            name: replace(base.parts[name], made_from=made) if files is None else held.part(name, files, made)
            for name, (files, made) in wanted.items()
        }
        return space._after(held, replace(new, parts=records), done="migrate")
