"""The network that judges pairs of a query and a document, and the bar from which its yes counts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import need

Weights = dict[str, Any]


def beginning(n_query: int, n_document: int, k: int, h: int, random: np.random.RandomState) -> Weights:
    """Draw the start: heads that are alike where widths are, and a judgement that begins as their inner product."""
    shared = random.standard_normal((max(n_query, n_document), k)) / np.sqrt(k)
    weights = {
        "query": shared[:n_query].copy(), "document": shared[:n_document].copy(), "direct": np.full(k, 5.0),
        "hidden": random.standard_normal((2 * k, h)) / np.sqrt(2 * k), "shift": np.zeros(h), "out": np.zeros(h),
        "bias": np.full(1, -2.0),
    }  # fmt: skip
    return {name: values.astype(np.float32) for name, values in weights.items()}


def judged(weights: Weights, queries: Any, documents: Any) -> Any:
    """Return log odds that documents answer queries, both tensors of shape (n, width), pair by pair."""
    torch: Any = need("torch", "torch")
    one, other = queries @ weights["query"], documents @ weights["document"]
    product, apart = one * other, (one - other).abs()
    hidden = torch.relu(torch.cat([product, apart], dim=1) @ weights["hidden"] + weights["shift"])
    return product @ weights["direct"] + hidden @ weights["out"] + weights["bias"]


def best_bar(right: NDArray[Any], wrong: NDArray[Any]) -> float:
    """Return the bar with the highest F1 of what is kept, which is what reaches it; the highest of equal ones."""
    bars = np.unique(np.concatenate([right, wrong]))[::-1]
    found = len(right) - np.searchsorted(np.sort(right), bars, "left")
    amiss = len(wrong) - np.searchsorted(np.sort(wrong), bars, "left")
    best = int(np.argmax(2 * found / (found + amiss + len(right))))
    return float((bars[best] + bars[min(best + 1, len(bars) - 1)]) / 2)  # half way to the next lower score
