"""Hidden layers of small nets, trained on the spot on scikit-learn's scanned digits."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


class Twins(NamedTuple):
    """The same items as two nets see them.

    Parameters
    ----------
    one, two : ndarray of shape (n_samples, n_features)
        Activations of the hidden layer, float32, at least 0.
    y : ndarray of shape (n_samples,)
        The digit.
    """

    one: NDArray[np.float32]
    two: NDArray[np.float32]
    y: NDArray[np.intp]


def _split_digits(seed: int) -> list[Any]:
    """Split the digits into two thirds to train on and one third to test on."""
    pixels, y = load_digits(return_X_y=True)
    parts: list[Any] = train_test_split(
        (pixels / 16).astype(np.float32), y, test_size=1 / 3, random_state=seed, stratify=y
    )
    return parts


def _activations(net: MLPClassifier, X: NDArray[Any]) -> NDArray[np.float32]:
    """Return the activations of the one hidden layer."""
    return np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0).astype(np.float32)


def twin_digit_nets(seed: int, *, width: int = 64, epochs: int = 20) -> tuple[Twins, Twins]:
    """Train two nets that differ only by their seed and return their hidden layers.

    Parameters
    ----------
    seed : int
        Seed of the split and, with 1,000 added for the second, of the nets.
    width : int, default=64
        Units of the hidden layer.
    epochs : int, default=20
        Passes over the training digits.

    Returns
    -------
    train, test : Twins
        Two thirds and one third of the digits.
    """
    X, X_test, y, y_test = _split_digits(seed)
    nets = [MLPClassifier((width,), random_state=seed + shift) for shift in (0, 1000)]
    for net in nets:
        for _ in range(epochs):
            net.partial_fit(X, y, classes=range(10))
    one, two = nets
    train = Twins(_activations(one, X), _activations(two, X), y)
    return train, Twins(_activations(one, X_test), _activations(two, X_test), y_test)
