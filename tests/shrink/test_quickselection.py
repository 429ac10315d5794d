"""What is true of columns chosen by strength and of nothing else."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from codomain.shrink import QuickSelection
from codomain.shrink.quickselection.links import Links

PLAIN = {"dropout": 0, "learning_rate": 0.05, "epochs": 60}  # short steps and dropout need many more passes


def mixed(seed=0, n=400, noise=12):
    """Eight columns that two hidden numbers explain, among others that nothing explains."""
    rng = np.random.default_rng(seed)
    informative = np.repeat(rng.normal(size=(n, 2)), 4, axis=1) + 0.2 * rng.normal(size=(n, 8))
    places = rng.permutation(8 + noise)
    X = np.hstack([informative, rng.normal(size=(n, noise))])[:, places]
    return X, places < 8


def links(seed=0, n_in=7, n_out=5, n_links=20):
    return Links(n_in, n_out, n_links, np.random.RandomState(seed), np.float64)


def test_links_grow_back_in_a_case_by_hand():
    layer = links(n_in=1, n_out=6, n_links=4)
    layer.places[:], layer.weights[:], layer.speed[:] = [0, 1, 2, 3], [0.5, -0.1, 0.2, -0.9], [1, 2, 3, 4]
    layer._build_matrix()
    layer.evolve(0.5)
    # Of two positive links 0.2 goes, of two negative ones -0.1; two of the places 1, 2, 4 and 5 get a link.
    kept = dict(zip(layer.places.tolist(), zip(layer.weights, layer.speed, strict=True), strict=True))
    assert kept.pop(0) == (0.5, 1) and kept.pop(3) == (-0.9, 4)
    assert len(kept) == 2 and set(kept) <= {1, 2, 4, 5}
    assert all(speed == 0 and weight not in (0.2, -0.1) for weight, speed in kept.values())


@given(seed=st.integers(0, 1000), share=st.floats(0, 1), n_links=st.integers(1, 35))
def test_the_number_of_links_never_changes_and_no_place_has_two(seed, share, n_links):
    layer = links(seed, n_links=n_links)
    for _ in range(3):
        layer.evolve(share)
        assert len(np.unique(layer.places)) == len(layer.places) == n_links
        dense = np.zeros(35)
        dense[layer.places] = layer.weights
        np.testing.assert_array_equal(layer.matrix.toarray().ravel(), dense)


def test_a_step_goes_down_the_numerical_gradient_of_the_squared_error():
    rng = np.random.RandomState(3)
    X = rng.normal(size=(6, 4))
    into, out = (Links(a, b, 9, rng, np.float64) for a, b in ((4, 3), (3, 4)))
    before = np.concatenate([into.weights, out.weights])

    def loss(weights):
        one, two = into.matrix.toarray() * 0, out.matrix.toarray() * 0
        one.ravel()[into.places], two.ravel()[out.places] = weights[:9], weights[9:]
        return ((1 / (1 + np.exp(-X @ one)) @ two - X) ** 2).sum() / 2 / len(X)

    slope = approx_fprime(before, loss, 1e-6)
    net = QuickSelection(noise=0.0, dropout=0, learning_rate=1e-3)
    error = net._step(X, into, out, np.zeros((4, 4)), rng)
    assert error == pytest.approx(2 * len(X) * loss(before))
    moved = np.concatenate([into.weights, out.weights])
    np.testing.assert_allclose(moved, (before - 1e-3 * slope) * (1 - 1e-5), atol=1e-8)


def test_a_step_moves_the_very_matrix_that_the_net_uses():
    layer = links()
    layer.step(np.ones(20), 0.5)
    np.testing.assert_array_equal(layer.matrix.data, layer.weights)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_net_without_room_for_noise_is_strongest_where_columns_explain_each_other(seed):
    X, informative = mixed()
    found = QuickSelection(8, n_hidden=2, n_links=2, random_state=seed, **PLAIN).fit(X)
    np.testing.assert_array_equal(found.get_support(), informative)
    np.testing.assert_array_equal(found.transform(X), X[:, informative])


@pytest.mark.parametrize("seed", [0, 1])
def test_a_net_with_room_to_copy_noise_is_strongest_there_as_the_docs_warn(seed):
    X, informative = mixed()
    found = QuickSelection(8, n_hidden=10, n_links=5, random_state=seed, **PLAIN).fit(X)
    assert (found.get_support() & informative).sum() <= 4


def test_the_unit_of_a_column_does_not_matter():
    X, _ = mixed(n=100)
    sizes = np.exp(np.random.default_rng(0).normal(size=X.shape[1]))
    one, two = (QuickSelection(8, n_hidden=50, epochs=3, random_state=0).fit(Z) for Z in (X, X * sizes + 5))
    np.testing.assert_allclose(one.strengths_, two.strengths_, rtol=1e-6)


def test_dropout_leaves_hidden_units_out_of_a_step():
    X = mixed(n=100)[0]
    one, two = (QuickSelection(8, n_hidden=20, epochs=2, dropout=p, random_state=0).fit(X) for p in (0.0, 0.5))
    assert not np.allclose(one.strengths_, two.strengths_)
    rng = np.random.RandomState(0)
    into, out = Links(20, 6, 40, rng, np.float64), Links(6, 20, 40, rng, np.float64)
    whole = QuickSelection(noise=0.0, dropout=0.9)
    biases = np.zeros((4, 20))
    with_few = whole._step(X, into, out, biases, rng)
    # With nine in ten units at 0 the output is nearly its bias, 0: the error is that of saying the mean.
    assert with_few == pytest.approx((X**2).sum(), rel=0.1)


def test_it_learns_to_reconstruct():
    losses = QuickSelection(8, n_hidden=30, n_links=10, random_state=0, **PLAIN).fit(mixed()[0]).losses_
    assert losses[0] > 0.8
    assert losses[-1] < losses[0] / 2


def test_nothing_of_the_size_of_a_dense_layer_is_ever_made():
    X = np.random.default_rng(0).normal(size=(10, 3000)).astype(np.float32)
    net = QuickSelection(5, n_hidden=3000, n_links=1, epochs=2, random_state=0)
    tracemalloc.start()
    net.fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 3000  # bytes: a quarter of one dense layer in float32


def test_more_columns_than_there_are_and_steps_too_long_are_refused():
    X = mixed(n=50)[0]
    with pytest.raises(ValueError, match="n_components=21 of 20 columns"):
        QuickSelection(21).fit(X)
    with pytest.raises(ValueError, match=r"lower learning_rate"):
        QuickSelection(2, learning_rate=1e6, random_state=0).fit(X)
