"""The layers of a small net, for claims about exits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def digit_layers(
    seed: int, *, n_layers: int = 4, width: int = 12, epochs: int = 40
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Train a net on scanned digits and return the activations of all its hidden layers.

    Parameters
    ----------
    seed : int
        Seed of the split and of the net.
    n_layers, width : int
        Hidden layers and units of each.
    epochs : int, default=40
        Passes over the training digits.

    Returns
    -------
    train, test : pair of ndarray
        Activations, float32 of shape (n_digits, n_layers * width), first layer first, and the digits.
    """
    pixels, digits = load_digits(return_X_y=True)
    X, Q, y, truth = train_test_split(pixels / 16, digits, test_size=1 / 3, random_state=seed, stratify=digits)
    net = MLPClassifier((width,) * n_layers, learning_rate_init=0.003, random_state=seed)
    for _ in range(epochs):
        net.partial_fit(X, y, classes=range(10))

    def activations(rows: NDArray[Any]) -> NDArray[Any]:
        layers = []
        for weights, bias in zip(net.coefs_[:-1], net.intercepts_[:-1], strict=True):
            rows = np.maximum(rows @ weights + bias, 0)
            layers.append(rows)
        return np.concatenate(layers, axis=1).astype(np.float32)

    return (activations(X), y), (activations(Q), truth)
