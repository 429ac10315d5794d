"""Fit torch parameters by minibatch gradient descent, the same way in every method that needs it."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from codomain.core.extras import need
from codomain.core.maths.threads import one_thread

if TYPE_CHECKING:
    import torch


def descend(
    loss: "Callable[[torch.Tensor], torch.Tensor]",
    parameters: "Iterable[torch.nn.Parameter]",
    n_samples: int,
    *,
    epochs: int,
    batch: int = 256,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.0,
    random_state: int | np.random.RandomState = 0,
    after_epoch: Callable[[int, float], Any] | None = None,
) -> list[float]:
    """Minimise a loss over minibatches with AdamW.

    Parameters
    ----------
    loss : callable
        From the row numbers of a minibatch, an int64 tensor of shape (at most batch,), to a scalar tensor.
    parameters : iterable of torch.nn.Parameter
        To be learned; changed in place.
    n_samples : int
        Rows to draw minibatches from, without replacement within an epoch.
    epochs, batch : int
        Passes over the rows, and rows per step; a last minibatch of one row is left out, since contrastive losses
        and batch statistics need two, unless there is only one row.
    learning_rate, weight_decay : float
        As AdamW has them.
    random_state : int or RandomState, default=0
        Seed of the order of the rows; it does not seed draws inside `loss`.
    after_epoch : callable, optional
        Called with the number of the epoch and its mean loss; an exception raised there ends the fit.

    Returns
    -------
    list of float
        Mean loss of each epoch.

    Raises
    ------
    FloatingPointError
        When the loss is no longer finite.
    """
    torch = need("torch", "torch")
    rng = np.random.RandomState(random_state) if isinstance(random_state, int) else random_state
    optimizer = torch.optim.AdamW(list(parameters), lr=learning_rate, weight_decay=weight_decay)
    losses: list[float] = []
    with one_thread():
        for epoch in range(epochs):
            order = rng.permutation(n_samples)
            values = []
            for start in range(0, n_samples, batch):
                rows = order[start : start + batch]
                if len(rows) == 1 and n_samples > 1:
                    continue
                optimizer.zero_grad()
                value: Any = loss(torch.from_numpy(rows))
                value.backward()
                optimizer.step()
                values.append(value.item())
            losses.append(float(np.mean(values)))
            if not np.isfinite(losses[-1]):
                raise FloatingPointError(f"The loss is {losses[-1]} after epoch {epoch}: lower the learning rate.")
            if after_epoch:
                after_epoch(epoch, losses[-1])
    return losses
