"""Verdicts: what a trial is reduced to, the interval of the gap, and the word that follows from it."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from codomain.core import Trial, UserError
from codomain.core.verdicts import Gap, judge, pool, reduce
from codomain.tasks import bootstrap_error

scores = st.lists(st.floats(-10, 10), min_size=5, max_size=5)
TRUE = [1.0] * 5


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.11, 0.2, "holds"), (0.1, 0.3, "weak"), (0.01, 0.3, "weak"), (0.0, 0.3, "no difference"),
     (-0.1, 0.1, "no difference"), (-0.2, 0.0, "no difference"), (-0.2, -0.01, "fails")],
)  # fmt: skip
def test_the_verdict_follows_from_where_the_interval_lies(low, high, word):
    assert judge(Gap((low + high) / 2, low, high, 0.0), 0.1, TRUE, 0.5) == word


def test_a_premise_that_is_false_in_the_middle_of_the_seeds_leaves_nothing_to_judge():
    gap = Gap(1.0, 0.9, 1.1, 0.1)
    assert judge(gap, 0.1, [0.4, 0.4, 0.4, 9, 9], 0.5) == "no premise"
    assert judge(gap, 0.1, [0.4, 0.4, 0.5, 9, 9], 0.5) == "holds"


@given(ours=scores, floor=scores)
def test_the_interval_of_fresh_rows_is_that_of_student(ours, floor):
    gaps = np.subtract(ours, floor)
    assume(gaps.std() > 1e-6)
    gap = pool(ours, floor, [], "fresh")
    low, high = stats.t.interval(0.95, 4, gaps.mean(), stats.sem(gaps))
    found = gap.mean, gap.low, gap.high, gap.noise
    assert np.allclose(found, (gaps.mean(), low, high, gaps.std(ddof=1)), rtol=1e-3, atol=1e-2)


@given(ours=scores, floor=scores, error=st.floats(0, 5))
def test_rows_that_the_seeds_share_widen_the_interval_by_their_error(ours, floor, error):
    fresh, same = pool(ours, floor, [error] * 5, "fresh"), pool(ours, floor, [error] * 5, "same")
    assert same.mean == fresh.mean and same.noise == error
    assert (same.high - same.mean) ** 2 == pytest.approx((fresh.high - fresh.mean) ** 2 + (1.96 * error) ** 2)


def test_shared_rows_without_an_error_are_refused():
    with pytest.raises(UserError, match=r"(?s)scores by row.*fresh"):
        pool([1.0, 2.0], [0.0, 0.0], [], "same")
    with pytest.raises(UserError, match="scores by row"):
        pool([1.0, 2.0], [0.0, 0.0], [0.1], "fresh")


def test_the_interval_covers_the_true_gap_in_about_95_of_100_repeats():
    rng, covered = np.random.default_rng(0), {"fresh": 0, "same": 0}
    for _ in range(400):
        rows = rng.normal(0, 0.5, 100)  # the same rows score alike in every seed
        for kind in covered:
            gaps = [0.3 + rng.normal(0, 0.05) + (rows if kind == "same" else rng.normal(0, 0.5, 100)) for _ in range(5)]
            errors = [gap.std(ddof=1) / 10 for gap in gaps]
            gap = pool([one.mean() for one in gaps], [0.0] * 5, errors, kind)
            covered[kind] += gap.low <= 0.3 <= gap.high
    assert 370 <= covered["fresh"] <= 390
    assert 370 <= covered["same"] <= 395


def test_scores_by_row_give_their_means_and_the_paired_error():
    ours, floor = np.array([1, 1, 0, 1]), np.array([True, False, False, False])
    out = reduce(Trial(ours, floor, 0.4, 0.1, 2.0, also={"seconds": 3.0}))
    error = stats.ttest_rel(ours, floor).statistic
    assert out == {
        "ours": 0.75, "floor": 0.25, "peer": 0.4, "chance": 0.1, "premise": 2.0, "error": round(0.5 / error, 6),
        "also": {"seconds": 3.0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        (Trial(np.ones(3), np.ones(4), 0, 0, 1), "by unit"),
        (Trial(np.ones(3), 1.0, 0, 0, 1), "by unit"),
        (Trial(np.ones((3, 2)), np.ones((3, 2)), 0, 0, 1), "by unit"),
        (Trial(1.0, 0.0, float("nan"), 0, 1), "finite"),
        (Trial(1.0, 0.0, 0.0, 0, float("inf")), "finite"),
        (Trial(1.0, 0.0, 0.0, 0, 1, also={"x": float("nan")}), "finite"),
    ],
)
def test_a_trial_that_cannot_be_judged_is_refused(trial, words):
    with pytest.raises(UserError, match=words):
        reduce(trial)


def test_the_bootstrap_finds_the_error_of_a_mean():
    gaps = np.random.default_rng(0).normal(size=400)
    found = bootstrap_error(lambda rows: gaps[rows].mean(), 400, repeats=2000)
    assert found == pytest.approx(gaps.std() / 20, rel=0.06)
