"""The verdict of every claim is the recorded one, in either direction; it is rerun when what it depends on changes."""

import pytest

import rerun
from codomain.core.catalogue import methods
from codomain.core.claim_run import patience, run
from codomain.core.claims import Claim
from codomain.core.fingerprint import PARTS, fingerprint

CLAIMED = [entry for entry in methods() if isinstance(entry.claim, Claim)]
each_claim = pytest.mark.parametrize("entry", CLAIMED, ids=rerun.title)
# Where the data cannot show the effect, rivals may be at chance too.
JUDGED = [entry for entry in CLAIMED if entry.verdict != "no premise"]


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
def test_its_fingerprint_is_whole_and_of_the_libraries_that_are_recorded(entry):
    assert entry.record and set(entry.record.fingerprint) == set(PARTS), (
        f"codomain claims run {rerun.title(entry)} --record"
    )
    found = fingerprint(entry.claim.module, entry.record.versions)
    assert entry.record.fingerprint["libraries"] == found["libraries"]


@each_claim
def test_the_claim_lives_beside_its_method(entry):
    assert entry.claim.module == entry.method.__module__


@each_claim
def test_its_margin_is_at_least_twice_the_standard_error_of_a_seed(entry):
    got = entry.record.gap(entry.claim.rows)
    assert got is None or entry.claim.margin >= 2 * got.noise, f"take more rows: the error is {got.noise:.3g}"


@pytest.mark.parametrize("entry", JUDGED, ids=rerun.title)
def test_its_floor_is_a_rival_that_can_do_the_task(entry):
    above = [floor - chance for floor, chance in zip(entry.record.floor, entry.record.chance, strict=True)]
    assert sum(one > 0 for one in above) >= 4, "a floor at chance is nobody's rival"
    assert len(set(entry.record.floor)) > 1, "a floor that does not vary with the data is a constant"


@each_claim
def test_its_method_says_what_it_was_checked_against_and_by_a_second_reader(entry):
    assert entry.claim.checked, "Notes: Checked against the authors' code, the paper's text or the abstract only"
    assert "Second reading:" in " ".join(entry.method.__doc__.split())
    assert entry.paper.theirs, f"{entry.path}: the paper's own number, or that none is known"


def test_the_verdict_is_the_recorded_one(again):
    assert run(again.claim).verdict == again.record.verdict
