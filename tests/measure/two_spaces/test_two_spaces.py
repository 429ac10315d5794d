"""Measures of two spaces: laws, and the same numbers by another road."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from scipy.spatial import procrustes
from scipy.stats import ortho_group
from sklearn.cross_decomposition import CCA
from sklearn.neighbors import NearestNeighbors

from codomain.core import UserError
from codomain.measure import (
    Agreement,
    Measure,
    agreements,
    biased_cka,
    debiased_cka,
    mutual_neighbors,
    procrustes_distance,
    pwcca,
    shared_neighbors,
    svcca,
)

ALL = (debiased_cka, biased_cka, svcca, pwcca, procrustes_distance, mutual_neighbors)
each = pytest.mark.parametrize("measure", ALL, ids=lambda measure: measure.__name__)


def spaces(seed=0, n=60, wide=5, narrow=3):
    """Two spaces that share something, with means far from 0 and features of unequal size."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, wide)) * np.arange(1, wide + 1)
    return A + 1, A @ rng.standard_normal((wide, narrow)) + 3 * rng.standard_normal((n, narrow)) - 2


def u_centred(A):
    """A Gram matrix centred so that inner products are unbiased, as the definition of distance correlation does."""
    K, n = A @ A.T, len(A)
    np.fill_diagonal(K, 0)
    sums = K.sum(axis=0)
    K = K - sums[:, None] / (n - 2) - sums / (n - 2) + K.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(K, 0)
    return K


def centred(A):
    H = np.eye(len(A)) - 1 / len(A)
    return H @ A @ A.T @ H


def alignment(K, L):
    return np.sum(K * L) / np.sqrt(np.sum(K * K) * np.sum(L * L))


@pytest.mark.parametrize("shape", [{}, {"n": 25, "wide": 40, "narrow": 4}, {"n": 25, "wide": 40, "narrow": 30}])
def test_sums_over_rows_give_what_whole_gram_matrices_give(shape):
    A, B = spaces(**shape)
    assert debiased_cka(A, B).value == pytest.approx(alignment(u_centred(A), u_centred(B)), abs=1e-10)
    assert biased_cka(A, B).value == pytest.approx(alignment(centred(A), centred(B)), abs=1e-10)


def test_rows_are_read_in_blocks_without_changing_the_answer(monkeypatch, tmp_path):
    A, B = spaces(n=90)
    whole = debiased_cka(A, B), procrustes_distance(A, B)
    monkeypatch.setattr("codomain.measure.two_spaces.agreement._BLOCK", 7)
    np.save(tmp_path / "A.npy", A)
    A = np.load(tmp_path / "A.npy", mmap_mode="r")
    for before, after in zip(whole, (debiased_cka(A, B), procrustes_distance(A, B)), strict=True):
        assert after.value == pytest.approx(before.value)
        assert (after.low, after.high, after.null) == pytest.approx((before.low, before.high, before.null))


def test_unrelated_spaces_are_nothing_to_the_debiased_and_two_thirds_to_the_biased():
    for seed in range(5):
        A, B = np.random.default_rng(seed).standard_normal((2, 200, 384))
        assert abs(debiased_cka(A, B).value) < 0.02
        assert biased_cka(A, B).value == pytest.approx(0.66, abs=0.02)


def test_the_debiased_has_mean_0_over_unrelated_spaces_however_few_their_rows():
    rng = np.random.default_rng(0)
    values = [debiased_cka(*rng.standard_normal((2, 20, 10))).value for _ in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200)


def test_canonical_correlations_are_those_of_scikit_learn():
    A, B = spaces(n=80, wide=4, narrow=2)
    one, two = CCA(2, tol=1e-12, max_iter=5000).fit_transform(A, B)
    found = np.array([np.corrcoef(one[:, i], two[:, i])[0, 1] for i in range(2)])
    A_big, B_big = (Z - Z.mean(axis=0) for Z in (A, B))
    weights_one = np.abs((one / np.linalg.norm(one, axis=0)).T @ A_big).sum(axis=1)
    weights_two = np.abs((two / np.linalg.norm(two, axis=0)).T @ B_big).sum(axis=1)
    wanted = np.mean([found @ weights / weights.sum() for weights in (weights_one, weights_two)])
    assert pwcca(A, B).value == pytest.approx(wanted, abs=1e-4)


def test_svcca_is_the_mean_cosine_of_the_angles_between_the_kept_subspaces():
    A, B = spaces(n=80, wide=6, narrow=3)
    A[:, 0] *= 1e-3  # holds far less than a hundredth of the variance, so it is not kept
    kept = []
    for Z in (A, B):
        left, sizes, _ = np.linalg.svd(Z - Z.mean(axis=0), full_matrices=False)
        kept.append(left[:, : np.searchsorted(np.cumsum(sizes**2) / np.sum(sizes**2), 0.99) + 1])
    assert kept[0].shape[1] < 6
    assert svcca(A, B).value == pytest.approx(np.cos(subspace_angles(*kept)).mean(), abs=1e-8)


