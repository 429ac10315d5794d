"""The first tokens of texts as vectors, one text after another, and the offsets at which texts start."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows
from codomain.encode.encoders.minilm import MiniLM
from codomain.encode.encoders.static import TokenTable

Sets = tuple[NDArray[np.float32], NDArray[np.int64]]


@lru_cache(maxsize=4)  # encoding takes seconds, and the seeds of a claim share all but their queries
def minilm_tokens(texts: tuple[str, ...], most: int) -> Sets:
    """Return MiniLM's vectors of the first tokens of each text, in context, of length 1, and the offsets of texts."""
    model: Any = MiniLM()._model
    tokens = []
    for start in range(0, len(texts), 8):
        ids = [one.ids[:most] for one in model._tokenizer.encode_batch_fast(list(texts[start : start + 8]))]
        held = np.arange(most) < np.array([len(row) for row in ids])[:, None]
        padded = np.zeros(held.shape, np.int64)
        padded[held] = np.concatenate(ids)
        given = {"input_ids": padded, "attention_mask": held, "token_type_ids": np.zeros_like(padded)}
        feed = {name: given[name].astype(kind) for name, kind in model._inputs.items()}
        hidden = model._session.run([model._output], feed)[0]
        tokens.append((hidden[held], held.sum(axis=1)))
    rows, lengths = (np.concatenate(part) for part in zip(*tokens, strict=True))
    return unit_rows(rows), np.cumsum([0, *lengths])


def wordllama_tokens(texts: list[str], most: int) -> Sets:
    """Return wordllama's rows for the first tokens of each text, and the offsets of texts."""
    model: Any = TokenTable.wordllama()
    found = model._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    ids = [one.ids[:most] for one in found]
    return model._table[np.concatenate(ids)], np.cumsum([0, *map(len, ids)])
