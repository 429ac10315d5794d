"""Pictures of clothes as rows of numbers, drawn by seed."""

import numpy as np
from numpy.typing import NDArray

from codomain.data import fashion_mnist

Rows = tuple[NDArray[np.float32], NDArray[np.str_]]


def fashion(seed: int, *, n_train: int = 10_000, n_test: int = 2_000) -> tuple[Rows, Rows]:
    """Draw pictures of both parts of Fashion-MNIST, without replacement.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    n_train, n_test : int
        Pictures, at most 60,000 and 10,000.

    Returns
    -------
    train, test : pair of ndarray
        Grey values from 0 to 1, float32 of shape (n, 784), and what each picture shows, one of ten names.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for split, count in (("train", n_train), ("test", n_test)):
        pictures, labels = fashion_mnist(split)
        rows = rng.permutation(len(labels))[:count]
        parts.append((pictures[rows].reshape(count, -1).astype(np.float32) / np.float32(255), labels[rows]))
    return parts[0], parts[1]
