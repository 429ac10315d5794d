"""Every method of the package, found by the records in its rooms; a method is imported when it is asked for."""

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from codomain.core import records
from codomain.core.claims import Claim, NoClaim, Outcome
from codomain.core.errors import UserError
from codomain.core.paper import Paper
from codomain.core.verdicts import Gap

PACKAGE = records.PACKAGE
NOT_ROOMS = {"cli", "core", "data", "serve", "space", "tasks", "workbench"}
# What each verdict means, for somebody who sees it for the first time.
LEGEND = {
    "holds": "better than the paper's own rival (floor) by more than a margin set before, with 95 % confidence",
    "weak": "better than that rival with 95 % confidence, but not surely by the margin",
    "no difference": "neither better nor worse than that rival, as far as these data can tell",
    "fails": "worse than that rival with 95 % confidence",
    "no premise": "these data cannot show the effect, so nothing is said about the paper",
    "too slow": "not finished in three times its budget",
    "no claim": "its promise cannot be measured here; its page says why",
    "not run": "its promise has not been measured yet",
}


@dataclass(frozen=True)
class Entry:
    """One method, as its record tells it.

    Parameters
    ----------
    path : Path
        The record's file, in the room of the method.
    """

    path: Path

    @property
    def room(self) -> str:
        """The package it is in."""
        return records.room(self.path)

    @property
    def slug(self) -> str:
        """Short name of its paper."""
        return self.path.stem

    @property
    def object(self) -> str:
        """Its name in Python."""
        name: str = records.read(self.path)["object"]
        return name

    @property
    def paper(self) -> Paper:
        """Where it comes from."""
        return Paper.get(self.slug)

    @property
    def words(self) -> dict[str, Any]:
        """What its claim said of itself when it was run; empty when it was not."""
        return dict(records.read(self.path).get("claim", {}))

    @property
    def no_claim(self) -> str:
        """Why it has no claim, empty when it has one."""
        return str(records.read(self.path).get("no_claim", ""))

    @property
    def record(self) -> Outcome | None:
        """The verdict on record, with its scores."""
        return records.outcome(self.path)

    @property
    def gap(self) -> Gap | None:
        """Ours minus floor with its interval; None without finished seeds."""
        return self.record.gap(self.words.get("rows", "same")) if self.record else None

    @property
    def verdict(self) -> str:
        """The verdict's word, or why there is none."""
        return "no claim" if self.no_claim else self.record.verdict if self.record else "not run"

    @property
    def module(self) -> str:
        """The module that holds it."""
        return f"codomain.{self.room}.{self.slug.replace('-', '_')}"

    @property
    def method(self) -> Any:
        """The thing itself; this imports its file."""
        return getattr(import_module(self.module), self.object)

    @property
    def claim(self) -> Claim | NoClaim | None:
        """Its own claim, not one of a parent; this imports its file."""
        return vars(self.method).get("claim")

    def to_dict(self) -> dict[str, Any]:
        """Return what `codomain methods --json` prints: medians over the seeds and the gap of ours to the floor."""
        scores = {who: self.record.middle(who) if self.record else None for who in ("ours", "floor", "peer")}
        gap = {"mean": self.gap.mean, "low": self.gap.low, "high": self.gap.high} if self.gap else None
        return {
            "slug": self.slug, "room": self.room, "object": f"codomain.{self.room}.{self.object}",
            "verdict": self.verdict, **scores, "gap": gap, "checked": self.words.get("checked"),
        }  # fmt: skip


def rooms(package: Path = PACKAGE) -> list[str]:
    """Return the rooms, sorted: what is a package and not another part."""
    return sorted(
        part.name for part in pkgutil.iter_modules([str(package)]) if part.ispkg and part.name not in NOT_ROOMS
    )


def methods() -> list[Entry]:
    """Return every method, in order of room and slug; none is imported."""
    return [Entry(path) for path in records.paths()]


def named(name: str) -> list[Entry]:
    """Return the methods of a room, or the one of a slug.

    Parameters
    ----------
    name : str
        "align", "relative-representations", "align/relative-representations"; `_` does for `-`.

    Returns
    -------
    list of Entry
        At least one; none is imported.

    Raises
    ------
    UserError
        When nothing has that name.
    """
    *room, last = name.strip("/").split("/")
    slug = last.replace("_", "-")
    entries = methods()
    found = [entry for entry in entries if entry.slug == slug and room in ([], [entry.room])]
    found = found or [entry for entry in entries if entry.room == last and not room]
    if not found:
        known = ", ".join(sorted({entry.room for entry in entries} | {entry.slug for entry in entries}))
        raise UserError(f"No method or room is called {name!r}.", needed=f"one of {known}", todo="codomain methods")
    return found
