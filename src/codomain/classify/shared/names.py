"""An adapter of classes' vectors, trained by the cross-entropy of labelled rows alone."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need

if TYPE_CHECKING:
    from torch import Tensor


def adapt_names(names: "Tensor", turn: "Tensor") -> "Tensor":
    """Add to each vector its image under a linear map and scale to length 1."""
    torch = need("torch", "torch")
    value: Tensor = torch.nn.functional.normalize(names + names @ turn, dim=1)
    return value


def train_names(
    names: NDArray[Any], rows: NDArray[Any], of: NDArray[np.intp],
    *, temperature: float, learning_rate: float, epochs: int, batch: int, random_state: int,
) -> NDArray[Any]:  # fmt: skip
    """Train the map, (dim, dim), zero at first, so that rows are nearest to the vector of their class, by number."""
    torch = need("torch", "torch")
    W, R, target = (torch.from_numpy(part) for part in (names, rows, of))
    turn = torch.nn.Parameter(torch.zeros(names.shape[1], names.shape[1], dtype=W.dtype))

    def loss(chosen: "Tensor") -> "Tensor":
        logits = R[chosen] @ adapt_names(W, turn).T / temperature
        value: Tensor = torch.nn.functional.cross_entropy(logits, target[chosen])
        return value

    descend(loss, [turn], len(rows), epochs=epochs, batch=batch, learning_rate=learning_rate, random_state=random_state)
    return np.asarray(turn.detach().numpy())
