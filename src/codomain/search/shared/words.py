"""Token vectors of wordllama's table and sums over runs of columns, for methods that score sets of vectors."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@cache
def word_vectors(table: Any, texts: tuple[str, ...], most: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return wordllama's rows, by the class TokenTable, for each text's first tokens, and the offsets that cut them."""
    model = table.wordllama()
    found = model._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    ids = [one.ids[:most] for one in found]
    return model._table[np.concatenate(ids)], np.cumsum([0, *map(len, ids)])


def softest(scores: NDArray[Any], starts: NDArray[np.int64], temperature: float, axis: int) -> NDArray[Any]:
    """Sum each run of scores along an axis, weighted by the softmax of that run; small temperatures give its best."""
    lengths = np.diff(starts)
    best = np.maximum.reduceat(scores, starts[:-1], axis=axis)
    weights = np.exp((scores - np.repeat(best, lengths, axis=axis)) / scores.dtype.type(temperature))
    whole = np.add.reduceat(weights, starts[:-1], axis=axis)
    return np.asarray(np.add.reduceat(weights * scores, starts[:-1], axis=axis) / whole)
