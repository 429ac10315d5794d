"""Corners of a simplex, and the loss that keeps a net's features near those of the net before."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import need, unit_rows


def simplex(n_classes: int) -> NDArray[np.float64]:
    """Corners of a regular simplex around the origin, of shape (n_classes, n_classes - 1), at length 1."""
    # The unit vectors of the axes are all equally far apart; (t, ..., t) below is just as far from each of them.
    axes = np.eye(n_classes - 1)
    last = np.full((1, n_classes - 1), (1 - np.sqrt(n_classes)) / (n_classes - 1))
    corners = np.vstack([axes, last])
    return np.asarray(unit_rows(corners - corners.mean(axis=0)))


def higher_order_loss(new: Any, old: Any, labels: Any, temperature: float) -> Any:
    """Contrast each row's old features with the new ones of the batch; both (n, d) at length 1, torch tensors.

    The positive of a row is the row itself, its negatives are rows of other classes. Rows of its own class count as
    if their inner product were 0, as in the authors' code; so there is a sum even without any negative.
    """
    torch = need("torch", "torch")
    products = old @ new.T / temperature
    others = labels[:, None] != labels
    return (torch.logsumexp(products * others, dim=1) - products.diagonal()).mean()
