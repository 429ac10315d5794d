import importlib
import json
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import i0e
from sklearn.neighbors import NearestNeighbors

from codomain.core import UserError, unit_rows
from codomain.measure import Measure, health
from codomain.measure.one_space.local import likelihood_inverses
from codomain.measure.one_space.sampled import Sampled
from codomain.measure.one_space.uniformity import potential
from codomain.search import LIDOrder


def measured(X, **more):
    return {measure.name: measure for measure in health(X, **more)}


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def sphere_in(m, d, n, seed=0):
    """Directions of an m-dimensional sphere, turned at random into d dimensions."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((d, m + 1)))
    return (unit_rows(rng.standard_normal((n, m + 1))) @ turn.T).astype(np.float32)


def lists(X, k):
    """Lists of another library, as `health` takes them."""
    U = unit_rows(X.astype(np.float64))
    far, indices = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(U).kneighbors(U)
    return SimpleNamespace(indices=indices[:, 1:], scores=(1 - far[:, 1:] ** 2 / 2).astype(np.float32))


@pytest.mark.parametrize("m", [2, 4, 8])
def test_a_sphere_has_its_own_dimension_in_any_space(m):
    found = measured(sphere_in(m, 30, 4000))
    assert found["dimension_two_nn"].value == pytest.approx(m, rel=0.12)
    assert found["dimension_likelihood"].value == pytest.approx(m, rel=0.12)
    assert found["dimension_likelihood"].low < found["dimension_likelihood"].value < found["dimension_likelihood"].high


def test_lists_that_are_given_tell_the_same_as_lists_that_are_made():
    X = sphere_in(3, 12, 1200)
    own, given_lists = measured(X), measured(X, neighbors=lists(X, 15))
    for name in ("dimension_two_nn", "dimension_likelihood", "hubness", "unreachable", "near_duplicates"):
        assert own[name].value == pytest.approx(given_lists[name].value, rel=1e-3, abs=1e-3)


def test_evenly_spread_rows_use_every_direction_and_planted_ones_use_theirs():
    even = measured(gaussian(4000, 24))["effective_rank"]
    assert even.value == pytest.approx(24, rel=0.02) and even.verdict == "good"
    shares = np.array([0.5, 0.25, 0.25])
    X = gaussian(20000, 3) * np.sqrt(shares)
    wanted = np.exp(-np.sum(shares * np.log(shares)))
    assert measured(X)["effective_rank"].value == pytest.approx(wanted, rel=0.02)
    assert measured(np.outer(np.arange(1000.0), np.ones(50)))["effective_rank"].verdict == "bad"


def test_more_features_than_rows_are_measured():
    found = measured(gaussian(60, 200))
    assert found["effective_rank"].value == pytest.approx(found["effective_rank"].null, rel=0.05)
    assert found["effective_rank"].verdict == "watch"  # too few rows to tell


def test_anisotropy_is_the_mean_over_all_pairs():
    X = gaussian(300, 10) + 0.7
    U = unit_rows(X.astype(np.float64))
    wanted = (U @ U.T)[np.triu_indices(300, 1)].mean()
    found = measured(X)["anisotropy"]
    assert found.value == pytest.approx(wanted, abs=1e-6) and found.low < wanted < found.high
    assert measured(gaussian(300, 10) + 20)["anisotropy"].verdict == "bad"
    assert abs(measured(gaussian(3000, 50))["anisotropy"].value) < 0.005


def test_the_interval_covers_what_other_draws_give():
    truth = np.mean([measured(gaussian(2000, 6, seed) + 0.5)["anisotropy"].value for seed in range(100, 112)])
    inside = 0
    for seed in range(20):
        found = measured(gaussian(2000, 6, seed) + 0.5)["anisotropy"]
        inside += found.low <= truth <= found.high
    assert inside >= 16


def test_planted_copies_are_counted():
    X = gaussian(1000, 16)
    X[500:550] = X[:50]
    X[600:630] = X[0]
    found = measured(X)
    assert found["exact_duplicates"].value == 80 / 1000
    assert "32 times" in found["exact_duplicates"].says
    assert measured(gaussian(1000, 16))["exact_duplicates"].value == 0
    assert found["near_duplicates"].value == 0


def test_minus_zero_is_zero():
    assert measured(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]]))["exact_duplicates"].value == pytest.approx(1 / 3)


@pytest.mark.parametrize("clump", [1, 40])
def test_planted_near_copies_are_counted_in_pairs_and_in_clumps(clump):
    X = gaussian(2000, 16)
    X[1000:1040] = (X[:40] if clump == 1 else X[0]) + 0.01 * gaussian(40, 16, 1)
    found = measured(X)["near_duplicates"]
    assert found.value == pytest.approx((80 if clump == 1 else 41) / 2000, abs=0.002)
    assert measured(gaussian(2000, 16))["near_duplicates"].value <= 0.001


def test_hubs_are_seen_against_random_directions():
    rng = np.random.default_rng(0)
    # Sixteen rows at the centre are nearer to everybody than any two of the others to each other.
    X = (np.eye(100)[0] + 0.15 * rng.standard_normal((1500, 100))).astype(np.float32)
    X[:16] = np.eye(100)[0] + 0.01 * rng.standard_normal((16, 100))
    crowded, even = measured(X), measured(gaussian(1500, 100))
    assert crowded["hubness"].low > even["hubness"].high and crowded["hubness"].verdict == "bad"
    assert even["hubness"].verdict == "good"
    assert crowded["unreachable"].value > 0.2 and crowded["unreachable"].verdict == "bad"


def test_hubness_follows_its_definition():
    X = gaussian(400, 20)
    counts = np.bincount(lists(X, 15).indices.ravel(), minlength=400)
    from scipy.stats import skew

    found = measured(X)
    assert found["hubness"].value == pytest.approx(skew(counts), rel=1e-6)
    assert found["unreachable"].value == np.mean(counts == 0)


def test_still_features_are_named_and_loud_ones_too():
    X = gaussian(500, 10)
    X[:, 3] = 0.25
    X[:, 7] *= 30
    found = measured(X)
    assert found["dead_features"].value == 0.1 and found["dead_features"].verdict == "watch"
    assert "Feature 7" in found["loudest_feature"].says and found["loudest_feature"].verdict == "bad"
    assert measured(gaussian(500, 10))["loudest_feature"].verdict == "good"


def test_lengths_and_rows_of_zeros():
    X = unit_rows(gaussian(500, 10))
    assert measured(X)["lengths"].value == pytest.approx(0, abs=1e-6)
    X[:3] = 0
    assert "3 rows are all zeros" in measured(X)["lengths"].says
    assert measured(X)["lengths"].verdict == "watch"
    assert measured(X * np.linspace(1, 3, 500)[:, None])["lengths"].value == pytest.approx(
        np.std(np.linspace(1, 3, 500)[3:].tolist() + [0] * 3) / np.mean(np.linspace(1, 3, 500)[3:].tolist() + [0] * 3),
        rel=1e-4,
    )


def test_labels_of_blobs_separate_and_drawn_labels_do_not():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 800)
    X = (10 * np.eye(20)[y] + rng.standard_normal((800, 20))).astype(np.float32)
    names = [f"class {label}" for label in y]
    apart = measured(X, labels=names)["label_separation"]
    assert apart.value > 0.99 and apart.verdict == "good"
    drawn = measured(X, labels=rng.integers(0, 4, 800).tolist())["label_separation"]
    assert drawn.low < drawn.null < drawn.high and drawn.verdict == "bad"
    assert drawn.null == pytest.approx(0.25, abs=0.02)


def test_rows_without_a_label_are_left_out():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    X = (10 * np.eye(8)[y] + rng.standard_normal((400, 8))).astype(np.float32)
    some = [None if i % 3 == 0 else "" if i % 3 == 1 and i % 2 else int(label) for i, label in enumerate(y)]
    assert measured(X, labels=some)["label_separation"].value > 0.99
    assert "label_separation" not in measured(X, labels=["one"] * 400)
    assert "label_separation" not in measured(X, labels=list(range(400)))
    assert "label_separation" not in measured(X, labels=[None] * 400)
    assert "label_separation" not in measured(X)


def test_uniformity_is_the_mean_potential_of_all_pairs_and_its_null_that_of_the_sphere():
    X = gaussian(300, 5) + 0.4
    U = unit_rows(X.astype(np.float64))
    squares = ((U[:, None] - U[None]) ** 2).sum(axis=2)[np.triu_indices(300, 1)]
    found = measured(X, only=["uniformity"])["uniformity"]
    assert found.value == pytest.approx(np.log(np.mean(np.exp(-2 * squares))), abs=1e-5)
    assert found.low < found.value < found.high
    # On a circle the mean of exp(4 cos t - 4) is a Bessel function.
    assert measured(gaussian(4000, 2))["uniformity"].null == pytest.approx(np.log(i0e(4)), abs=0.02)
    assert measured(gaussian(1000, 20))["uniformity"].verdict == "good"
    assert measured(gaussian(1000, 20) + 30)["uniformity"].verdict == "bad"


def test_leaving_out_a_fold_of_pairs_is_leaving_out_its_rows():
    U, fold = unit_rows(gaussian(60, 3)), np.arange(60) % 10
    whole, left = potential(U, fold)
    for f in (0, 7):
        kept = U[fold != f].astype(np.float64)
        heat = np.exp(-2 * ((kept[:, None] - kept[None]) ** 2).sum(axis=2))[np.triu_indices(len(kept), 1)]
        assert left[f] == pytest.approx(np.log(heat.mean()), abs=1e-5)
    assert whole == pytest.approx(np.mean(left), abs=0.05)


def test_tolerance_is_the_mean_cosine_of_pairs_that_share_a_label():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 300)
    X = (1.5 * np.eye(6)[y] + rng.standard_normal((300, 6))).astype(np.float32)
    cosines = unit_rows(X.astype(np.float64)) @ unit_rows(X.astype(np.float64)).T
    upper = np.triu_indices(300, 1)
    same = (y[:, None] == y)[upper]
    found = measured(X, labels=[f"c{label}" for label in y])["tolerance"]
    assert found.value == pytest.approx(cosines[upper][same].mean(), abs=1e-5)
    assert found.null == pytest.approx(cosines[upper].mean(), abs=1e-5)
    assert found.low < found.value < found.high and found.verdict == "good"
    mixed = measured(X, labels=rng.permutation(y).tolist())["tolerance"]
    assert mixed.low < mixed.null < mixed.high and mixed.verdict == "bad"
    assert "tolerance" not in measured(X) and "tolerance" not in measured(X, labels=["one"] * 300)


def test_rows_without_a_label_have_no_part_in_tolerance():
    X, y = gaussian(400, 5), np.arange(400) % 2
    some = [None if i % 5 == 0 else int(label) for i, label in enumerate(y)]
    kept = np.arange(400) % 5 != 0
    assert measured(X, labels=some)["tolerance"].value == pytest.approx(
        measured(X[kept], labels=y[kept].tolist())["tolerance"].value, abs=1e-6
    )


def test_asking_for_some_measures_gives_the_same_as_asking_for_all():
    X = gaussian(600, 6)
    whole = measured(X, labels=(np.arange(600) % 3).tolist())
    for names in (["hubness"], ["uniformity", "dimension_two_nn"], ["tolerance"]):
        assert measured(X, labels=(np.arange(600) % 3).tolist(), only=names) == {name: whole[name] for name in names}


@pytest.mark.parametrize(
    ("rows", "only", "words"),
    [
        (499, ["hubness"], "hubness needs 500"),
        (99, ["effective_rank", "anisotropy"], "anisotropy needs 100"),
        (600, ["tolerance"], "tolerance cannot be measured.*labels"),
        (600, ["beauty"], "No measure is called 'beauty'"),
    ],
)
def test_a_number_that_would_mean_nothing_is_refused_with_its_floor(rows, only, words):
    with pytest.raises(UserError, match=f"(?s){words}"):
        health(gaussian(rows, 6), only=only)
    assert len(health(gaussian(500, 6), only=["hubness"])) == 1


def test_a_measure_prints_and_draws_itself():
    found = health(gaussian(600, 6), only=["hubness", "lengths"])
    assert "Hubs: " in str(found) and len(str(found).splitlines()) == 2
    hubs = found[0]
    assert f"by chance {hubs.null:.3g}" in str(hubs) and f"{hubs.low:.3g} to {hubs.high:.3g}" in str(hubs)
    drawn = ElementTree.fromstring(f"<div>{found._repr_html_()}</div>")  # well formed, so that no page breaks
    marks = {mark.get("class"): mark for mark in drawn.find(".//svg").iter() if mark.get("class")}
    low, high = (float(marks["interval"].get(end)) for end in ("x1", "x2"))
    assert low < float(marks["value"].get("cx")) < high
    assert (float(marks["null"].get("x1")) - low) * (hubs.null - hubs.low) >= 0
    hostile = replace(hubs, says="<script>alert(1)</script>", title="a'b")
    assert "<script>" not in hostile._repr_html_() and "a'b" not in hostile._repr_html_()


@given(st.integers(0, 1000), st.floats(0.01, 100))
@settings(max_examples=15)
def test_turning_scaling_and_shuffling_change_nothing_that_a_cosine_sees(seed, scale):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 6)) * [3, 2, 1, 1, 1, 0.5] + 0.3
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    before = measured(X)
    for same in (X @ turn * scale, X[rng.permutation(200)]):
        after = measured(same)
        for name in (
            "effective_rank",
            "anisotropy",
            "hubness",
            "unreachable",
            "dimension_likelihood",
            "exact_duplicates",
            "uniformity",
        ):
            assert after[name].value == pytest.approx(before[name].value, rel=2e-3, abs=2e-3), name


@given(st.integers(1, 30), st.integers(1, 5), st.booleans(), st.integers(0, 99))
@settings(max_examples=80)
def test_any_small_table_gives_finite_measures_and_withholds_judgement(n, d, whole, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-1, 2, (n, d)).astype(np.float32) if whole else rng.standard_normal((n, d))
    for measure in health(X, labels=rng.integers(0, 3, n).tolist()):
        assert np.isfinite(measure.value) and measure.says.endswith(".") and measure.how
        if measure.low is not None:
            assert measure.low - 1e-6 <= measure.value <= measure.high + 1e-6, measure
        if n < measure.smallest_n:
            assert measure.verdict == "watch" and "guess" in measure.says


def test_samples_of_many_rows_agree_with_all_of_them(monkeypatch):
    file = importlib.import_module("codomain.measure.one_space.health")
    X = sphere_in(3, 12, 3000) + 0.2
    whole = measured(X)
    monkeypatch.setattr(file, "_SAMPLE", 1500)
    monkeypatch.setattr(file, "_LISTS", 1500)
    some = measured(X)
    for name in ("effective_rank", "anisotropy", "dimension_likelihood"):
        assert some[name].value == pytest.approx(whole[name].value, rel=0.15)
    assert "1,500 rows drawn at random" in some["hubness"].how
    assert measured(X, neighbors=lists(X, 5))["unreachable"].how.startswith("Lists of all 3,000 rows")


def test_the_local_dimension_is_that_by_which_an_index_orders_its_rows():
    X = unit_rows(gaussian(300, 6).astype(np.float64))
    far = NearestNeighbors(n_neighbors=13, algorithm="brute").fit(X).kneighbors(X)[0][:, 1:]
    # That one counts the farthest row too, whose logarithm is 0: a mean over 12 instead of 11.
    ordered = LIDOrder(12, normalise=False).fit(X).lid_
    assert 1 / likelihood_inverses(far) == pytest.approx(ordered * 11 / 12, rel=1e-6)


def test_dimension_is_that_of_all_rows_however_few_are_looked_from(monkeypatch):
    X = sphere_in(3, 12, 3000)
    X[5] = X[4]  # a copy has no dimension
    whole = lists(X, 15)
    monkeypatch.setattr(importlib.import_module("codomain.measure.one_space.health"), "_LISTS", 600)
    some = measured(X, only=["dimension_likelihood"])["dimension_likelihood"]
    assert "600 rows drawn at random" in some.how and "among all 3,000" in some.how
    rows = Sampled(X, None, None, 0, 100, 600)
    np.testing.assert_allclose(rows.dense_scores, whole.scores[rows._list_numbers], atol=2e-6)
    everything = measured(X, neighbors=whole, only=["dimension_likelihood"])["dimension_likelihood"]
    assert some.low < everything.value < some.high


def test_a_seed_gives_one_answer_and_json_holds_it():
    X = gaussian(300, 5)
    X.setflags(write=False)
    one, two = health(X, random_state=3), health(X, random_state=3)
    assert one == two
    assert [Measure(**json.loads(json.dumps(m.to_dict()))) for m in one] == one


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X: health(X[0]), "two dimensions"),
        (lambda X: health(X[:0]), "one row"),
        (lambda X: health(X, labels=["a"]), "1 labels for 50 rows"),
        (lambda X: health(X, neighbors=lists(X[:20], 3)), "20 lists of neighbours for 50 rows"),
        (lambda X: health(np.where(np.arange(200).reshape(50, 4) == 30, np.nan, X)), "Row 7 holds"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(UserError, match=words):
        call(gaussian(50, 4))


def test_directions_in_use_of_few_wide_rows_are_those_of_their_singular_values():
    X = (np.random.default_rng(0).standard_normal((40, 700)) * np.geomspace(5, 0.1, 700)).astype(np.float32)
    fold = np.random.default_rng([0, 2]).permutation(40) % 10  # as the tenths are drawn

    def rank(rows):
        shares = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
        shares = shares[shares > 1e-9 * shares[0]] / shares.sum()
        return np.exp(-np.sum(shares * np.log(shares)))

    found = next(m for m in health(X) if m.name == "effective_rank")
    parts = np.array([rank(X[fold != f]) for f in range(10)])
    error = np.sqrt(0.9 * np.sum((parts - parts.mean()) ** 2))
    assert found.value == pytest.approx(rank(X), rel=1e-4)
    assert (found.high - found.low) / 2 == pytest.approx(2.262 * error, rel=1e-3)
