"""Run an ONNX text model: tokens, batches of similar length, pooling."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError, need, unit_rows
from codomain.core.maths.threads import cores
from codomain.encode.encoders.counts import TokenCounts, unknown_token
from codomain.encode.encoders.windows import Long, pooled

# Measured on docstrings: one thread per batch of 8 texts of similar length is 1.3 times as fast as all threads on one
# batch of 32, because nothing waits and a batch's activations stay in the cache.
_BATCH = 8
_CHUNK = 1024  # texts tokenised at once: bounds the memory
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class OnnxModel:
    """A token model in ONNX form and the pooling that makes one vector of its tokens.

    Parameters
    ----------
    model : str
        Path of the graph.
    tokenizer : str
        The text of tokenizer.json.
    max_tokens : int
        Tokens read at once, special ones included.
    pooling : {"mean", "cls"}, default="mean"
        Mean of the token vectors, or the first one. A graph that returns `sentence_embedding` has pooled already.
    normalise : bool, default=True
        Scale vectors to length 1.
    long : {"cut", "mean"}, default="cut"
        Leave the rest of a longer text unread, or read on in windows of `max_tokens` and take the mean of their
        vectors, weighted by their tokens.

    Raises
    ------
    UserError
        When the graph or the tokenizer cannot be read, or the graph wants inputs that a text does not give.
    """

    def __init__(
        self, model: str, tokenizer: str, *, max_tokens: int, pooling: str = "mean", normalise: bool = True,
        long: Long = "cut",
    ) -> None:  # fmt: skip
        ort = need("onnxruntime", "text")
        tokenizers = need("tokenizers", "text")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer)
        except Exception as error:  # the library raises nothing narrower
            raise UserError(f"The tokenizer.json beside {model} cannot be read: {error}.") from None
        self._unknown = unknown_token(json.loads(tokenizer).get("model", {}), self._tokenizer)
        self._pad = (self._tokenizer.padding or {}).get("pad_id", self._tokenizer.token_to_id("[PAD]") or 0)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no class of their own
            raise UserError(f"{model} cannot be run: {error}.", todo="copy or export the model again") from None
        self._inputs = {node.name: _INTEGERS.get(node.type) for node in self._session.get_inputs()}
        if strange := [name for name, kind in self._inputs.items() if name not in _INPUTS or kind is None]:
            raise UserError(
                f"The graph wants the inputs {', '.join(strange)}.",
                needed=f"integer inputs among {', '.join(sorted(_INPUTS))}",
                todo="export the text part of the model alone, or use st:/folder",
            )
        outputs = [node.name for node in self._session.get_outputs()]
        self._output = "sentence_embedding" if "sentence_embedding" in outputs else outputs[0]
        self._pooling, self._normalise, self._long, self._max_tokens = pooling, normalise, long, max_tokens
        self.dim = self._run([[self._pad]]).shape[1]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n, dim)."""
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        pool = ThreadPoolExecutor(cores()) if len(texts) > _BATCH else None
        try:
            for start in range(0, len(texts), _CHUNK):
                found = self._tokenizer.encode_batch_fast(texts[start : start + _CHUNK])
                read = [self._windows(text) for text in found]
                tokens = list(chain.from_iterable(read))
                order = sorted(range(len(tokens)), key=lambda window: -len(tokens[window]))
                batches = [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]
                ready = [[tokens[window] for window in batch] for batch in batches]
                vectors = np.empty((len(tokens), self.dim), np.float32)
                for batch, made in zip(batches, (pool.map if pool else map)(self._run, ready), strict=True):
                    vectors[batch] = made
                lengths, windows = [len(ids) for ids in tokens], [len(text) for text in read]
                out[start : start + _CHUNK] = pooled(vectors, lengths, windows)
        finally:
            if pool:  # on Ctrl-C only the batches that already run are waited for
                pool.shutdown(cancel_futures=True)
        return unit_rows(out) if self._normalise else out

    def count(self, texts: Sequence[str], *, prefix: str = "") -> TokenCounts:
        """Count the tokens of texts that `encode` reads behind a prefix."""
        special = self._tokenizer.num_special_tokens_to_add(False)
        front = len(self._tokenizer.encode(prefix, add_special_tokens=False).ids) if prefix else 0
        found = [
            list(chain.from_iterable(window.ids for window in (text, *text.overflowing)))
            for start in range(0, len(texts), _CHUNK)
            for text in self._tokenizer.encode_batch_fast(texts[start : start + _CHUNK], add_special_tokens=False)
        ]
        room = max(self._max_tokens - special - front, 1)
        return TokenCounts.of(found, self._unknown, room, cut=self._long == "cut")

    def _windows(self, text: Any) -> list[list[int]]:
        """Return the tokens of each window of a text that is read, with the special tokens around each."""
        return [window.ids for window in ((text, *text.overflowing) if self._long == "mean" else (text,))]

    def _run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        """Return the pooled vectors of one batch of token lists."""
        lengths = np.array([len(row) for row in tokens])
        held = np.arange(max(lengths.max(), 1)) < lengths[:, None]
        ids = np.full(held.shape, self._pad)
        ids[held] = list(chain.from_iterable(tokens))
        given = {"input_ids": ids, "attention_mask": held, "token_type_ids": np.zeros_like(ids)}
        feed = {name: given[name].astype(kind) for name, kind in self._inputs.items()}
        found = self._session.run([self._output], feed)[0].astype(np.float32, copy=False)
        if found.ndim == 2:  # the graph has pooled
            return found
        if self._pooling == "cls":
            return found[:, 0]
        weights = held / np.maximum(lengths, 1)[:, None]
        return np.matmul(weights.astype(np.float32)[:, None, :], found)[:, 0]
