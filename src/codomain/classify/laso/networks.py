"""The networks of LaSO: set operations on features, learned through a multi-label classifier."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need

OPERATIONS = ("union", "intersection", "difference")


def combine_labels(operation: str, one: Any, two: Any) -> Any:
    """Apply an operation to labels written as 0 and 1, arrays or tensors of one shape."""
    both = one * two
    return one + two - both if operation == "union" else both if operation == "intersection" else one - both


def combine_rows(network: Any, A: Any, B: Any) -> Any:
    """Pass pairs of rows, arrays or tensors of shape (n, d), through one hidden layer of relu that leaks a fifth."""
    (of_one, of_two, bias), (weights, last) = network[:3], network[3:]
    hidden = A @ of_one + B @ of_two + bias
    return (0.2 * hidden + 0.8 * hidden.clip(0)) @ weights + last


def train_networks(
    data: NDArray[Any], sets: NDArray[Any], *, n_hidden: int, epochs: int, learning_rate: float,
    rng: np.random.RandomState,
) -> tuple[dict[str, Any], tuple[NDArray[Any], NDArray[Any]], list[float]]:  # fmt: skip
    """Train networks and classifier together; return the networks, coef and intercept, and the loss of each pass."""
    torch = need("torch", "torch")
    (n, d), n_labels = data.shape, sets.shape[1]

    def draw(inputs: int, outputs: int, fan: int) -> Any:
        values = rng.standard_normal((inputs, outputs)) / np.sqrt(fan)
        return torch.nn.Parameter(torch.from_numpy(values.astype(data.dtype)))

    def zeros(*shape: int) -> Any:
        return torch.nn.Parameter(torch.zeros(shape, dtype=rows.dtype))

    rows, labels, hidden = torch.from_numpy(data), torch.from_numpy(sets), n_hidden
    networks = {
        name: (
            draw(d, hidden, d),
            draw(d, hidden, d),
            zeros(hidden),
            draw(hidden, d, hidden),
            zeros(d),
        )
        for name in OPERATIONS
    }
    coef, intercept = zeros(d, n_labels), zeros(n_labels)

    def cross_entropy(scores: Any, truth: Any) -> Any:
        return torch.nn.functional.binary_cross_entropy_with_logits(scores, truth)

    def loss(some: Any) -> Any:
        A, of_A = rows[some], labels[some]
        B, of_B = A.roll(1, 0), of_A.roll(1, 0)  # the order of the rows is random, so partners are
        made = {name: combine_rows(network, A, B) for name, network in networks.items()}
        total = cross_entropy(A @ coef + intercept, of_A)
        for name, Z in made.items():  # the classifier learns from real rows only
            total = total + cross_entropy(Z @ coef.detach() + intercept.detach(), combine_labels(name, of_A, of_B))
        for name in ("union", "intersection"):
            total = total + (made[name] - combine_rows(networks[name], B, A)).square().mean()
        again = combine_rows(networks["union"], made["difference"], made["intersection"])
        return total + (again - A).square().mean()

    learned = [part for network in networks.values() for part in network] + [coef, intercept]
    losses = descend(loss, learned, n, epochs=epochs, learning_rate=learning_rate, random_state=rng)
    found = {name: tuple(part.detach().numpy() for part in parts) for name, parts in networks.items()}
    return found, (coef.detach().numpy().T.copy(), intercept.detach().numpy()), losses
