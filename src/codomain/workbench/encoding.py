"""Which encoder reads a source, and the vectors of its texts."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import codomain.space
from codomain.core import UserError
from codomain.encode import Encoder, encode_rows
from codomain.space import Source, Space
from codomain.workbench.encoders import encoded_rows, named_encoder
from codomain.workbench.first_look import FirstLook, text_column

DEFAULT_ENCODER = "builtin:minilm"


def choose_encoder(found: Source, encoder: str | None) -> Encoder | None:
    """Return the encoder; with given vectors, the one that a person says made them, after trying it on eight rows."""
    vectors = found.vectors
    if vectors is None:
        return named_encoder(encoder or DEFAULT_ENCODER)
    if encoder is None:
        return None
    maker = named_encoder(encoder)
    if found.roles.text is None:
        raise UserError(
            f"--encoder {encoder} cannot be tried on {found.name}: it has no text column.",
            needed="the texts beside the vectors",
            todo="leave --encoder out, or name the column with --text",
        )
    rows = np.unique(np.linspace(0, len(found) - 1, 8).astype(int))
    given = np.asarray(vectors[rows], dtype=np.float32)
    again = maker.encode([str(found.rows[found.roles.text][int(row)]) for row in rows])
    if again.shape != given.shape:
        raise UserError(
            f"The vectors of {found.name} have {given.shape[1]} dimensions; {encoder} makes {again.shape[1]}.",
            todo="name the encoder that made them, or leave --encoder out",
        )
    lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(again, axis=1)
    cosines = np.sum(given * again, axis=1) / np.where(lengths == 0, 1, lengths)
    if np.median(cosines) < 0.98:
        raise UserError(
            f"{encoder} did not make the vectors of {found.name}: encoded again, {len(rows)} rows have a median cosine "
            f"of {np.median(cosines):.2f} with them.",
            needed="a median cosine of at least 0.98",
            todo="name the encoder that made them, or leave --encoder out",
        )
    return maker


def encode_source(
    found: Source, maker: Encoder, folder: Path, before: Space | None, on_block: FirstLook | None
) -> NDArray[np.float32]:
    """Return the vectors of a source's texts, (n, dim); texts that are there already keep theirs.

    What is encoded is kept in `folder`, so that a run that was stopped goes on, and shown to `on_block` block by block.
    """
    texts = text_column(found, found.roles.text)
    assert texts is not None  # a source has texts, vectors or both
    hashes = codomain.space.text_hashes(texts)
    return encode_rows(
        maker, texts, folder, known=Known(before) if before else None, hashes=hashes, on_block=on_block, progress=True
    )


class Known(Mapping[bytes, NDArray[np.float32]]):
    """The vectors that the encoder of a space has made, by the hash of their text; not those of a bridge.

    Parameters
    ----------
    space : Space
        Where they are.
    """

    def __init__(self, space: Space) -> None:
        self.vectors = space.vectors
        hashes = space.hashes
        self.rows = {bytes(hashes[row]): int(row) for row in np.flatnonzero(encoded_rows(space))}

    def __getitem__(self, key: bytes) -> NDArray[np.float32]:
        return self.vectors[self.rows[key]]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)
