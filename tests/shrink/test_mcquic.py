"""What is true of cascaded codebooks and of nothing else."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from codomain.shrink import McQuic
from codomain.shrink.mcquic import kmeans_centres, nearest_codewords

torch = pytest.importorskip("torch")


def rows(seed=0, n=600):
    """Columns that hang together within and across halves."""
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(size=(n, 3)) @ np.random.default_rng(9).normal(size=(3, 8))) + 0.1 * rng.normal(
        size=(n, 8)
    )


def test_codes_by_hand():
    quantiser = McQuic(2, n_levels=2, n_bits=1, epochs=1, random_state=0).fit(rows()[:, :2])
    quantiser.mean_ = np.array([10.0, 0.0])
    quantiser.codebooks_ = np.array([[[[0.0], [4.0]], [[-1.0], [1.0]]], [[[-1.0], [1.0]], [[0.0], [0.5]]]])
    # 13 - 10 = 3: 4, then -1. 0.6: 1, then 0 (0 is nearer to -0.4 than 0.5).
    np.testing.assert_array_equal(quantiser.transform([[13.0, 0.6]]), [[1, 1, 0, 0]])
    np.testing.assert_allclose(quantiser.inverse_transform([[1, 1, 0, 0]]), [[13.0, 1.0]])


@given(st.integers(0, 1000), st.integers(1, 3), st.integers(1, 5))
@settings(max_examples=20)
def test_the_nearest_codeword_is_found_by_brute_force(seed, n_parts, count):
    rng = np.random.default_rng(seed)
    parts, books = rng.normal(size=(7, n_parts, 2)), rng.normal(size=(n_parts, count, 2))
    found = nearest_codewords(parts, books)
    for row, part in itertools.product(range(7), range(n_parts)):
        assert found[row, part] == np.argmin([np.linalg.norm(parts[row, part] - word) for word in books[part]])


def test_the_start_is_as_good_as_scikit_learns_k_means_from_one_start():
    parts = rows().reshape(600, 2, 4)
    books = kmeans_centres(parts, 8, np.random.RandomState(0))
    for part in range(2):
        error = ((parts[:, part] - books[part][nearest_codewords(parts, books)[:, part]]) ** 2).sum()
        assert error < 1.2 * KMeans(8, n_init=1, init="random", random_state=0).fit(parts[:, part]).inertia_


def test_each_level_brings_new_rows_nearer():
    X, new = rows(), rows(1)

    def error(n_levels):
        found = McQuic(2, n_levels=n_levels, n_bits=4, random_state=0).fit(X)
        return ((found.inverse_transform(found.transform(new)) - new) ** 2).mean()

    one, two, three = map(error, (1, 2, 3))
    assert three < two < one < new.var()


def test_learning_together_lowers_the_error_of_what_k_means_alone_left():
    X = rows()
    first, last = (
        McQuic(2, n_levels=3, n_bits=3, epochs=epochs, learning_rate=rate, random_state=0).fit(X)
        for epochs, rate in ((1, 1e-9), (60, 0.003))
    )
    errors = [((found.inverse_transform(found.transform(X)) - X) ** 2).mean() for found in (first, last)]
    assert errors[1] < errors[0]


@given(st.integers(-8, 8), st.floats(-5, 5))
@settings(max_examples=8)
def test_codes_do_not_depend_on_unit_and_shift(power, shift):
    X = rows(n=60)
    one, two = (McQuic(2, n_bits=2, epochs=1, random_state=0).fit(part) for part in (X, 2.0**power * X + shift))
    assert np.mean(one.transform(X) == two.transform(2.0**power * X + shift)) > 0.99


def test_the_seed_of_torch_is_left_as_it_was():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    McQuic(2, n_bits=2, epochs=1, random_state=0).fit(rows(n=60))
    assert torch.equal(torch.rand(3), wanted)


def test_what_cannot_be_coded_is_refused_in_words():
    with pytest.raises(ValueError, match="256 codewords with n_samples=60"):
        McQuic().fit(rows(n=60))
    with pytest.raises(ValueError, match="n_parts=3 does not divide n_features=8"):
        McQuic(3, n_bits=2).fit(rows())
    with pytest.raises(ValueError, match="Z has shape"):
        McQuic(2, n_bits=2, epochs=1).fit(rows()).inverse_transform([[0, 1]])
