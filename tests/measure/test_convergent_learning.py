"""What is true of aligning the units of two nets and of nothing else."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from codomain.measure import ConvergentLearning


def units(n=200, width=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, width))


def test_a_case_by_hand():
    # The first unit of B rises by 10 when the only unit of A rises by 1, the second falls by 1: correlations 1 and -1.
    A, B = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0, 2.0], [10.0, 1.0], [20.0, 0.0]])
    fitted = ConvergentLearning().fit(A, B)
    np.testing.assert_allclose(fitted.correlation_, [[1, -1]])
    np.testing.assert_array_equal(fitted.matched_, [0, -1])
    np.testing.assert_allclose(fitted.transform([[4.0]]), [[40, 1]])  # what is not matched is guessed by its mean


@given(seed=st.integers(0, 500))
@settings(max_examples=15)
def test_a_planted_permutation_is_found_whatever_the_units_sizes(seed):
    A, order = units(seed=seed), np.random.default_rng(seed).permutation(6)
    B = A[:, order] * np.arange(1, 7) + 5
    fitted = ConvergentLearning().fit(A, B)
    np.testing.assert_array_equal(fitted.matched_, order)
    np.testing.assert_allclose(fitted.transform(A), B, atol=1e-9)
    assert fitted.score(A, B) == pytest.approx(1)


def test_the_matching_is_the_best_of_all_matchings():
    A, B = units(20, 5), units(20, 5, seed=1)
    C = np.corrcoef(A.T, B.T)[:5, 5:]
    best = max(permutations(range(5)), key=lambda order: sum(C[i, j] for j, i in enumerate(order)))
    fitted = ConvergentLearning().fit(A, B)
    np.testing.assert_allclose(fitted.correlation_, C, atol=1e-12)
    assert tuple(fitted.matched_) == best


def test_a_sparse_mixture_is_found_where_one_unit_is_not_enough():
    A, noise = units(2000), units(2000, seed=1)
    mix = np.zeros((6, 3))
    mix[[0, 1], 0], mix[[2, 3], 1], mix[[4, 5], 2] = 1, [1, -1], [2, 1]
    B = A @ mix + 0.1 * noise[:, :3]
    few, one = (ConvergentLearning(way).fit(A, B) for way in ("one-to-many", "one-to-one"))
    np.testing.assert_array_equal(few.map_ != 0, mix != 0)
    np.testing.assert_array_equal(np.sign(few.map_), np.sign(mix))
    assert few.score(A, B) > 0.95 > one.score(A, B) + 0.1


def test_the_sparse_coefficients_leave_no_slope_but_the_penalty():
    # At the minimum of the lasso the residual's inner product with a used unit is the penalty, with others at most it.
    A, noise = units(), units(seed=1)
    B = A @ units(6, 4, seed=2) + noise[:, :4]
    fitted = ConvergentLearning("one-to-many", penalty=0.2).fit(A, B)
    one, two = (StandardScaler().fit_transform(Z) for Z in (A, B))
    slopes = one.T @ (two - one @ fitted.map_) / len(A)
    used = fitted.map_ != 0
    assert used.any() and not used.all()
    np.testing.assert_allclose(slopes[used], 0.2 * np.sign(fitted.map_[used]), atol=1e-3)
    assert np.abs(slopes).max() <= 0.2 + 1e-3


def test_planted_groups_of_both_nets_are_found_and_predict_each_other():
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((1000, 4))
    of_A, of_B = np.repeat([0, 1, 2, 3], 5), np.tile([0, 1, 2, 3], 3)
    A = hidden[:, of_A] * rng.choice([-1, 1], 20) + 0.5 * rng.standard_normal((1000, 20))
    B = hidden[:, of_B] * rng.choice([-1, 1], 12) + 0.1 * rng.standard_normal((1000, 12))
    groups = ConvergentLearning("many-to-many", n_groups=4, random_state=0).fit(A, B)
    assert adjusted_rand_score(np.concatenate([of_A, of_B]), groups.groups_) == 1
    np.testing.assert_array_equal(groups.map_ != 0, of_A[:, None] == of_B)
    assert groups.score(A, B) > ConvergentLearning().fit(A, B).score(A, B) + 0.03


def test_in_one_group_the_coefficients_are_those_of_a_ridge_regression():
    from sklearn.linear_model import Ridge

    A, B = units(), units(seed=1)
    A[:, :3] += A[:, :1]
    fitted = ConvergentLearning("many-to-many", penalty=0.3, n_groups=2, random_state=0).fit(A, B)
    one, two = (StandardScaler().fit_transform(Z) for Z in (A, B))
    mine, theirs = (np.flatnonzero(part == 0) for part in np.split(fitted.groups_, [6]))
    assert len(mine) and len(theirs)
    ridge = Ridge(0.3 * len(A), fit_intercept=False).fit(one[:, mine], two[:, theirs])
    np.testing.assert_allclose(fitted.map_[np.ix_(mine, theirs)], ridge.coef_.reshape(len(theirs), -1).T, atol=1e-9)


@pytest.mark.parametrize("way", ["one-to-one", "one-to-many", "many-to-many"])
def test_a_unit_that_never_moves_has_no_part_and_is_guessed_right(way):
    A, B = units(), units()[:, ::-1].copy()
    A[:, 0], B[:, 3] = 0.1, 7
    fitted = ConvergentLearning(way, n_groups=3, random_state=0).fit(A, B)
    assert np.all(fitted.map_[0] == 0) and np.all(fitted.map_[:, 3] == 0)
    np.testing.assert_allclose(fitted.transform(A)[:, 3], 7)
    assert np.isfinite(fitted.score(A, B))


def test_unrelated_nets_score_nothing_on_rows_they_were_not_aligned_on():
    fitted = ConvergentLearning().fit(units(), units(seed=1))
    assert abs(fitted.score(units(5000, seed=2), units(5000, seed=3))) < 0.03


def test_more_groups_than_units_are_refused():
    with pytest.raises(ValueError, match="n_groups=13 of 12 units"):
        ConvergentLearning("many-to-many", n_groups=13).fit(units(), units())
