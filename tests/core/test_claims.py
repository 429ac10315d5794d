"""Claims: what they owe, and the runner that cannot hang."""

import os
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import claims_for_tests

from codomain.cli.claims import print_outcome, run_claims
from codomain.core import Trial, UserError, catalogue, claim, claims, fingerprint, needs, no_claim
from codomain.core.claim_run import patience, run
from codomain.core.claims import Outcome, checked


def test_the_runner_gives_every_seed_to_the_claim_in_order():
    outcome = run(claims_for_tests.GOOD)
    assert outcome.verdict == "holds"
    assert outcome.seeds == [0, 1, 2, 3, 4]
    assert outcome.ours == [1, 2, 3, 4, 5]
    assert outcome.floor == [0, 1, 2, 3, 4]
    assert outcome.peer == [0.25] * 5
    assert (outcome.premise, outcome.chance, outcome.error) == ([2] * 5, [-1] * 5, [])
    assert outcome.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert outcome.middle("ours") == 3


def test_a_claim_that_raises_has_no_verdict():
    with pytest.raises(UserError, match="no data for seed 0"):
        run(claims_for_tests.BROKEN)


def test_a_score_that_is_no_number_has_no_verdict():
    with pytest.raises(UserError, match="finite scores"):
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


WORDS = {"unit": "u", "says": "s", "premise": "there is something to gain", "least": 0.5, "floor": "f", "peer": "p"}


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
        ({"premise": " "}, "true of the data"),
        ({"rows": "new"}, "same, fresh"),
    ],
)
def test_a_claim_beyond_its_budget_or_without_what_it_owes_is_refused(wrong, words):
    what = {"margin": 0.1, "seconds": 30.0, **WORDS, **wrong}
    with pytest.raises(UserError, match=words):
        claim(claims_for_tests.METHOD, **what)(lambda seed: Trial(1, 0, 0, 0, 1))


def test_a_claim_of_minutes_says_why_and_waits_longer():
    method = SimpleNamespace()
    claim(method, margin=0.1, seconds=600, scale="minutes", why="the published number of episodes", **WORDS)(len)
    assert (method.claim.seconds, method.claim.why) == (600, "the published number of episodes")
    assert patience(method.claim) == 20 * 600


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


def test_what_a_method_was_checked_against_is_read_from_its_docstring():
    assert checked("A.\n\nNotes\n-----\nChecked against the authors'\n    code (a/b): all of it.") == "code"
    assert checked("Checked against the paper's text.") == "text"
    assert checked("Checked against the abstract only.") == "abstract"
    assert checked("Checked against everything.") == ""


def test_a_claim_is_printed_with_its_premise_its_gap_and_what_they_mean(capsys):
    what = claims_for_tests.GOOD
    print_outcome("r/m", what, replace(run(what), also={"seconds of rest": [1.0, 3.0, 2.0]}), "9 on ImageNet")
    lines = capsys.readouterr().out.splitlines()
    assert "premise: there is something to gain: 2, needed 0.5: true" in lines
    assert "ours - floor: 1, 95 % interval 1 to 1; margin 0.5" in lines
    assert f"holds: {catalogue.LEGEND['holds']}" in lines
    assert "also: seconds of rest: 2" in lines
    assert lines[-1] == "the paper's own number, in its own setting: 9 on ImageNet"


def test_a_claim_whose_margin_drowns_in_noise_says_so(capsys):
    noisy = Outcome(
        "weak", "2026-01-31", 1.0, [0, 1], [1.0] * 2, [1.0] * 2, [0.0] * 2, [0.0] * 2, [0.0] * 2, [0.3, 0.3]
    )
    print_outcome("r/m", replace(claims_for_tests.GOOD, rows="same"), noisy, "")
    assert "too noisy: the margin is below twice the standard error of one seed, 0.3" in capsys.readouterr().out
