"""What every text encoder offers, and how a short address becomes one."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, UserError
from codomain.encode.encoders.windows import split_long

ADDRESSES = {
    "builtin:minilm": "all-MiniLM-L6-v2, 384-d, on this machine (the default)",
    "static:wordllama": "a token table, 256-d: about a hundred times faster, coarser",
    "model2vec:/folder": "a model2vec token table",
    "onnx:/folder": "model.onnx with tokenizer.json",
    "st:/folder": "a sentence-transformers model",
    "openai:http://host/v1#model": "a server with an OpenAI-compatible API: the texts are sent to it",
}


class Encoder(Protocol):
    """Anything that turns texts into vectors and says who it is."""

    @property
    def identity(self) -> EncoderIdentity:
        """What its vectors are bound to."""

    @property
    def batch_rows(self) -> int:
        """Texts worth handing over at once; also the rows between two points from which `encode_rows` resumes."""

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return the vectors of texts, of shape (n, identity.dim), with the query's prefix when `query`."""


class BadRow(UserError):  # noqa: N818 - the name says what it is about
    """One text of a batch could not be encoded.

    Parameters
    ----------
    row : int
        Its place among the texts handed over.
    why : str
        What happened to it.
    todo : str, default=""
        What to change.
    """

    def __init__(self, row: int, why: str, *, todo: str = "") -> None:
        super().__init__(f"Row {row}: {why}", todo=todo)
        self.row, self.why = row, why

    def at(self, row: int) -> "BadRow":
        """Return the same error for another row number."""
        return BadRow(row, self.why, todo=self.todo)


def resolve(uri: str = "builtin:minilm") -> Encoder:
    """Return the encoder that an address names.

    Nothing is downloaded, ever: a model is in an installed package, in a folder, or behind a server of your choice.

    Parameters
    ----------
    uri : str, default="builtin:minilm"
        `builtin:minilm`, `static:wordllama`, `model2vec:/folder`, `onnx:/folder`, `st:/folder` or
        `openai:http://host/v1#model`. The first and `onnx:` take `?long=mean` or `?long=cut` at the end: whether texts
        longer than the model reads at once are read on in windows (the first one's default) or cut.

    Returns
    -------
    Encoder
        Ready to use, its files verified.

    Raises
    ------
    UserError
        When there is no such encoder (it lists those there are), a folder lacks a file, or an extra is not installed.
    DamagedError
        When a file is not the one that was pinned.

    Examples
    --------
    >>> resolve("builtin:minilm").encode(["a cat sat on the mat"]).shape
    (1, 384)
    """
    scheme, _, rest = uri.partition(":")
    if uri.partition("?")[0] == "builtin:minilm":
        from codomain.encode.encoders.minilm import MiniLM

        return MiniLM(long=split_long(rest, "mean")[1])
    if uri == "static:wordllama":
        from codomain.encode.encoders.static import TokenTable

        return TokenTable.wordllama()
    if scheme == "model2vec" and rest:
        from codomain.encode.encoders.static import TokenTable

        return TokenTable.model2vec(rest)
    if scheme == "onnx" and rest:
        from codomain.encode.encoders.onnx_dir import OnnxFolder

        folder, long = split_long(rest, "cut")
        return OnnxFolder(folder, long=long)
    if scheme == "st" and rest:
        from codomain.encode.encoders.sentence_transformers_dir import SentenceTransformersFolder

        return SentenceTransformersFolder(rest)
    if scheme == "openai" and rest:
        from codomain.encode.encoders.endpoint import Endpoint

        return Endpoint(rest)
    there = "; ".join(f"{address} ({what})" for address, what in ADDRESSES.items())
    raise UserError(f"There is no encoder {uri!r}.", needed=f"one of: {there}")
