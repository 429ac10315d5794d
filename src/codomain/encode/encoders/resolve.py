"""How a short address becomes an encoder."""

from codomain.core import UserError
from codomain.encode.encoders.encoder import Encoder

ADDRESSES = {
    "builtin:minilm": "all-MiniLM-L6-v2, 384-d, on this machine (the default)",
    "static:wordllama": "a token table, 256-d: about a hundred times faster, coarser",
    "model2vec:/folder": "a model2vec token table",
    "onnx:/folder": "model.onnx with tokenizer.json",
    "st:/folder": "a sentence-transformers model",
    "openai:http://host/v1#model": "a server with an OpenAI-compatible API: the texts are sent to it",
}


def resolve(uri: str = "builtin:minilm", *, named: bool = True) -> Encoder:
    """Return the encoder that an address names.

    Nothing is downloaded, ever: a model is in an installed package, in a folder, or behind a server of your choice.

    Parameters
    ----------
    uri : str, default="builtin:minilm"
        `builtin:minilm`, `static:wordllama`, `model2vec:/folder`, `onnx:/folder`, `st:/folder` or
        `openai:http://host/v1#model`.
    named : bool, default=True
        Whether a person named it just now. An address that a space names is no such; a server gets no key then but one
        that was meant for it.

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
    if scheme == "model2vec" and rest:
        from codomain.encode.encoders.static import TokenTable

        return TokenTable.model2vec(rest)
    if scheme == "onnx" and rest:
        from codomain.encode.encoders.onnx_dir import OnnxFolder

        return OnnxFolder(rest)
    if scheme == "st" and rest:
        from codomain.encode.encoders.sentence_transformers_dir import SentenceTransformersFolder

        return SentenceTransformersFolder(rest)
    if scheme == "openai" and rest:
        from codomain.encode.encoders.endpoint import Endpoint

        return Endpoint(rest, named=named)
    there = "; ".join(f"{address} ({what})" for address, what in ADDRESSES.items())
    raise UserError(f"There is no encoder {uri!r}.", needed=f"one of: {there}")
