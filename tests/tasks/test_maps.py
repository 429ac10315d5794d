"""The plain rival: a map learned from pairs."""

import numpy as np
import pytest

from codomain.core import unit_rows
from codomain.tasks.maps import contrastive_map, map_rows

pytest.importorskip("torch")


def test_it_finds_unseen_partners_after_a_turn_and_starts_from_no_turn():
    rng = np.random.default_rng(0)
    X, turn = unit_rows(rng.normal(size=(400, 6))).astype(np.float32), np.linalg.qr(rng.normal(size=(6, 6)))[0]
    Y = (X @ turn).astype(np.float32)
    same = contrastive_map(X, X, temperature=0.05, epochs=1, batch=400, both_ways=True, random_state=0)
    np.testing.assert_allclose(same, np.eye(6), atol=2e-3)  # one step of a thousandth
    W = contrastive_map(
        X[:300], Y[:300], temperature=0.05, epochs=60, batch=50, both_ways=False, random_state=0, learning_rate=1e-2
    )
    found = (map_rows(X[300:], W) @ Y[300:].T).argmax(axis=1)
    assert np.mean(found == np.arange(100)) > 0.8
    assert np.mean((X[300:] @ Y[300:].T).argmax(axis=1) == np.arange(100)) < 0.3
