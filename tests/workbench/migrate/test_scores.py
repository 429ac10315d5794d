"""A score that people trust becomes one above which as many unrelated pairs lie."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, ortho_group

from codomain.search import Null
from codomain.workbench.migrate.scores import pair_thresholds, question_thresholds


def cosines(X: np.ndarray) -> np.ndarray:
    """Of every pair of rows."""
    U = X / np.linalg.norm(X, axis=1, keepdims=True)
    return (U @ U.T)[np.triu_indices(len(X), 1)]


def test_as_many_of_all_pairs_lie_above_the_new_score_as_above_the_old_one() -> None:
    rng = np.random.default_rng(0)
    A = (rng.standard_normal((300, 6)) + 0.7).astype(np.float32)
    B = np.tanh(A @ rng.standard_normal((6, 40)) + 1).astype(np.float32)  # bent, and with a common direction
    told = pair_thresholds(A, B)
    old, new = cosines(A), cosines(B)
    assert len(told) >= 8
    for one in told:
        above = np.mean(old > one["old"])
        assert one["share"] == pytest.approx(above, abs=0.003)
        assert np.mean(new > one["new"]) == pytest.approx(above, abs=0.003)
        assert one["low"] <= one["new"] <= one["high"]
    assert np.all(np.diff([one["new"] for one in told]) > 0)
    assert max(abs(one["new"] - one["old"]) for one in told) > 0.05  # the scores did change


def test_a_turned_and_rescaled_space_keeps_its_scores_without_doubt() -> None:
    A = np.random.default_rng(1).standard_normal((200, 5)).astype(np.float32)
    B = 3 * A @ ortho_group.rvs(5, random_state=0).astype(np.float32)
    for one in pair_thresholds(A, B):
        assert one["new"] == pytest.approx(one["old"], abs=1e-3)
        assert one["high"] - one["low"] < 0.01


def test_the_interval_holds_what_endless_rows_would_give() -> None:
    # The cosine c of two even directions in d dimensions: (1 + c) / 2 has the beta law of (d - 1) / 2 twice.
    before, after = (beta((d - 1) / 2, (d - 1) / 2, loc=-1, scale=2) for d in (8, 3))
    held = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        for one in pair_thresholds(rng.standard_normal((100, 8)), rng.standard_normal((100, 3)), seed):
            if one["share"] > 0.005:
                held.append(one["low"] <= after.isf(before.sf(one["old"])) <= one["high"])
    assert len(held) > 20 and np.mean(held) > 0.7


def test_a_score_of_a_question_keeps_its_percentile() -> None:
    rng = np.random.default_rng(2)
    levels = 1 / (1 + np.exp(-np.linspace(-13, 13, 401)))
    plain = Null.fit(rng.standard_normal((50, 4)))
    old, new = (
        replace(plain, questions=tuple(np.quantile(rng.normal(middle, spread, 50_000), levels)), n_questions=50_000)
        for middle, spread in ((0.1, 0.1), (0.5, 0.05))
    )
    told = question_thresholds(old, new)
    assert len(told) >= 5
    for one in told:
        before = old.percentile([one["old"]], asked="question")[0]
        assert new.percentile([one["new"]], asked="question")[0] == pytest.approx(before, abs=2e-4)
        assert one["share"] == pytest.approx(1 - before)
        assert one["new"] == pytest.approx(0.5 + (one["old"] - 0.1) / 2, abs=0.02)  # both are normal
    assert question_thresholds(plain, new) == []
