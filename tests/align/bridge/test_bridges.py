"""What is true of bridges: they are what they say on spaces with a known answer, and agree with slower roads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group, spearmanr
from sklearn.linear_model import Ridge as RidgeOfSklearn
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from codomain.align import BRIDGES, AsItIs, Doubt, LowRank, Procrustes, Ridge, Turn, TurnedRidge, cosine_error
from codomain.core import UserError

LEARNING = [kind for kind in BRIDGES if kind is not AsItIs]


def cloud(seed, n=40, d=5):
    return np.random.default_rng(seed).normal(size=(n, d))


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), size=st.floats(0.1, 10))
@pytest.mark.parametrize("kind", LEARNING)
def test_a_turned_scaled_and_shifted_space_is_brought_back(kind, seed, size):
    A, new = cloud(seed, 200), cloud(seed + 1, 20)
    turn = ortho_group.rvs(5, random_state=seed)
    bridge = kind().fit(A, size * A @ turn + 3)
    np.testing.assert_allclose(bridge.transform(new), size * new @ turn + 3, atol=0.01 * size)


def test_ridge_is_the_ridge_of_scikit_learn_at_the_same_penalty():
    A, B = cloud(0), cloud(1, d=3) + cloud(0)[:, :3]
    ours = Ridge().fit(A, B)
    theirs = RidgeOfSklearn(alpha=ours.penalty_).fit(A, B)
    np.testing.assert_allclose(ours.transform(A), theirs.predict(A), atol=1e-10)


@pytest.mark.parametrize(("n", "d"), [(40, 5), (20, 30)])
def test_the_closed_form_of_leaving_a_pair_out_is_leaving_it_out(n, d):
    A = cloud(0, n, d)
    B = A[:, :3] + cloud(1, n, 3)
    ours = Ridge().fit(A, B)
    # The mean stays that of all pairs in the closed form of the centring, as it does in scikit-learn's refits.
    slow = cross_val_predict(RidgeOfSklearn(alpha=ours.penalty_), A, B, cv=LeaveOneOut())
    np.testing.assert_allclose(ours.left_out_ + B.mean(axis=0), slow, atol=1e-8)


def test_a_turn_is_procrustes():
    A, B = cloud(0), cloud(1, d=7)
    np.testing.assert_allclose(Turn().fit(A, B).transform(A), Procrustes().fit(A, B).transform(A))


def test_around_a_turn_few_pairs_are_enough_where_a_ridge_needs_many():
    A = cloud(0, 500, 40)
    B = A @ ortho_group.rvs(40, random_state=0) + 0.3 * cloud(1, 500, 40)
    off = {k: cosine_error(k().fit(A[:60], B[:60]).transform(A[60:]), B[60:]).mean() for k in (Ridge, TurnedRidge)}
    assert off[TurnedRidge] < 0.75 * off[Ridge]


def test_low_rank_finds_how_many_directions_can_be_predicted():
    A = cloud(0, 400, 12)
    B = A @ cloud(1, 12, 3) @ cloud(2, 3, 20) + cloud(3, 400, 20)
    bridge = LowRank().fit(A, B)
    assert bridge.rank_ in (3, 4)  # three are there; one more may seem to help by chance
    assert np.linalg.matrix_rank(bridge.weights_, tol=1e-8) == bridge.rank_


@pytest.mark.parametrize("kind", LEARNING)
def test_constant_dimensions_and_fewer_pairs_than_dimensions_do_no_harm(kind):
    A, new = cloud(0, 30, 50), cloud(1, 200, 50)
    A[:, :10], new[:, :10] = 1.0, 1.0
    mapped = kind().fit(A, 2 * A[:, 5:]).transform(new)
    assert np.isfinite(mapped).all()
    centred = new[:, 5:] - new[:, 5:].mean(axis=0)
    assert np.sum((mapped - mapped.mean(axis=0)) * centred) > 0


def test_a_stretch_moves_rows_away_from_the_mean_of_the_target():
    A, B = cloud(0), cloud(1) + 5
    plain, far = (Ridge(stretch).fit(A, B).transform(A) for stretch in (1.0, 3.0))
    np.testing.assert_allclose(far - B.mean(axis=0), 3 * (plain - B.mean(axis=0)))


@pytest.mark.parametrize("kind", LEARNING)
def test_float32_stays_float32_and_input_is_not_written_to(kind):
    A, B = cloud(0).astype(np.float32), cloud(1).astype(np.float32)
    before = A.copy()
    assert kind().fit(A, B).transform(A).dtype == np.float32
    np.testing.assert_array_equal(A, before)


@pytest.mark.parametrize(
    ("A", "B", "words"),
    [
        (cloud(0), cloud(0)[:-1], "no pairs"),
        (cloud(0)[:1], cloud(0)[:1], "at least two"),
        (cloud(0), np.where(cloud(0) > 2, np.nan, 1.0), "NaN"),
    ],
)
def test_what_is_no_pairs_is_refused(A, B, words):
    with pytest.raises(UserError, match=words):
        Ridge().fit(A, B)


def test_changing_nothing_needs_equal_widths():
    with pytest.raises(UserError, match="equal widths"):
        AsItIs().fit(cloud(0), cloud(0, d=4))
    with pytest.raises(UserError, match="above 0"):
        Ridge(0).fit(cloud(0), cloud(1))


@pytest.mark.parametrize("kind", [Ridge, Turn])
def test_doubt_ranks_rows_by_how_wrong_the_bridge_is(kind):
    rng = np.random.default_rng(0)
    A = rng.normal(size=(1500, 8)) * np.exp(rng.normal(size=(1500, 1)) / 2)
    noise = 0.1 * np.square(A).sum(axis=1, keepdims=True)  # rows far out are predicted badly
    B = A @ ortho_group.rvs(8, random_state=0) + noise * rng.normal(size=(1500, 8))
    bridge = kind().fit(A[:500], B[:500])
    mapped = bridge.transform(A[500:])
    doubt, true = Doubt().fit(A[:500], B[:500], bridge).score(A[500:], mapped), cosine_error(mapped, B[500:])
    assert spearmanr(doubt, true).statistic > 0.4
    assert true.mean() / 2 < doubt.mean() < true.mean() * 2
    assert doubt.dtype == np.float32
