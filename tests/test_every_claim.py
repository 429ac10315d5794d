"""The verdict of every claim is the recorded one, in either direction."""

import sys

import pytest

from codomain.core.catalogue import methods
from codomain.core.claims import Claim, run

CLAIMED = [entry for entry in methods() if isinstance(entry.claim, Claim)]
each_claim = pytest.mark.parametrize("entry", CLAIMED, ids=lambda entry: f"{entry.room}/{entry.paper.slug}")


@each_claim
def test_the_claim_lives_beside_its_method(entry):
    assert entry.claim.module == entry.method.__module__


@pytest.mark.slow
@each_claim
def test_the_verdict_is_the_recorded_one(entry):
    recorded = entry.record.versions["python"].rpartition(".")[0]
    if recorded != f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip(f"recorded with Python {recorded}; the docstrings that claims use are other texts here")
    assert run(entry.claim).verdict == entry.record.verdict
