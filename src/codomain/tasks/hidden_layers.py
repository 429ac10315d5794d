"""What the layers of scikit-learn's nets compute."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def hidden_layers(net: Any, X: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the activations of each hidden layer of a net with relu, (n_samples, its units), the first one first."""
    layers = [X]
    for weights, bias in zip(net.coefs_[:-1], net.intercepts_[:-1], strict=True):
        layers.append(np.maximum(layers[-1] @ weights + bias, 0))
    return layers[1:]