def test_the_distance_is_the_one_that_scipy_leaves_after_turning():
    A, B = spaces(wide=4, narrow=4)
    # scipy also chooses the size of the turned space: its remainder is 1 - s^2 where ours is 2 - 2 s.
    remainder = procrustes(A, B)[2]
    assert procrustes_distance(A, B).value == pytest.approx(np.sqrt(2 - 2 * np.sqrt(1 - remainder)), abs=1e-8)


def test_shared_neighbours_are_counted_list_by_list():
    A, B = spaces()
    lists = [NearestNeighbors(n_neighbors=8, metric="cosine").fit(Z).kneighbors(return_distance=False) for Z in (A, B)]
    wanted = np.mean([len(set(one) & set(two)) / 8 for one, two in zip(*lists, strict=True)])
    found = mutual_neighbors(A, B, n_neighbors=8)
    assert found.value == pytest.approx(wanted)
    shuffled = [mutual_neighbors(A, np.random.default_rng(s).permutation(B), n_neighbors=8).value for s in range(30)]
    assert found.null == pytest.approx(np.mean(shuffled), abs=0.01)


@each
def test_a_space_agrees_with_itself_fully(measure):
    A, _ = spaces()
    found = measure(A, A)
    assert found.value == pytest.approx(1 if found.best == "high" else 0, abs=1e-6)


@each
@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_the_order_of_the_spaces_does_not_matter(measure, seed):
    A, B = spaces(seed)
    assert measure(A, B).value == pytest.approx(measure(B, A).value, abs=1e-8)


@each
@given(seed=st.integers(0, 500), size=st.floats(0.01, 100))
@settings(max_examples=10)
def test_size_and_the_order_of_rows_and_features_do_not_matter(measure, seed, size):
    A, B = spaces(seed)
    rng = np.random.default_rng(seed)
    rows, features = rng.permutation(len(A)), rng.permutation(A.shape[1])
    assert measure(size * A[rows][:, features], B[rows]).value == pytest.approx(measure(A, B).value, abs=1e-7)


@pytest.mark.parametrize("measure", [m for m in ALL if m is not pwcca], ids=lambda measure: measure.__name__)
@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_a_rotation_changes_nothing(measure, seed):
    A, B = spaces(seed)
    assert measure(A @ ortho_group.rvs(5, random_state=seed), B).value == pytest.approx(measure(A, B).value, abs=1e-7)


@pytest.mark.parametrize("measure", [m for m in ALL if m is not mutual_neighbors], ids=lambda measure: measure.__name__)
def test_a_shift_and_a_feature_that_never_moves_change_nothing(measure):
    A, B = spaces()
    more = np.column_stack([A + 50, np.full(len(A), 7.0)])
    assert measure(more, B).value == pytest.approx(measure(A, B).value, abs=1e-7)


def test_pwcca_says_that_a_rotation_changes_it_and_it_does():
    A, B = spaces()
    assert abs(pwcca(A @ ortho_group.rvs(5, random_state=0), B).value - pwcca(A, B).value) > 1e-3


@each
def test_more_noise_is_less_agreement_and_the_null_is_worst(measure):
    rng = np.random.default_rng(0)
    A, noise = rng.standard_normal((2, 400, 6))
    found = [measure(A, A + size * noise) for size in (0.1, 0.5, 1, 2)]
    sign = 1 if found[0].best == "high" else -1
    values = [sign * one.value for one in found]
    assert values == sorted(values, reverse=True)
    assert values[-1] > sign * found[-1].null
    assert all(one.bounds[0] <= one.low <= one.value <= one.high <= one.bounds[1] for one in found)


def test_the_interval_covers_what_other_rows_give():
    def draw(seed):
        rng = np.random.default_rng(seed)
        A, noise = rng.standard_normal((2, 300, 5))
        return debiased_cka(A, A + noise)

    truth = np.mean([draw(seed).value for seed in range(100, 160)])
    assert sum(draw(seed).low <= truth <= draw(seed).high for seed in range(20)) >= 16


@each
def test_what_cannot_be_compared_is_refused_in_words(measure):
    A, B = spaces()
    with pytest.raises(UserError, match="A has 60 rows and B has 59"):
        measure(A, B[:-1])
    with pytest.raises(UserError, match="at least 20"):
        measure(A[:19], B[:19])
    with pytest.raises(UserError, match="All rows of B are equal"):
        measure(A, np.ones_like(B))
    with pytest.raises(UserError, match="A holds a value that is not finite"):
        measure(np.where(A == A[3, 3], np.nan, A), B)
    with pytest.raises(UserError, match="two dimensions"):
        measure(A[:, 0], B)


