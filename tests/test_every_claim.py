"""The verdict of every claim is the recorded one, in either direction."""

import math
import sys
import tomllib

import pytest

from codomain.core.catalogue import PACKAGE, methods
from codomain.core.claims import SEEDS, VERDICTS, Claim, Trial, run, verdict

CLAIMED = [entry for entry in methods() if isinstance(entry.claim, Claim)]
each_claim = pytest.mark.parametrize("entry", CLAIMED, ids=lambda entry: f"{entry.room}/{entry.paper.slug}")


@each_claim
def test_the_record_follows_from_its_own_numbers(entry):
    record = entry.record
    assert record is not None, f"codomain claims run {entry.room}/{entry.paper.slug} --record"
    assert record.verdict in VERDICTS
    if record.verdict != "too slow":
        assert record.seeds == list(SEEDS)
        trials = [Trial(*scores) for scores in zip(record.ours, record.floor, record.peer, strict=True)]
        assert record.verdict == verdict(trials, entry.claim.margin)
        assert record.took <= 3 * entry.claim.seconds
    assert all(map(math.isfinite, [*record.ours, *record.floor, *record.peer]))
    assert {"python", "numpy"} <= set(record.versions)


@each_claim
def test_the_claim_lives_beside_its_method(entry):
    assert entry.claim.module == entry.method.__module__


def test_no_verdict_is_left_over_from_a_method_that_is_gone():
    slugs = {(entry.room, entry.paper.slug) for entry in CLAIMED}
    for path in PACKAGE.glob("*/verdicts.toml"):
        for slug in tomllib.loads(path.read_text(encoding="utf-8")):
            assert (path.parent.name, slug) in slugs


@pytest.mark.slow
@each_claim
def test_the_verdict_is_the_recorded_one(entry):
    recorded = entry.record.versions["python"].rpartition(".")[0]
    if recorded != f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip(f"recorded with Python {recorded}; the docstrings that claims use are other texts here")
    assert run(entry.claim).verdict == entry.record.verdict
