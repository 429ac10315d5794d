"""Rows that have a vector of both encoders: encoded now from the stored text, or taken from a file."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, Matrix, UserError, say
from codomain.encode import Encoder, encode_rows
from codomain.space import MigrationPart, Space
from codomain.workbench.compare.join import Picked, Rows, pair, side
from codomain.workbench.encoders import named_encoder, stored_encoder
from codomain.workbench.plan import rough_time

FEWEST = 60
_USUAL, _SMALL = 2000, 500


@dataclass(frozen=True)
class Known:
    """The rows whose vector by the new encoder is known.

    Parameters
    ----------
    identity : EncoderIdentity
        The new encoder.
    rows : ndarray of int
        Numbers of the rows, rising.
    vectors : array-like of shape (len(rows), d)
        Their vectors, in the order of `rows`.
    encoder : Encoder or None
        What can make more of them.
    """

    identity: EncoderIdentity
    rows: Rows
    vectors: Matrix
    encoder: Encoder | None


def known_rows(space: Space, to: str | Path, *, encoder: str | None, pairs: int | None) -> Known:
    """Find or make vectors of the new encoder.

    Parameters
    ----------
    space : Space
        The space that moves.
    to : str or Path
        What `codomain.encode.resolve` takes, or a space or a file of vectors.
    encoder : str or None
        What made the vectors of a file, as `resolve` takes it; tried on eight rows.
    pairs : int or None
        Rows to encode; some 2,000 by default.

    Returns
    -------
    Known
        At least 60 rows.

    Raises
    ------
    UserError
        When nothing pairs, the encoder is the one that the space has, or there is no text to encode.
    """
    found = (
        _from_file(space, Path(to), encoder, pairs)
        if Path(to).exists()
        else _encode(space, named_encoder(str(to)), pairs)
    )
    if len(found.rows) < FEWEST:
        raise UserError(
            f"{len(found.rows):,} rows of {space.path} have a vector by {found.identity.describe()}.",
            needed=f"at least {FEWEST}, to fit a bridge and to test it on rows that it has not seen",
            todo="give more of them, or encode everything again",
        )
    return found


def _from_file(space: Space, path: Path, encoder: str | None, pairs: int | None) -> Known:
    B = side(path, path.name)
    try:
        pairing = pair(side(space, space.path.name), B)
    except UserError as error:
        if not B.encoder.encodes or space.roles.text is None:
            raise
        say(f"{error.came} So the encoder of {B.name} is taken, and texts of {space.path.name} are encoded with it.")
        return _encode(space, stored_encoder(B.encoder, path), pairs)
    if not encoder:
        check_other(space, B.encoder)
    for line in pairing.lines(space.path.name, B.name):
        say(line)
    maker = named_encoder(encoder) if encoder else stored_encoder(B.encoder, path) if B.encoder.encodes else None
    vectors = Picked(B.vectors, pairing.rows_b)
    if encoder and maker:
        _try(space, maker, pairing.rows_a, vectors, path)
    return Known(maker.identity if maker else B.encoder, pairing.rows_a, vectors, maker)


def _try(space: Space, maker: Encoder, rows: Rows, vectors: Matrix, path: Path) -> None:
    """Encode eight rows again to see whether an encoder made the vectors of a file."""
    some = np.unique(np.linspace(0, len(rows) - 1, 8).astype(int))
    given, again = np.asarray(vectors[some], np.float32), maker.encode(texts_of(space, rows[some]))
    lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(again, axis=1) if given.shape == again.shape else 0
    cosine = float(np.median(np.sum(given * again, axis=1) / np.maximum(lengths, 1e-12))) if np.any(lengths) else 0.0
    if cosine < 0.98:
        raise UserError(
            f"{maker.identity.name} did not make the vectors of {path}: encoded again, {len(some)} rows have a median "
            f"cosine of {cosine:.2f} with them (widths {again.shape[1]} and {given.shape[1]}).",
            needed="a median cosine of at least 0.98",
            todo="name the encoder that made them, or leave --encoder out",
        )


def _encode(space: Space, maker: Encoder, pairs: int | None) -> Known:
    check_other(space, maker.identity)
    _, distinct = np.unique(space.hashes, return_index=True)  # copies would be both learned from and tested on
    usual = min(_USUAL, max(len(distinct) // 5, min(_SMALL, len(distinct) // 2)))
    count = min(pairs or usual, len(distinct))
    rows = np.sort(np.random.default_rng(0).choice(distinct, count, replace=False))
    return Known(maker.identity, rows, encode_some(space, maker, rows, "pairs"), maker)


def check_other(space: Space, identity: EncoderIdentity) -> None:
    """Refuse to move a space to the encoder that it has."""
    mine = space.encoder
    # A server names no weights: name and width must do. Vectors that came without an encoder have no name of their own.
    served = not identity.sha256 and identity.encodes and mine.encodes
    same = (identity.name, identity.dim) == (mine.name, mine.dim) if served else bool(identity.sha256)
    if same and identity.sha256 == mine.sha256:
        mine.check_same(identity)  # same weights, other pooling or prefix: said by name
        bridged = space.parts.find(MigrationPart)
        raise UserError(
            f"{space.path} holds vectors of {identity.describe()} already.",
            needed="another encoder",
            todo=f"codomain study {space.path}" + (", or --reencode SHARE for rows still bridged" if bridged else ""),
        )


def encode_some(space: Space, maker: Encoder, rows: Rows, folder: str) -> NDArray[np.float32]:
    """Encode the texts of some rows; after a kill it goes on where it was.

    Parameters
    ----------
    space : Space
        Where the texts are.
    maker : Encoder
        The new encoder.
    rows : ndarray of int
        Which rows.
    folder : str
        Name of the scratch folder.

    Returns
    -------
    ndarray of shape (len(rows), d), float32
        In the order of `rows`.
    """
    texts = texts_of(space, rows)
    left = "time not known"
    if not maker.identity.uri.startswith("openai:"):
        maker.encode(texts[:1])
        began = time.perf_counter()
        maker.encode(texts[:16])
        left = rough_time((time.perf_counter() - began) / min(16, len(texts)) * len(texts))
    say(f"plan: encode {len(rows):,} of {len(space):,} texts with {maker.identity.describe()} ({left})")
    return encode_rows(maker, texts, space.work / "migrate" / folder)


def texts_of(space: Space, rows: Rows) -> list[str]:
    """Return the texts of some rows; a space without texts is refused."""
    if space.roles.text is None:
        raise UserError(
            f"{space.path} has no text, so nothing can be encoded with another encoder.",
            needed="vectors by the new encoder for some rows",
            todo="give a file of them: --to FILE",
        )
    return ["" if text is None else str(text) for text in space.take(rows, [space.roles.text]).column(0).to_pylist()]


def check_pairs(A: NDArray[Any], B: NDArray[Any], dropped: int) -> None:
    """Say what makes pairs poor teachers, and refuse too few of them.

    Parameters
    ----------
    A, B : ndarray of shape (n_pairs, n_features)
        Usable pairs.
    dropped : int
        Pairs that were not.
    """
    if len(A) < 60:
        raise UserError(f"{len(A)} distinct rows have usable vectors by both encoders.", needed="at least 60")
    if dropped:
        say(f"{dropped:,} pairs hold zeros, NaN or infinity and are left out")
    for X, whose in ((A, "old"), (B, "new")):
        if still := int((np.ptp(X, axis=0) == 0).sum()):
            say(f"{still:,} of {X.shape[1]:,} dimensions of the {whose} vectors never change and teach nothing")
    if int(0.65 * len(A)) < A.shape[1]:
        say(f"{int(0.65 * len(A)):,} pairs to learn from for {A.shape[1]:,} dimensions: more pairs would help")
