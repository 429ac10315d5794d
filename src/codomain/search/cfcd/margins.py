"""Two layers, and a cosine softmax whose scale and margin each minibatch sets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need, unit_rows

_ROWS = 64  # rows in a step
_SURE, _LEAST_SCALE = 1e7, 32.0  # odds of a perfect row, and the lowest scale


def scale_and_margin(cosines: Any, labels: Any, probability: float) -> tuple[Any, Any]:
    """Return scale and margin of a minibatch, from its cosines of shape (b, n_classes), without gradients.

    They give the row with the middle cosine to its class that probability, and a row of cosine 1 odds of 1e7, unless
    the scale would fall below 32 or the margin below 0.
    """
    torch: Any = need("torch", "torch")
    with torch.no_grad():
        right = cosines.gather(1, labels[:, None])[:, 0]
        middle, place = right.median(dim=0)
        odds = probability / (1 - probability)
        scale = (np.log(_SURE / odds) / (1 - middle).clamp(min=1e-6)).clamp(min=_LEAST_SCALE)
        others = cosines[place].masked_fill(torch.arange(cosines.shape[1]) == labels[place], -torch.inf)
        margin = middle - (torch.logsumexp(scale * others, dim=0) + np.log(odds)) / scale
        return scale, margin.clamp(min=0)


def margin_loss(cosines: Any, labels: Any, scale: Any, margin: Any) -> Any:
    """Cross-entropy of scale * (cosine - margin of the right class)."""
    torch: Any = need("torch", "torch")
    right = torch.nn.functional.one_hot(labels, cosines.shape[1])
    return torch.nn.functional.cross_entropy(scale * (cosines - margin * right), labels)


def learn_layers(
    X: NDArray[np.float32], y: NDArray[np.intp], widths: tuple[int, int], loss: Any, epochs: int, random: Any
) -> list[NDArray[np.float32]]:
    """Learn two layers and a direction for each class from `loss(cosines, labels)`; return the layers' weights."""
    torch: Any = need("torch", "torch")
    rows, labels = torch.from_numpy(X), torch.from_numpy(y)

    def parameter(*shape: int) -> Any:
        return torch.nn.Parameter(
            torch.tensor(random.standard_normal(shape) * np.sqrt(2 / shape[0]), dtype=torch.float32)
        )

    first, second = parameter(X.shape[1], widths[0]), parameter(*widths)
    shift = torch.nn.Parameter(torch.zeros(widths[0]))
    classes = parameter(widths[1], int(y.max()) + 1)

    def batch_loss(picked: Any) -> Any:
        ends = torch.relu(rows[picked] @ first + shift) @ second
        normal = torch.nn.functional.normalize
        return loss(normal(ends, dim=1) @ normal(classes, dim=0), labels[picked])

    descend(batch_loss, [first, shift, second, classes], len(X), epochs=epochs, batch=_ROWS, random_state=random)
    return [weight.detach().numpy() for weight in (first, shift, second)]


def apply_layers(X: NDArray[Any], layers: list[NDArray[Any]]) -> NDArray[Any]:
    """Return rows of length 1: what the two layers make of X."""
    first, shift, second = (weight.astype(X.dtype, copy=False) for weight in layers)
    return unit_rows(np.maximum(X @ first + shift, 0) @ second)
