"""Claims: the verdict's rule, the runner that cannot hang, the record that cannot lie."""

import math
import os
import sys
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import claims_for_tests

from codomain.cli.methods import run_claims
from codomain.core import Trial, UserError, catalogue, claim, claims, fingerprint, needs, no_claim
from codomain.core.claims import SEEDS, Outcome, run, verdict

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


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"seconds": 61.0}, "at most 60 seconds"),
        ({"seconds": 0.0}, "above 0"),
        ({"margin": 0.0}, "margin above 0"),
        ({"seconds": 601.0, "scale": "minutes", "why": "as published"}, "at most 600 seconds"),
        ({"scale": "minutes"}, "why="),
        ({"scale": "gpu", "why": " "}, "why="),
        ({"scale": "hours", "why": "as published"}, "minute, minutes, gpu"),
        ({"needs": ["wordnet-bse"]}, "wordnet-base"),
    ],
)
def test_a_claim_beyond_its_budget_or_without_what_it_owes_is_refused(wrong, words):
    what = {"unit": "u", "margin": 0.1, "seconds": 30.0, "says": "s", "floor": "f", "peer": "p", **wrong}
    with pytest.raises(UserError, match=words):
        claim(claims_for_tests.METHOD, **what)(lambda seed: Trial(1, 0, 0))


def test_a_claim_of_minutes_says_why_and_waits_longer():
    method = SimpleNamespace()
    words = {"unit": "u", "margin": 0.1, "says": "s", "floor": "f", "peer": "p"}
    claim(method, seconds=600, scale="minutes", why="the published number of episodes", **words)(len)
    assert (method.claim.seconds, method.claim.why) == (600, "the published number of episodes")
    assert 3 * 600 < claims.patience(method.claim) <= 3600


def test_what_is_not_installed_is_named_and_nothing_runs(monkeypatch):
    signs = {"wordnet-base": "/nowhere/data.*", "torch": "no_such_module"}
    monkeypatch.setattr(needs, "NEEDS", signs)
    assert claims_for_tests.IN_NEED.hindrance == "needs wordnet-base, torch"
    with pytest.raises(UserError, match=r"not rerun here(.|\n)*wordnet-base, torch"):
        run(claims_for_tests.IN_NEED)
    monkeypatch.setattr(needs, "NEEDS", signs | {"torch": "json"})
    assert claims_for_tests.IN_NEED.hindrance == "needs wordnet-base"
    monkeypatch.setattr(needs, "NEEDS", {"wordnet-base": __file__[:-3] + "*", "torch": "json"})
    assert claims_for_tests.IN_NEED.hindrance == ""
    assert run(claims_for_tests.IN_NEED, [0]).ours == [1.0]


def entry(what, before=None):
    return SimpleNamespace(room="r", paper=SimpleNamespace(slug="m"), slug="m", claim=what, record=before)


def test_the_command_says_in_a_sentence_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(needs, "NEEDS", {"wordnet-base": "/nowhere", "torch": "json"})
    monkeypatch.setattr(catalogue, "named", lambda name: [entry(claims_for_tests.IN_NEED)])
    run_claims("m")
    assert capsys.readouterr().out == "r/m: not rerun here: needs wordnet-base\n"


def test_the_command_passes_by_what_has_not_changed(monkeypatch, capsys):
    monkeypatch.setattr(claims.Claim, "stale", lambda what, record: record.changed)
    every = [entry(claims_for_tests.GOOD, SimpleNamespace(changed="")), entry(claims_for_tests.IN_NEED)]
    monkeypatch.setattr(catalogue, "methods", lambda: every)
    monkeypatch.setattr(needs, "NEEDS", {"wordnet-base": "/nowhere", "torch": "json"})
    run_claims(stale=True)
    assert capsys.readouterr().out == "r/m: not rerun here: needs wordnet-base\n"


QUICK = import_module("codomain.measure.convergent_learning").ConvergentLearning.claim


def test_an_outcome_carries_what_it_depends_on_and_is_fresh_until_that_changes():
    outcome = run(QUICK, [0])
    assert set(outcome.fingerprint) == {"code", "data", "libraries"}
    assert QUICK.stale(outcome) == ""
    assert QUICK.stale(replace(outcome, fingerprint=outcome.fingerprint | {"code": "0"})) == "its code changed"
    assert run(claims_for_tests.GOOD, [0]).fingerprint == {}, "a claim outside the package has none"


def test_a_claim_that_runs_what_its_fingerprint_does_not_see_has_no_verdict(monkeypatch):
    assert any(path.name == "digit_nets.py" for path in fingerprint.closure(QUICK.module))
    monkeypatch.setattr(fingerprint, "closure", lambda module, package: {})
    with pytest.raises(UserError, match=r"tasks/digit_nets\.py.*, which its fingerprint does not see"):
        run(QUICK, [0])


def test_a_method_without_a_claim_says_why():
    assert no_claim("needs ImageNet").why == "needs ImageNet"
    with pytest.raises(UserError, match="reason"):
        no_claim(" ")


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A module in a room of its own, so that its verdicts.toml is a new file."""
    module = ModuleType("a_room_for_tests")
    module.__file__ = str(tmp_path / "method.py")
    monkeypatch.setitem(sys.modules, "a_room_for_tests", module)
    return "a_room_for_tests"


def outcome(**changes):
    values = dict(ours=[0.5] * 5, floor=[0.1] * 5, peer=[1 / 3, 1e-9, 1.0, 2.0, -1.0], seeds=list(SEEDS))
    values |= dict(verdict="holds", date="2026-01-31", took=1.5, versions={"scikit-learn": '1.9 "x"\\'}) | changes
    return Outcome(**values)


def test_a_record_reads_back_as_it_was(room):
    path = claims.record(room, "b-method", outcome())
    claims.record(room, "a-method", outcome(verdict="weak"))
    assert claims.recorded(room, "b-method") == outcome()
    assert claims.recorded(room, "a-method") == outcome(verdict="weak")
    assert list(tomllib.loads(path.read_text(encoding="utf-8"))) == ["a-method", "b-method"]


def test_a_new_record_takes_the_place_of_the_old_one(room):
    claims.record(room, "m", outcome())
    claims.record(room, "m", outcome(verdict="fails"))
    assert claims.recorded(room, "m").verdict == "fails"


def test_a_method_that_was_never_run_has_no_record(room):
    assert claims.recorded(room, "m") is None


def test_fewer_than_five_seeds_are_not_recorded(room):
    with pytest.raises(UserError, match="to record it"):
        claims.record(room, "m", outcome(seeds=[0, 1]))
    assert claims.recorded(room, "m") is None


def test_too_slow_is_a_verdict_to_record(room):
    claims.record(room, "m", outcome(verdict="too slow", seeds=[], ours=[], floor=[], peer=[]))
    assert claims.recorded(room, "m").middle("ours") is None


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


@given(st.dictionaries(texts, texts | numbers | st.lists(texts) | st.dictionaries(texts, texts), max_size=4))
def test_what_is_written_as_toml_is_what_a_toml_reader_reads(table):
    keys = {f"k{place}": value for place, value in enumerate(table.values())}
    assert tomllib.loads(claims.to_toml({"t": keys})) == {"t": keys}
    assert not any(isinstance(value, float) and math.isnan(value) for value in keys.values())
