"""What a space needs before it is used: its encoder, and parts that are about its rows. Imports no heavy room."""

import shlex

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.encode import Encoder, resolve
from codomain.space import MigrationPart, Space


def encoder_of(space: Space) -> Encoder | None:
    """Return what made the vectors of a space, or None when they came without an encoder.

    Parameters
    ----------
    space : Space
        An open space.

    Returns
    -------
    Encoder or None
        Checked to be the one that the space names.
    """
    if not space.encoder.encodes:
        return None
    maker = resolve(space.encoder.uri)
    place, text = shlex.quote(str(space.path)), shlex.quote(str(space.roles.text))
    space.encoder.check_same(
        maker.identity,
        todo=f"put the encoder that made {place} back at {space.encoder.uri}, or encode its rows again: "
        f"codomain export {place} rows.parquet; codomain study rows.parquet --text {text} --space again.space",
    )
    return maker


def check_studied(space: Space) -> None:
    """Refuse a space whose rows have changed since the parts about them were made.

    Parameters
    ----------
    space : Space
        An open space.

    Raises
    ------
    UserError
        Naming the command that brings it up to date.
    """
    # A study cannot bring labels up to date, and only an export reads them; a migration is a record.
    stale = sorted(name for name, part in space.parts.items() if part.made_by == "study" and not part.fresh)
    if stale:
        raise UserError(
            f"Rows of {space.path} changed after its last study: {', '.join(stale)} are about the rows before.",
            todo=f"codomain study {space.path}",
        )


def encoded_rows(space: Space) -> NDArray[np.bool_]:
    """Tell which rows hold a vector that the encoder made; after a migration the others were bridged.

    Parameters
    ----------
    space : Space
        An open space; rows added since its migration were encoded.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        All true when it was never migrated.
    """
    own = np.ones(len(space), bool)
    if part := space.parts.find(MigrationPart):
        own[: len(part.doubt)] = False
        own[part.true_rows] = True
    return own
