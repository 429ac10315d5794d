"""An encoder in a folder: model.onnx and tokenizer.json, with sentence-transformers' own files when they are there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, UserError
from codomain.encode.encoders.counts import TokenCounts
from codomain.encode.encoders.folder import hash_of, model_folder, model_name, plain, prompts, read_json
from codomain.encode.encoders.onnx import OnnxModel
from codomain.encode.encoders.windows import Long

_STEPS = {"Transformer", "Pooling", "Normalize"}
_OLD_POOLING = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
_MAX_TOKENS = 512
_UNSET = 10**9  # tokenizers write a huge number for "no limit"


class OnnxFolder:
    """A model exported to ONNX.

    Read when they are there: `1_Pooling/config.json` (mean or cls; mean otherwise), `modules.json` (whether vectors are
    scaled to length 1; they are otherwise), `sentence_bert_config.json` and `config.json` (tokens kept; 512 otherwise),
    `config_sentence_transformers.json` (prompts for queries and documents).

    Parameters
    ----------
    path : str
        The folder; the graph is `model.onnx` or `onnx/model.onnx`.
    long : {"cut", "mean"}, default="cut"
        Cut longer texts, as the model's own library does, or read on in windows whose vectors are averaged, weighted
        by their tokens; the prompt stands in front of the first one.

    Raises
    ------
    UserError
        When the folder or a file is missing, or the model needs a step that this does not do.
    """

    batch_rows = 32

    def __init__(self, path: str, *, long: Long = "cut") -> None:
        folder = model_folder(path, ["tokenizer.json"])
        graph = next((folder / name for name in ("model.onnx", "onnx/model.onnx") if (folder / name).is_file()), None)
        if graph is None:
            raise UserError(f"{folder} holds no model.onnx.", needed="model.onnx, or onnx/model.onnx, in the folder")
        config = read_json(folder / "config.json", {})
        normalise = "Normalize" in _steps(folder)
        pooling = _pooling(folder)
        max_tokens = _max_tokens(folder, config)
        prefix_row, prefix_query = prompts(read_json(folder / "config_sentence_transformers.json", {}))
        tokenizer = folder / "tokenizer.json"
        self._model = OnnxModel(
            str(graph), tokenizer.read_text("utf-8"), max_tokens=max_tokens, pooling=pooling, normalise=normalise,
            long=long,
        )  # fmt: skip
        weights = [path for path in graph.parent.glob(graph.name + "*") if path.is_file()]  # with model.onnx_data
        self.identity = EncoderIdentity(
            model_name(config, "onnx"), hash_of(graph.parent, weights)[:32] + hash_of(folder, [tokenizer])[:32],
            self._model.dim, pooling, prefix_row, prefix_query, normalise, max_tokens,
            f"onnx:{folder}" + ("" if long == "cut" else "?long=mean"),
            "" if long == "cut" else long,
        )  # fmt: skip

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n, dim), each text with the model's prompt for queries or documents in front."""
        return self._model.encode(plain(texts, self.identity.prefix_query if query else self.identity.prefix_row))

    def count(self, texts: Sequence[str]) -> TokenCounts:
        """Count the tokens of texts that are read, and those that are not known."""
        return self._model.count(plain(texts), prefix=self.identity.prefix_row)


def _steps(folder: Path) -> list[str]:
    """Return the kinds of step in modules.json, and the usual three when there is no such file."""
    modules = read_json(folder / "modules.json", [])
    found = [str(module.get("type")).rpartition(".")[2] for module in modules] or [*_STEPS]
    if beyond := set(found) - _STEPS:
        raise UserError(
            f"{folder} needs the step {', '.join(sorted(beyond))} after the model.",
            needed=f"only {', '.join(sorted(_STEPS))}",
            todo=f"use st:{folder}",
        )
    return found


def _pooling(folder: Path) -> str:
    config = read_json(folder / "1_Pooling" / "config.json", {})
    old = [key for key, on in config.items() if key.startswith("pooling_mode_") and on is True]
    asked = config.get("pooling_mode") or (old if len(old) > 1 else _OLD_POOLING.get(old[0], old[0]) if old else "mean")
    if asked not in ("mean", "cls") or config.get("include_prompt") is False:
        raise UserError(
            f"{folder / '1_Pooling' / 'config.json'} asks for the pooling {asked}"
            + ("." if config.get("include_prompt", True) else ", without the prompt."),
            needed="mean or cls, over the prompt too",
            todo=f"use st:{folder}",
        )
    return str(asked)


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    """Return the tokens kept: what sentence-transformers says, else 512; never more than the model has positions."""
    asked = read_json(folder / "sentence_bert_config.json", {}).get("max_seq_length")
    asked = asked or read_json(folder / "tokenizer_config.json", {}).get("model_max_length") or _MAX_TOKENS
    return int(min(asked if asked < _UNSET else _MAX_TOKENS, config.get("max_position_embeddings") or _UNSET))
