"""The network that judges pairs of a query and a document, and the threshold from which on its yes counts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError, need, unit_rows

Weights = dict[str, Any]
_FOCUS = 0.1  # temperature of the attention of a query's tokens over a document's


def as_tokens(rows: NDArray[Any]) -> Any:
    """Return a tensor of shape (n, n_tokens, width) with tokens of length 1; a row of zeros is no token."""
    torch: Any = need("torch", "torch")
    shaped = rows.reshape(len(rows), 1, -1) if rows.ndim < 3 else rows
    if shaped.ndim != 3:
        raise UserError(f"An array of shape {rows.shape}.", needed="(rows, features) or (rows, tokens, features)")
    units = unit_rows(shaped.reshape(-1, shaped.shape[2])).reshape(shaped.shape)
    return torch.from_numpy(np.ascontiguousarray(units, np.float32))


def find_real(tokens: Any) -> Any:
    """Return which tokens are there, (n, n_tokens); the first always is."""
    real = (tokens != 0).any(dim=2)
    real[:, 0] = True
    return real


def start_weights(n_query: int, n_document: int, k: int, h: int, random: np.random.RandomState) -> Weights:
    """Draw the weights before training: heads of one width are equal, and the judgement is by near tokens alone."""
    shared = random.standard_normal((max(n_query, n_document), k)) / np.sqrt(k)
    weights = {
        "query": shared[:n_query].copy(), "document": shared[:n_document].copy(), "direct": np.full(k, 5.0),
        "hidden": random.standard_normal((2 * k, h)) / np.sqrt(2 * k), "shift": np.zeros(h), "out": np.zeros(h),
        "bias": np.full(1, -2.0),
    }  # fmt: skip
    return {name: values.astype(np.float32) for name, values in weights.items()}


def log_odds(weights: Weights, one: Any, other: Any, one_real: Any, other_real: Any) -> Any:
    """Return log odds that documents answer queries, pair by pair.

    `one` are mapped tokens of queries, (n, n_tokens, k), and `other` those of documents. Each token of a query looks at
    the document's by attention; products and distances of both, averaged over its tokens, are judged.
    """
    torch: Any = need("torch", "torch")
    near = (one @ other.transpose(1, 2) / _FOCUS).masked_fill(~other_real[:, None], -torch.inf)
    seen = near.softmax(dim=2) @ other
    share = (one_real / one_real.sum(dim=1, keepdim=True))[:, :, None]
    product, apart = (one * seen * share).sum(dim=1), ((one - seen).abs() * share).sum(dim=1)
    hidden = torch.relu(torch.cat([product, apart], dim=1) @ weights["hidden"] + weights["shift"])
    return product @ weights["direct"] + hidden @ weights["out"] + weights["bias"]


def best_threshold(right: NDArray[Any], wrong: NDArray[Any]) -> float:
    """Return the threshold at which the rows that reach it have the highest F1; the highest of equal ones."""
    thresholds = np.unique(np.concatenate([right, wrong]))[::-1]
    right_kept = len(right) - np.searchsorted(np.sort(right), thresholds, "left")
    wrong_kept = len(wrong) - np.searchsorted(np.sort(wrong), thresholds, "left")
    best = int(np.argmax(2 * right_kept / (right_kept + wrong_kept + len(right))))
    return float(
        (thresholds[best] + thresholds[min(best + 1, len(thresholds) - 1)]) / 2
    )  # half way to the next lower score
