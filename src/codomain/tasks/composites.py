"""Pictures of up to two digits, for claims about rows with several labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

Rows = tuple[NDArray[Any], NDArray[Any]]


def digit_pairs(seed: int) -> tuple[Rows, Rows, Rows]:
    """Draw pictures with two places side by side and pass them through a net trained on six of the ten digits.

    Parameters
    ----------
    seed : int
        Seed of everything: which six digits, the pictures and the net.

    Returns
    -------
    known : pair of ndarray
        1,000 rows of 64 hidden activations, and 0 or 1 for each of the six digits; one place in four is empty.
    few : pair of ndarray
        Ten rows and labels of the four other digits: two digits in a row, each digit in five rows.
    test : pair of ndarray
        500 rows and labels of the four other digits from other scans; one place in four is empty.
    """
    rng = np.random.default_rng(seed)
    pixels, digit = load_digits(return_X_y=True)
    order, digits = rng.permutation(len(pixels)), rng.permutation(10)
    halves = order[:900], order[900:]

    def draw_pictures(half: NDArray[Any], digits: NDArray[Any], places: NDArray[Any]) -> Rows:
        """Fill places, (n, 2), which hold numbers of `digits` or -1, with scans."""
        scans = np.zeros((*places.shape, pixels.shape[1]), np.float32)
        sets = np.zeros((len(places), len(digits)), np.int64)
        for number, name in enumerate(digits):
            row, place = np.nonzero(places == number)
            scans[row, place] = pixels[rng.choice(half[digit[half] == name], len(row))] / 16
            sets[row, number] = 1
        return scans.reshape(len(places), -1), sets

    def draw_places(n: int, n_digits: int) -> NDArray[Any]:
        return np.where(rng.random((n, 2)) < 0.25, -1, rng.integers(n_digits, size=(n, 2)))

    known, sets = draw_pictures(halves[0], digits[:6], draw_places(1000, 6))
    # All six pairs of four digits, and four pairs once more: each digit is there five times.
    pairs = np.array([[0, 1], [2, 3], [0, 2], [1, 3], [0, 3], [1, 2], [0, 1], [2, 3], [0, 2], [1, 3]])
    few, few_sets = draw_pictures(halves[0], digits[6:], rng.permuted(pairs, axis=1))
    test, truth = draw_pictures(halves[1], digits[6:], draw_places(500, 4))
    net = MLPClassifier((64,), random_state=seed)
    for _ in range(30):
        net.partial_fit(known, sets, classes=np.arange(6))

    def activations(rows: NDArray[Any]) -> NDArray[Any]:
        return np.maximum(rows @ net.coefs_[0] + net.intercepts_[0], 0).astype(np.float32)

    return (activations(known), sets), (activations(few), few_sets), (activations(test), truth)
