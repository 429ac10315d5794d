"""Gates between the layers of a net, and classifiers on them, trained for their expected loss."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need


def gate_inputs(P: Any) -> Any:
    """Return the inputs of a gate from probabilities (..., n_classes): the largest, its lead, the entropy, and 1."""
    torch = need("torch", "torch")
    top = P.topk(2).values
    entropy = -torch.special.xlogy(P, P).sum(dim=-1) / np.log(P.shape[-1])
    return torch.stack([top[..., 0], top[..., 0] - top[..., 1], entropy, torch.ones_like(entropy)], dim=-1)


def gate_scores(P: Any, gates: Any) -> Any:
    """Return log odds of stopping, (n, n_layers - 1), for probabilities (n_layers, n, n_classes)."""
    torch = need("torch", "torch")
    return torch.einsum("lnk,lk->nl", gate_inputs(P[:-1]), gates)


def exit_shares(stops: Any) -> Any:
    """Return the chance of ending at each layer from the chances of stopping once there, (n, n_layers - 1)."""
    torch = need("torch", "torch")
    one = stops.new_ones((len(stops), 1))
    return torch.cat([one, (1 - stops).cumprod(dim=1)], dim=1) * torch.cat([stops, one], dim=1)


def should_stop(totals: Any) -> Any:
    """Return where the layer of least loss plus cost is reached, (n, n_layers - 1), from totals (n, n_layers)."""
    torch = need("torch", "torch")
    return torch.arange(totals.shape[1] - 1) >= totals.argmin(dim=1, keepdim=True)


def balance(pays: Any) -> Any:
    """Return a weight for each target, so that ones count as much in all as zeros do where there are both."""
    ones, zeros = pays.sum(), (1 - pays).sum()
    return pays * zeros / ones + (1 - pays) if ones * zeros > 0 else pays.new_ones(pays.shape)


def cross_entropies(layers: Any, coef: Any, intercept: Any, answers: Any) -> tuple[Any, Any]:
    """Return cross-entropies (n, n_layers) and log-probabilities (n_layers, n, n_classes) of rows (n_layers, n, d)."""
    torch = need("torch", "torch")
    log_probabilities = torch.log_softmax(layers @ coef + intercept, dim=2)
    return -log_probabilities[:, torch.arange(len(answers)), answers].T, log_probabilities


def train_classifiers(
    data: NDArray[Any], which: NDArray[np.intp], *, epochs: int, learning_rate: float, rng: np.random.RandomState
) -> tuple[list[Any], list[float]]:
    """Train a classifier on each layer of (n_layers, n, width) by itself; return coef, intercept, loss of each pass."""
    torch = need("torch", "torch")
    layers, answers = torch.from_numpy(data), torch.from_numpy(which)
    (n_layers, n, width), n_classes = layers.shape, int(which.max()) + 1
    shapes = (n_layers, width, n_classes), (n_layers, 1, n_classes)
    coef, intercept = parts = [torch.nn.Parameter(torch.zeros(shape, dtype=layers.dtype)) for shape in shapes]

    def mean_loss(some: Any) -> Any:
        return cross_entropies(layers[:, some], coef, intercept, answers[some])[0].mean()

    return parts, descend(mean_loss, parts, n, epochs=epochs, learning_rate=learning_rate, random_state=rng)


def train_exits(
    data: NDArray[Any], which: NDArray[np.intp], prices: NDArray[Any], *, epochs: int, learning_rate: float,
    rng: np.random.RandomState,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], list[float]]:  # fmt: skip
    """Train on layers (n_layers, n, width); return coef, intercept, gates and the loss of each pass."""
    torch = need("torch", "torch")
    layers, answers, costs = torch.from_numpy(data), torch.from_numpy(which), torch.from_numpy(prices)
    warm = epochs // 2
    (coef, intercept), losses = train_classifiers(data, which, epochs=warm, learning_rate=learning_rate, rng=rng)
    gates = torch.nn.Parameter(torch.zeros((len(layers) - 1, 4), dtype=layers.dtype))

    def joint_loss(some: Any) -> Any:
        losses_by_layer, log_probabilities = cross_entropies(layers[:, some], coef, intercept, answers[some])
        scores = gate_scores(log_probabilities.detach().exp(), gates)
        pays = should_stop((losses_by_layer + costs).detach()).to(scores.dtype)
        shares = exit_shares(scores.sigmoid()).detach()
        cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits
        of_gates = cross_entropy(scores, pays, balance(pays), reduction="sum")
        return (shares * losses_by_layer).sum(dim=1).mean() + of_gates / len(some)

    learned = [coef, intercept, gates]
    losses += descend(
        joint_loss, learned, layers.shape[1], epochs=epochs - warm, learning_rate=learning_rate, random_state=rng
    )
    return coef.detach().numpy(), intercept.detach().numpy()[:, 0], gates.detach().numpy(), losses
