"""What every text encoder offers, and how a short address becomes one."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, UserError

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
        `openai:http://host/v1#model`.

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
    if uri == "builtin:minilm":
        from codomain.encode.encoders.minilm import MiniLM

        return MiniLM()
    if uri == "static:wordllama":
        from codomain.encode.encoders.static import TokenTable

        return TokenTable.wordllama()
    if scheme in ("model2vec", "onnx", "st") and rest:
        return _from_folder(scheme, rest)
    if scheme == "openai" and rest:
        from codomain.encode.encoders.endpoint import Endpoint

        return Endpoint(rest)
    there = "; ".join(f"{address} ({what})" for address, what in ADDRESSES.items())
    raise UserError(f"There is no encoder {uri!r}.", needed=f"one of: {there}")


def _from_folder(scheme: str, path: str) -> Encoder:
    """Load a model from a folder and try it, so that a damaged one is refused here and not after hours."""
    made: Encoder
    try:
        if scheme == "model2vec":
            from codomain.encode.encoders.static import TokenTable

            made = TokenTable.model2vec(path)
        elif scheme == "onnx":
            from codomain.encode.encoders.onnx_dir import OnnxFolder

            made = OnnxFolder(path)
        else:
            from codomain.encode.encoders.sentence_transformers_dir import SentenceTransformersFolder

            made = SentenceTransformersFolder(path)
        tried = made.encode(["a few words", "to try it on"])
    except (UserError, PermissionError):
        raise
    except Exception as error:  # each of these libraries has errors of its own for a broken file
        raise UserError(
            f"{path} cannot be read as a model of the kind {scheme}: {str(error) or type(error).__name__}",
            needed=ADDRESSES[f"{scheme}:/folder"],
            todo="copy the model's folder again",
        ) from error
    if tried.shape != (2, made.identity.dim):
        raise UserError(
            f"{path} makes vectors of shape {tried.shape[1:]} and says that they are {made.identity.dim} wide.",
            todo="copy the model's folder again",
        )
    return made
