"""Which long checks run: what has changed, a twentieth of the rest, and all of them in the end."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

import rerun

NAMES = [f"room/{number}" for number in range(60)]


def entry(number, *, stale="", took=1.0, hindrance=""):
    record = SimpleNamespace(took=took)
    claim = SimpleNamespace(hindrance=hindrance, stale=lambda record: stale)
    return SimpleNamespace(room="room", paper=SimpleNamespace(slug=str(number)), claim=claim, record=record)


def running(entries, how="stale", when="a commit"):
    excuses = rerun.excuses(entries, how, when)
    return {rerun.title(one) for one in entries} - set(excuses)


@given(when=st.text(), count=st.integers(0, 60))
def test_a_twentieth_has_its_turn_rounded_up(when, count):
    assert len(rerun.turn(NAMES[:count], when)) == -(-count // 20)


def test_everything_has_its_turn_in_the_end():
    assert set().union(*(rerun.turn(NAMES, str(commit)) for commit in range(400))) == set(NAMES)


@given(when=st.text(), seconds=st.lists(st.floats(0, 400), min_size=60, max_size=60))
def test_turns_take_five_minutes_at_most(when, seconds):
    took = dict(zip(NAMES, seconds, strict=True))
    chosen = rerun.turn(NAMES, when, took)
    assert sum(took[name] for name in chosen) <= 300
    assert chosen <= rerun.turn(NAMES, when)


def test_a_stale_claim_is_rerun_at_every_commit_and_a_fresh_one_in_its_turn():
    entries = [entry(number, stale="its code changed" if number < 3 else "") for number in range(43)]
    for commit in range(20):
        chosen = running(entries, when=str(commit))
        assert {"room/0", "room/1", "room/2"} <= chosen and len(chosen) == 5


def test_all_runs_all_and_none_runs_none():
    entries = [entry(number) for number in range(43)]
    assert len(running(entries, "all")) == 43
    assert running(entries, "none") == set()
    assert set(rerun.excuses(entries, "none", "").values()) == {"not asked for"}


def test_what_is_not_installed_is_the_first_excuse():
    entries = [entry(0, hindrance="needs wordnet-base", stale="its data changed"), entry(1, stale="its code changed")]
    for how in ("stale", "all", "none"):
        assert rerun.excuses(entries, how, "")["room/0"] == "not rerun here: needs wordnet-base"
    assert running(entries) == {"room/1"}


def test_a_claim_that_was_never_run_is_run():
    new = entry(0)
    new.record = None
    assert running([new]) == {"room/0"}
