"""An encoder that is replaced: chains of nouns by hand, and nets on clumps of points."""

import numpy as np
import pytest

from codomain.core import needs
from codomain.tasks.updates import N_CLASSES, N_TRAIN, _chain, _kinds, train_encoder

real = pytest.mark.skipif(
    bool(needs.missing(["wordnet-base", "wordllama"])), reason="wordnet-base or wordllama is not installed"
)


def clumps(n=120, classes=4):
    y = np.arange(n) % classes
    centres = np.random.default_rng(1).normal(scale=3, size=(classes, 6))
    return (centres[y] + np.random.default_rng(2).normal(size=(n, 6))).astype(np.float32), y


def nearest(Z, gallery):
    return (Z @ gallery.T - 2 * np.eye(len(Z))).argmax(axis=1)


def test_a_chain_goes_up_to_the_top_and_ends_in_a_circle_too():
    assert _chain("dog", {"dog": "beast", "beast": "thing"}) == ["beast", "thing"]
    assert _chain("a", {"a": "b", "b": "c", "c": "b"}) == ["b", "c"]
    assert _chain("top", {}) == []


def test_a_net_puts_rows_of_a_class_together_at_length_1():
    X, y = clumps()
    Z = train_encoder(X, y, 5, 0)(X)
    np.testing.assert_allclose(np.linalg.norm(Z, axis=1), 1, rtol=1e-5)
    assert np.mean(y[nearest(Z, Z)] == y) > 0.9


def test_backward_compatible_training_leads_to_old_features_and_training_alone_does_not():
    X, y = clumps()
    old = train_encoder(X, y, 3, 1)(X)
    alone, both = (train_encoder(X, y, 5, 0, old=some)(X)[:, :3] for some in (None, old))
    assert np.mean(y[nearest(both, old)] == y) > 0.9
    assert np.mean(y[nearest(alone, old)] == y) < 0.7


@real
def test_each_of_the_kinds_has_rows_enough():
    vectors, kinds = _kinds()
    assert len(vectors) == len(kinds)
    assert len(np.unique(kinds)) == N_CLASSES
    assert np.bincount(kinds).min() > N_TRAIN + 30
