"""Draws of Fashion-MNIST."""

import numpy as np
import pytest

from codomain.tasks import fashion as module
from codomain.tasks.fashion import fashion


@pytest.fixture
def small(monkeypatch):
    def load(split):
        n = {"train": 20, "test": 8}[split]
        return np.arange(n, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8), np.arange(n).astype(str)

    monkeypatch.setattr(module, "fashion_mnist", load)


def test_rows_are_drawn_once_with_their_labels_and_scaled(small):
    for (X, y), n in zip(fashion(0, n_train=20, n_test=5), (20, 5), strict=True):
        assert X.shape == (n, 784) and X.dtype == np.float32
        np.testing.assert_allclose(X, np.repeat(y.astype(float)[:, None] / 255, 784, axis=1), rtol=1e-6)
        assert len(set(y)) == n


def test_another_seed_draws_other_rows(small):
    drawn = [fashion(seed, n_train=10, n_test=4)[0][1].tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
