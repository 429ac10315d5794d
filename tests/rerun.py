"""Which of the long checks run: those that a change can reach, and a rotating twentieth of the others.

`--rerun=stale` (the default) goes by the fingerprints beside the verdicts, `--rerun=all` runs everything, and
`--rerun=none` none of them.
"""

import subprocess
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from itertools import accumulate
from math import ceil
from pathlib import Path

from codomain.core.claims import Claim

FRESH = "up to date, and not its turn"
SECONDS = 300  # of claims whose turn it is, by their recorded time


def pytest_addoption(parser):
    parser.addoption(
        "--rerun", choices=("stale", "all", "none"), default="stale",
        help="claims and scikit-learn's checks: where something has changed, all, or none (default: %(default)s)",
    )  # fmt: skip


def pytest_configure(config):
    config.addinivalue_line("markers", "long(seconds): about how long a test takes where that is over ten seconds")


def pytest_collection_modifyitems(items):
    """Long tests first: two workers then end together, and what is short fills the gaps."""
    items.sort(key=_seconds, reverse=True)


def _seconds(item):
    mark = item.get_closest_marker("long")
    return mark.args[0] if mark else 60 if item.get_closest_marker("slow") else 0


@cache
def moment():
    """What turns the wheel: the commit; without git, the day."""
    root = Path(__file__).parents[1]
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return datetime.now(UTC).date().isoformat()
    return found.stdout.strip() or datetime.now(UTC).date().isoformat()


def turn(names, when, seconds=None):
    """A twentieth of the names, another one at every moment; with their seconds, only as many as there is time for."""
    drawn = sorted(names, key=lambda name: sha256(f"{when} {name}".encode()).digest())[: ceil(len(names) / 20)]
    if seconds is None:
        return set(drawn)
    spent = accumulate(seconds[name] for name in drawn)
    return {name for name, so_far in zip(drawn, spent, strict=True) if so_far <= SECONDS}


def title(entry):
    return f"{entry.room}/{entry.paper.slug}"


def stale(entry):
    """What the recorded verdict of a method depends on and has changed, "" when nothing has."""
    return entry.claim.stale(entry.record) if entry.record else "it was never run"


def excuses(entries, how, when):
    """Return why claims are not rerun, by title; those that are have no excuse."""
    here = {title(entry): entry for entry in entries if not entry.claim.hindrance}
    said = {title(entry): f"not rerun here: {entry.claim.hindrance}" for entry in entries if entry.claim.hindrance}
    if how == "none":
        return said | dict.fromkeys(here, "not asked for")
    if how == "all":
        return said
    fresh = {name: entry.record.took for name, entry in here.items() if entry.record and not stale(entry)}
    return said | dict.fromkeys(set(fresh) - turn(fresh, when, fresh), FRESH)


def checked(entries, how, when):
    """Return the entries whose methods scikit-learn's checks are run on.

    Where all that a recorded claim depends on is what it was, the checks that passed then say nothing new: they are run
    only when it is the method's turn. A method without a claim has no fingerprint, so it is checked every time.
    """
    if how == "none":
        return []
    claimed = [entry for entry in entries if how == "stale" and isinstance(entry.claim, Claim)]
    fresh = {title(entry) for entry in claimed if not stale(entry)}
    skipped = fresh - turn([title(entry) for entry in entries], when)
    return [entry for entry in entries if title(entry) not in skipped]
