"""Making a space from rows and vectors."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from codomain.core import EncoderIdentity, UserError
from codomain.space import commit
from codomain.space.checks import id_problems, no_column, refuse, vector_problems
from codomain.space.intake import as_table, as_vectors, free_name, prepend
from codomain.space.manifest import Manifest, Roles
from codomain.space.origins import Origin
from codomain.space.space import Space


def write(
    path: str | Path,
    rows: Any,
    vectors: Any,
    *,
    encoder: EncoderIdentity | None = None,
    roles: Roles | None = None,
    note: str = "",
    replacing: bool = False,
    origin: Origin | None = None,
) -> Space:
    """Make a space from rows and their vectors.

    Parameters
    ----------
    path : str or Path
        A new or empty folder, or that of a space.
    rows : Table, dict of columns, data frame of pandas or polars, list of dict, list of str or None
        In the order of the vectors.
    vectors : array of shape (n, d)
        Any number type; stored as float32. A memory map is streamed, never held whole.
    encoder : EncoderIdentity, default=None
        What made them; None for vectors that came without an encoder.
    roles : Roles, default=None
        Which columns are text, label and id. Without an id column the rows are numbered from 0.
    note : str, default=""
        For the log.
    replacing : bool, default=False
        Whether a space with other rows at `path` may get these as its new generation.
    origin : Origin, optional
        The file that they came from.

    Returns
    -------
    Space
        A space that already holds exactly this is returned as it is.

    Raises
    ------
    UserError
        Naming everything that is wrong, before anything is written.
    """
    root = Path(path)
    vectors = as_vectors(vectors)
    table = as_table(rows, len(vectors) if vectors.ndim else 0)
    roles = roles or Roles(text="text" if isinstance(rows, list) and table.column_names == ["text"] else None)
    problems = [
        f"{role}: {no_column(name, table.column_names)}"
        for role, name in vars(roles).items()
        if name is not None and name not in table.column_names
    ]
    problems += vector_problems(vectors, table.num_rows, zeros=not (encoder and encoder.sha256))
    if roles.id in table.column_names:
        problems += id_problems(table[roles.id], str(roles.id))
    if encoder and vectors.ndim == 2 and encoder.dim != vectors.shape[1]:
        problems.append(f"the vectors are {vectors.shape[1]} wide and {encoder.describe()} makes {encoder.dim}")
    refuse("What was to be written", problems)
    commit.check_target(root)
    if roles.id is None:
        name = free_name(("id", "row"), table.column_names)
        table, roles = prepend(table, name, pa.array(np.arange(table.num_rows))), replace(roles, id=name)
    table = table.select([roles.id, *(name for name in table.column_names if name != roles.id)])
    hash_column = free_name(("_content_hash",), table.column_names)
    with commit.pen(root) as held:
        manifest = Manifest(
            generation=0, when="", note=note or f"written, {table.num_rows:,} rows", parent=None,
            dim=vectors.shape[1], encoder=encoder or EncoderIdentity.given(vectors.shape[1]), roles=roles,
            columns=tuple(table.column_names), hash_column=hash_column,
            numbered=commit.are_row_numbers(table[roles.id]), origins=(origin,) if origin else (),
            shards=(held.shard(table, vectors, roles.text, hash_column),),
        )  # fmt: skip
        if held.base is not None:
            known = replace(manifest, seals=held.seals)
            if held.base.fingerprint == known.fingerprint:
                return Space(root, held.base)
            if not replacing:
                raise UserError(
                    f"{root} is already a space with other rows ({held.base.rows:,} x {held.base.dim}).",
                    needed="a new path, or these rows as its next generation",
                    todo="choose another path, add rows with append, or say replacing=True; rollback undoes it",
                )
        manifest, written = held.commit(manifest)
        space = Space(root, manifest, written)
    space.clear_work("encode")
    return space