def test_a_feature_of_its_own_for_each_row_has_nothing_to_compare():
    with pytest.raises(UserError, match="no structure that its rows share"):
        debiased_cka(np.eye(40), spaces(n=40)[0])


def test_too_few_rows_for_canonical_correlations_are_refused():
    A, B = np.random.default_rng(0).standard_normal((2, 40, 25))
    for measure in (svcca, pwcca):
        with pytest.raises(UserError, match="more rows than"):
            measure(A, B)


def test_lists_longer_than_the_rows_are_refused_and_samples_are_drawn():
    A, B = spaces()
    with pytest.raises(UserError, match="fewer neighbours than rows"):
        mutual_neighbors(A, B, n_neighbors=60)
    with pytest.raises(UserError, match="n_neighbors must be"):
        mutual_neighbors(A, B, n_neighbors=0)
    assert "over 30 rows" in mutual_neighbors(A, B, max_samples=30).how


def test_float32_far_from_the_origin_keeps_its_digits():
    A, B = (Z.astype(np.float32) for Z in spaces(n=200))
    near = debiased_cka(A, B).value
    assert debiased_cka(A.astype(np.float64) + 1e6, B).value == pytest.approx(near, abs=1e-5)


def test_all_at_once_is_the_same_as_one_by_one():
    A, B = spaces()
    measures, refused = agreements(A, B, random_state=3)
    alone = [one(A, B, random_state=3) for one in (debiased_cka, biased_cka, procrustes_distance, svcca, pwcca)]
    assert measures == alone and refused == {}
    assert all(isinstance(one, Measure) for one in alone) and Agreement is Measure


def test_what_too_few_rows_refuse_is_named_beside_what_they_allow():
    A, B = np.random.default_rng(0).standard_normal((2, 40, 25))
    measures, refused = agreements(A, B)
    assert [one.name for one in measures] == ["debiased_cka", "biased_cka", "procrustes_distance"]
    assert set(refused) == {"svcca", "pwcca"} and "more rows" in refused["pwcca"]


@given(st.integers(0, 99), st.integers(1, 6))
@settings(max_examples=20)
def test_shared_neighbours_are_those_in_both_sets(seed, k):
    rng = np.random.default_rng(seed)
    one, two = (np.array([rng.permutation(9)[:k] for _ in range(7)]) for _ in range(2))
    wanted = [len(set(a) & set(b)) / k for a, b in zip(one.tolist(), two.tolist(), strict=True)]
    assert shared_neighbors(one, two).tolist() == pytest.approx(wanted)


def test_lists_that_are_there_already_are_used_as_they_are():
    A, B = spaces()
    lists = [NearestNeighbors(n_neighbors=8, metric="cosine").fit(Z).kneighbors(return_distance=False) for Z in (A, B)]
    given_lists = mutual_neighbors(A, B, n_neighbors=8, lists=tuple(lists))
    assert given_lists == mutual_neighbors(A, B, n_neighbors=8)
    turned = mutual_neighbors(A, B, n_neighbors=8, lists=(lists[0], lists[0]))
    assert turned.value == 1
    with pytest.raises(UserError, match="8 neighbours of each row"):
        mutual_neighbors(A, B, n_neighbors=8, lists=(lists[0][:50], lists[1][:50]))
    with pytest.raises(UserError, match="as many lists"):
        shared_neighbors(lists[0], lists[1][:, :3])


def test_a_measure_of_two_spaces_says_where_it_lies_between_chance_and_the_same():
    A, B = spaces(n=400)
    found = debiased_cka(A, B)
    share = (found.value - found.null) / (1 - found.null)
    assert f"{share:.0%} of the way" in found.says and found.verdict == "none"
    unrelated = debiased_cka(*np.random.default_rng(1).standard_normal((2, 400, 5)))
    assert "nothing to do with each other" in unrelated.says
    assert "hardly more than a guess" in biased_cka(*np.random.default_rng(1).standard_normal((2, 30, 5))).says


def test_products_of_single_precision_agree_with_those_of_double():
    A, B = (Z.astype(np.float32) for Z in spaces(n=500, wide=30, narrow=20))
    for measure in (debiased_cka, biased_cka, procrustes_distance, svcca):
        whole = measure(A.astype(np.float64), B.astype(np.float64))
        assert measure(A, B).value == pytest.approx(whole.value, abs=1e-5)


def test_measures_that_mean_nothing_yet_are_refused_without_work_and_the_others_are_the_same():
    A, B = spaces(n=60)
    every = {one.name: one for one in agreements(A, B)[0]}
    some, refused = agreements(A, B, only_meaningful=True)
    assert [every[one.name] for one in some] == list(some)
    assert {one.name for one in some} == {name for name, one in every.items() if one.smallest_n <= 60}
    assert refused["svcca"] == f"it means something from {every['svcca'].smallest_n:,} pairs on, not at 60"
