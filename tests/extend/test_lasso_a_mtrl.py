"""What is true of drawing rows by a lasso over heads and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from codomain.extend import L1AMTRL
from codomain.extend.lasso_a_mtrl import lasso_shares
from codomain.extend.lasso_a_mtrl.subspace import shared_subspace


def tasks(seed, needs=(0, 3), n_sources=8, d=12, width=3, noise=0.0, n_target=6):
    """A target that is the sum of two source tasks; all lie in one subspace."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(d, width)))[0]
    heads = rng.normal(size=(width, n_sources))
    truth = basis @ heads[:, list(needs)].sum(axis=1)
    made = []
    for number, weights in enumerate([truth, *(basis @ heads).T]):
        X = rng.normal(size=(200 if number else n_target, d))
        made.append((X, X @ weights + noise * rng.normal(size=len(X))))
    return made[0], made[1:], truth, basis


def test_a_case_by_hand():
    # With one equation, 3 a + b = 6, the least |a| + |b| uses the first source alone; at penalty p the lasso finds
    # 3 a = 6 (1 - p) there, and against b = 6 (1 - p) it pays a third.
    np.testing.assert_allclose(lasso_shares(np.array([[3.0, 1.0]]), np.array([6.0]), 0.5), [1, 0])
    # With heads at right angles each coefficient is 3 or 4 minus the penalty, which is half of the larger one.
    np.testing.assert_allclose(lasso_shares(np.eye(2), np.array([3.0, -4.0]), 0.5), [1 / 3, 2 / 3])
    np.testing.assert_allclose(lasso_shares(np.eye(2), np.array([3.0, 4.0]), 2.0), [0.5, 0.5])


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_without_noise_fewer_target_rows_than_features_are_enough(seed):
    (X, y), sources, truth, _ = tasks(seed)
    found = L1AMTRL(3, max_samples=800, random_state=0).fit(X, y, sources=sources)
    np.testing.assert_allclose(found.coef_, truth, atol=0.02 * np.linalg.norm(truth))
    assert np.linalg.norm(LinearRegression().fit(X, y).coef_ - truth) > 0.1 * np.linalg.norm(truth)


def test_the_subspace_is_that_of_the_tasks():
    _, sources, _, basis = tasks(1)
    found = shared_subspace(sources, 3)
    np.testing.assert_allclose(found @ found.T, basis @ basis.T, atol=1e-4)


def test_rows_go_where_the_lasso_points_and_not_beyond_the_budget():
    (X, y), sources, _, _ = tasks(2)
    even = L1AMTRL(3, max_samples=200, max_iter=1, random_state=0).fit(X, y, sources=sources)
    np.testing.assert_array_equal(even.counts_, 25)
    found = L1AMTRL(3, max_samples=200, random_state=0).fit(X, y, sources=sources)
    assert abs(found.counts_.sum() - 200) < 20
    assert found.counts_.max() > 3 * found.counts_.min()
    np.testing.assert_allclose(found.shares_.sum(), 1)
    assert found.shares_[found.counts_.argmax()] > 1 / 8


@settings(max_examples=5)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_unit_of_the_target_does_not_matter_to_what_is_drawn(seed, scale, shift):
    (X, y), sources, _, _ = tasks(seed, noise=0.1)
    one = L1AMTRL(3, max_samples=200, random_state=0).fit(X, y, sources=sources)
    two = L1AMTRL(3, max_samples=200, random_state=0).fit(X, scale * y + shift, sources=sources)
    np.testing.assert_array_equal(one.counts_, two.counts_)
    np.testing.assert_allclose(two.predict(X), scale * one.predict(X) + shift, rtol=1e-6, atol=1e-6)


def test_sources_that_are_too_few_or_too_wide_are_refused():
    (X, y), sources, _, _ = tasks(0)
    with pytest.raises(ValueError, match="n_components=5 for 2 sources"):
        L1AMTRL(5).fit(X, y, sources=sources[:2])
    with pytest.raises(ValueError, match="A source has 11 features"):
        L1AMTRL(2).fit(X, y, sources=[(A[:, 1:], b) for A, b in sources])


def test_known_relevance_draws_all_rows_at_once_and_the_least_of_each_source_is_part_of_them():
    (X, y), sources, _, _ = tasks(4)
    known = np.array([-3.0, 0, 0, 1, 0, 0, 0, 0])
    found = L1AMTRL(3, max_samples=80, min_samples=5, random_state=0).fit(X, y, sources=sources, relevance=known)
    np.testing.assert_array_equal(found.counts_, [35, 5, 5, 15, 5, 5, 5, 5])
    assert found.counts_.sum() == 80
    np.testing.assert_allclose(found.shares_, [0.75, 0, 0, 0.25, 0, 0, 0, 0])
    assert found.n_iter_ == 1


def test_rounds_of_burn_in_draw_evenly():
    (X, y), sources, _, _ = tasks(2)
    even = L1AMTRL(3, max_samples=160, max_iter=3, burn_in=3, random_state=0).fit(X, y, sources=sources)
    np.testing.assert_array_equal(even.counts_, 20)
    assert np.ptp(L1AMTRL(3, max_samples=160, max_iter=3, random_state=0).fit(X, y, sources=sources).counts_) > 0


def test_relevance_that_is_not_one_number_for_each_source_is_refused():
    (X, y), sources, _, _ = tasks(0)
    for wrong in (np.ones(3), np.zeros(8), np.full(8, np.nan)):
        with pytest.raises(ValueError, match="for 8 sources"):
            L1AMTRL(3).fit(X, y, sources=sources, relevance=wrong)
    with pytest.raises(ValueError, match="burn_in=5 exceeds max_iter=4"):
        L1AMTRL(3, burn_in=5).fit(X, y, sources=sources)
