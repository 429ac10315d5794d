"""The network that judges pairs of a query and a document, and the threshold from which on its yes counts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import need

Weights = dict[str, Any]


def start_weights(n_query: int, n_document: int, k: int, h: int, random: np.random.RandomState) -> Weights:
    """Draw the weights before training: heads of one width are equal, and the judgement is their inner product."""
    shared = random.standard_normal((max(n_query, n_document), k)) / np.sqrt(k)
    weights = {
        "query": shared[:n_query].copy(), "document": shared[:n_document].copy(), "direct": np.full(k, 5.0),
        "hidden": random.standard_normal((2 * k, h)) / np.sqrt(2 * k), "shift": np.zeros(h), "out": np.zeros(h),
        "bias": np.full(1, -2.0),
    }  # fmt: skip
    return {name: values.astype(np.float32) for name, values in weights.items()}


def log_odds(weights: Weights, queries: Any, documents: Any) -> Any:
    """Return log odds that documents answer queries, both tensors of shape (n, width), pair by pair."""
    torch: Any = need("torch", "torch")
    one, other = queries @ weights["query"], documents @ weights["document"]
    product, apart = one * other, (one - other).abs()
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
