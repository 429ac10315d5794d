"""Train a bottleneck of whole numbers: encoder, prior and decoder together, then only the decoder."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError, descend, need

if TYPE_CHECKING:
    from torch import Tensor

CURVES = 3  # logistic curves that make up the prior of a component
TINY = 1e-9  # least probability of a whole number
Parts = list[NDArray[Any]]


def train(
    A: NDArray[Any],
    B: NDArray[Any],
    widths: tuple[int, int],
    weight_of_rate: float,
    epochs: int,
    learning_rate: float,
    rng: np.random.RandomState,
) -> tuple[Parts, Parts, Parts, NDArray[np.float64]]:
    """Return encoder, decoder, prior and the loss of each pass, for rows A and the targets B of the decoder.

    `widths` are those of the code and of the hidden layers. The prior is, for each component, the places, logarithms
    of the widths and logits of the weights of its curves, each of shape (n_components, CURVES).
    """
    torch = need("torch", "torch")
    rows, wanted = torch.from_numpy(A), torch.from_numpy(B)
    noise = torch.Generator().manual_seed(int(rng.randint(2**31 - 1)))
    k, n_hidden = widths

    def parameter(values: NDArray[Any]) -> Any:
        return torch.nn.Parameter(torch.from_numpy(values.astype(A.dtype)))

    def layers(*sizes: int) -> list[Any]:
        return [parameter(part) for a, b in pairwise(sizes) for part in (rng.normal(size=(a, b)) / a**0.5, np.zeros(b))]

    coder, decoder = layers(A.shape[1], n_hidden, k), layers(k, n_hidden, B.shape[1])
    prior = [parameter(np.tile(part, (k, 1))) for part in ([-1, 0, 1], np.zeros(CURVES), np.zeros(CURVES))]
    middle, size, weight = prior

    def error(Z: "Tensor", batch: "Tensor") -> "Tensor":
        return torch.mean((apply_layers(Z, decoder) - wanted[batch]) ** 2)

    def loss(batch: "Tensor") -> "Tensor":
        Z = apply_layers(rows[batch], coder)
        Z = Z + torch.rand(Z.shape, generator=noise, dtype=Z.dtype) - 0.5
        low, high = (torch.sigmoid((Z[:, :, None] + end - middle) * torch.exp(-size)) for end in (-0.5, 0.5))
        cells = ((high - low) * weight.softmax(dim=1)).sum(dim=2)
        return error(Z, batch) - weight_of_rate * torch.log2(cells.clamp_min(TINY)).sum(dim=1).mean()

    how: dict[str, Any] = {"learning_rate": learning_rate, "random_state": rng}
    try:
        losses = descend(loss, [*coder, *decoder, *prior], len(A), epochs=epochs, **how)
        with torch.no_grad():
            codes = apply_layers(rows, coder).round()
        descend(lambda batch: error(codes[batch], batch), decoder, len(A), epochs=-(-epochs // 2), **how)
    except FloatingPointError as problem:
        raise UserError(str(problem), todo="lower learning_rate") from problem
    parts = ([part.detach().numpy().copy() for part in some] for some in (coder, decoder, prior))
    coder, decoder, prior = parts
    return coder, decoder, prior, np.array(losses)


def apply_layers(X: Any, layers: list[Any]) -> Any:
    """Apply two layers with a ReLU between them to an array or a tensor."""
    hidden = X @ layers[0] + layers[1]
    return hidden * (hidden > 0) @ layers[2] + layers[3]
