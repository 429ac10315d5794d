"""Two small adapters, of rows and of texts, that a contrastive loss on given pairs trains over frozen vectors."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need, unit_rows

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 256  # pairs in a step; each is contrasted with all others
DECAY = 1e-2  # pull of the adapters towards leaving vectors unchanged


def adapt(vectors: NDArray[Any], turn: NDArray[Any]) -> NDArray[Any]:
    """Add to each vector its image under a linear map and scale to length 1."""
    return unit_rows(vectors + vectors @ turn.astype(vectors.dtype))


def contrastive_loss(rows: "Tensor", texts: "Tensor", same: "Tensor", temperature: float) -> "Tensor":
    """Return the cross-entropy of finding each row's texts, and each text's rows, among all, in nats.

    Rows and texts are of length 1, both of shape (n, dim); `same`, (n, n), says which belong together.
    """
    torch = need("torch", "torch")
    scores = rows @ texts.T / temperature
    weights = same / same.sum(dim=1, keepdim=True)
    by_row = -(weights * torch.log_softmax(scores, dim=1)).sum(dim=1).mean()
    by_text = -(weights * torch.log_softmax(scores.T, dim=1)).sum(dim=1).mean()
    value: Tensor = (by_row + by_text) / 2
    return value


def train_adapters(
    rows: NDArray[Any], texts: NDArray[Any], n_samples: int,
    pairs: "Callable[[NDArray[Any]], tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]",
    *, temperature: float, epochs: int, learning_rate: float, rng: np.random.RandomState,
) -> tuple[NDArray[Any], NDArray[Any], list[float]]:  # fmt: skip
    """Train the adapters of rows and of texts, both zero at first, and return them with the loss of each pass.

    `pairs` turns the sample numbers of a step into row numbers, text numbers and which of these belong together.
    """
    torch = need("torch", "torch")
    R, T = torch.from_numpy(rows), torch.from_numpy(texts)
    zeros = torch.zeros(rows.shape[1], rows.shape[1], dtype=R.dtype)
    turns = [torch.nn.Parameter(zeros.clone()) for _ in range(2)]

    def adapt_tensors(vectors: "Tensor", turn: "Tensor") -> "Tensor":
        value: Tensor = torch.nn.functional.normalize(vectors + vectors @ turn, dim=1)
        return value

    def loss(batch: "Tensor") -> "Tensor":
        of_rows, of_texts, same = pairs(batch.numpy())
        one, two = adapt_tensors(R[of_rows], turns[0]), adapt_tensors(T[of_texts], turns[1])
        return contrastive_loss(one, two, torch.from_numpy(same.astype(rows.dtype)), temperature)

    losses = descend(
        loss, turns, n_samples, epochs=epochs, batch=BATCH, learning_rate=learning_rate, weight_decay=DECAY,
        random_state=rng,
    )  # fmt: skip
    one, two = (turn.detach().numpy() for turn in turns)
    return one, two, losses
