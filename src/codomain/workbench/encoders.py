"""What a space needs before it is used: its encoder, and parts that are about its rows. Imports no heavy room."""

import shlex
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, Trusted, UserError, model_folder, server_address, visible
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

    Raises
    ------
    UserError
        When it is behind a server, or in a folder, that nobody has named on this machine.
    """
    if not space.encoder.encodes:
        return None
    maker = stored_encoder(space.encoder, space.path)
    place, text = shlex.quote(str(space.path)), shlex.quote(str(space.roles.text))
    space.encoder.check_same(
        maker.identity,
        todo=f"put the encoder that made {place} back at {space.encoder.uri}, or encode its rows again: "
        f"codomain export {place} rows.parquet; codomain study rows.parquet --text {text} --space again.space",
    )
    return maker


def stored_encoder(identity: EncoderIdentity, path: Path) -> Encoder:
    """Return the encoder that a space names, which may come from a stranger.

    Parameters
    ----------
    identity : EncoderIdentity
        What the space says.
    path : Path
        The space.

    Returns
    -------
    Encoder
        Nothing has been sent to it yet.

    Raises
    ------
    UserError
        When it is behind a server, or in a folder, that nobody has named on this machine.
    """
    uri = identity.uri
    if uri.startswith("openai:") and uri not in Trusted():
        raise UserError(
            f"{path} says that the server {server_address(uri)} makes its vectors, and nobody has named that server "
            "on this machine. Nothing was sent to it.",
            needed="a server that you trust with your texts and questions",
            todo=f"codomain trust {shlex.quote(server_address(uri))}",
        )
    if (folder := model_folder(uri)) and uri not in Trusted():
        raise UserError(
            f"{path} says that the model in {visible(folder)} makes its vectors, and nobody has named that folder on "
            "this machine. It was not opened.",
            needed="a folder whose model you trust",
            todo=visible(f"codomain trust {shlex.quote(uri)}"),
        )
    return resolve(uri, named=False)


def named_encoder(uri: str) -> Encoder:
    """Return the encoder that a person names; its server, or the folder it is in, is trusted from then on.

    Parameters
    ----------
    uri : str
        As `codomain.encode.resolve` takes it.

    Returns
    -------
    Encoder
        Ready to use.
    """
    if uri.startswith("openai:"):
        trust(uri)
    maker = resolve(uri)
    if model_folder(uri):  # once it has been read: a folder that is no model is not remembered
        trust(uri)
    return maker


def trust(uri: str, *, key: bool = False) -> None:
    """Trust a server with texts and questions, or a folder to hold a model that may be opened.

    Parameters
    ----------
    uri : str
        Address of the server, with or without a model; or onnx:/folder, st:/folder or model2vec:/folder.
    key : bool, default=False
        Whether the key in CODOMAIN_API_KEY is meant for the server even when it was meant for another one before.
    """
    trusted = Trusted()
    if model_folder(uri):
        trusted.add_folder(uri)
    else:
        trusted.add(uri, key=key or not trusted.key_is_of_another(uri))


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
