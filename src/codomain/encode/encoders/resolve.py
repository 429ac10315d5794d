"""How a short address becomes an encoder."""

from codomain.core import UserError
from codomain.encode.encoders.encoder import Encoder
from codomain.encode.encoders.windows import split_long

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
        `openai:http://host/v1#model`. The first and `onnx:` take `?long=mean` or `?long=cut` at the end: whether texts
        longer than the model reads at once are read on in windows (the first one's default) or cut.
    named : bool, default=True
        Whether a person named it just now. When a space did, a server gets no key but one that was meant for it.

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
    if scheme in ("model2vec", "onnx", "st") and rest:
        return _from_folder(scheme, rest)
    if scheme == "openai" and rest:
        from codomain.encode.encoders.endpoint import Endpoint

        return Endpoint(rest, named=named)
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

            path, long = split_long(path, "cut")
            made = OnnxFolder(path, long=long)
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
