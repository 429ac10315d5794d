"""The verdict of every claim is the recorded one, in either direction; it is rerun when what it depends on changes."""

import math
import tomllib

import pytest

import rerun
from codomain.core.catalogue import PACKAGE, methods
from codomain.core.claims import SEEDS, VERDICTS, Claim, Trial, patience, run, verdict
from codomain.core.fingerprint import PARTS, fingerprint

CLAIMED = [entry for entry in methods() if isinstance(entry.claim, Claim)]
each_claim = pytest.mark.parametrize("entry", CLAIMED, ids=rerun.title)


def pytest_generate_tests(metafunc):
    """Claims that are rerun, each with its own limit of time and the longest first; the others say why not."""
    if "again" in metafunc.fixturenames:
        excuses = rerun.excuses(CLAIMED, metafunc.config.getoption("rerun"), rerun.moment())
        metafunc.parametrize("again", [_case(entry, excuses.get(rerun.title(entry))) for entry in CLAIMED])


def _case(entry, excuse):
    seconds = entry.record.took if entry.record else entry.claim.seconds
    marks = [pytest.mark.skip(reason=excuse)] if excuse else [pytest.mark.long(seconds)]
    return pytest.param(entry, id=rerun.title(entry), marks=[*marks, pytest.mark.limit(patience(entry.claim) + 60)])


@each_claim
def test_the_record_follows_from_its_own_numbers(entry):
    record = entry.record
    assert record is not None, f"codomain claims run {rerun.title(entry)} --record"
    assert record.verdict in VERDICTS
    if record.verdict != "too slow":
        assert record.seeds == list(SEEDS)
        trials = [Trial(*scores) for scores in zip(record.ours, record.floor, record.peer, strict=True)]
        assert record.verdict == verdict(trials, entry.claim.margin)
        assert record.took <= 3 * entry.claim.seconds
    assert all(map(math.isfinite, [*record.ours, *record.floor, *record.peer]))
    assert {"python", "numpy"} <= set(record.versions)
    assert set(record.fingerprint) == set(PARTS), f"codomain claims run {rerun.title(entry)} --record"
    assert record.fingerprint["libraries"] == fingerprint(entry.claim.module, record.versions)["libraries"]


@each_claim
def test_the_claim_lives_beside_its_method(entry):
    assert entry.claim.module == entry.method.__module__


def test_no_verdict_is_left_over_from_a_method_that_is_gone():
    slugs = {(entry.room, entry.paper.slug) for entry in CLAIMED}
    for path in PACKAGE.glob("*/verdicts.toml"):
        for slug in tomllib.loads(path.read_text(encoding="utf-8")):
            assert (path.parent.name, slug) in slugs


def test_the_verdict_is_the_recorded_one(again):
    assert run(again.claim).verdict == again.record.verdict
