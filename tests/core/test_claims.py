"""Claims: the verdict's rule, the runner that cannot hang."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import claims_for_tests

from codomain.core import Trial, UserError, claim, no_claim
from codomain.core.claims import run, verdict

scores = st.floats(-10, 10)
trials = st.lists(st.builds(Trial, ours=scores, floor=scores, peer=scores), min_size=5, max_size=5)


def with_gaps(*gaps):
    return [Trial(gap, 0.0, 9.0) for gap in gaps]


def test_a_claim_holds_when_every_gap_reaches_the_margin():
    assert verdict(with_gaps(0.5, 0.5, 0.6, 0.7, 0.9), 0.5) == "holds"


def test_one_gap_below_the_margin_makes_it_weak():
    assert verdict(with_gaps(0.49, 0.6, 0.6, 0.7, 0.9), 0.5) == "weak"


def test_a_median_gap_of_nothing_fails():
    assert verdict(with_gaps(-1, -1, 0, 5, 5), 0.5) == "fails"


@given(trials=trials, margin=st.floats(0.01, 5), shift=st.floats(-100, 100))
def test_the_peer_has_no_part_in_the_verdict(trials, margin, shift):
    moved = [Trial(trial.ours, trial.floor, trial.peer + shift) for trial in trials]
    assert verdict(moved, margin) == verdict(trials, margin)


@given(trials=trials, margin=st.floats(0.01, 5))
def test_a_claim_that_holds_also_holds_by_a_smaller_margin(trials, margin):
    if verdict(trials, margin) == "holds":
        assert verdict(trials, margin / 2) == "holds"


def test_the_runner_gives_every_seed_to_the_claim_in_order():
    outcome = run(claims_for_tests.GOOD)
    assert outcome.verdict == "holds"
    assert outcome.seeds == [0, 1, 2, 3, 4]
    assert outcome.ours == [1, 2, 3, 4, 5]
    assert outcome.floor == [0, 1, 2, 3, 4]
    assert outcome.peer == [0.25] * 5
    assert outcome.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert outcome.middle("ours") == 3


def test_a_claim_that_raises_has_no_verdict():
    with pytest.raises(UserError, match="no data for seed 0"):
        run(claims_for_tests.BROKEN)


def test_a_score_that_is_no_number_has_no_verdict():
    with pytest.raises(UserError, match="three finite scores"):
        run(claims_for_tests.INFINITE)


def test_a_claim_that_never_ends_is_ended_and_called_too_slow(tmp_path, monkeypatch):
    note = tmp_path / "pid"
    monkeypatch.setenv("CLAIM_PID", str(note))
    outcome = run(claims_for_tests.ENDLESS)
    assert outcome.verdict == "too slow"
    assert outcome.seeds == [0], "what was finished is kept"
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_a_claim_past_its_share_of_the_processor_is_called_too_slow():
    outcome = run(claims_for_tests.BUSY)
    assert (outcome.verdict, outcome.seeds) == ("too slow", [0])


def test_no_seeds_is_refused():
    with pytest.raises(UserError, match="at least one"):
        run(claims_for_tests.GOOD, [])


@pytest.mark.parametrize("wrong", [{"seconds": 61.0}, {"seconds": 0.0}, {"margin": 0.0}])
def test_a_claim_beyond_the_budget_or_without_a_margin_is_refused(wrong):
    what = {"unit": "u", "margin": 0.1, "seconds": 30.0, "says": "s", "floor": "f", "peer": "p", **wrong}
    with pytest.raises(UserError):
        claim(claims_for_tests.METHOD, **what)


def test_a_method_without_a_claim_says_why():
    assert no_claim("needs ImageNet").why == "needs ImageNet"
    with pytest.raises(UserError, match="reason"):
        no_claim(" ")
