"""Every method of the package, found by walking it; there is no list to keep."""

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from inspect import isclass
from pathlib import Path
from types import ModuleType
from typing import Any

from codomain.core.claims import Claim, NoClaim, Outcome, recorded
from codomain.core.errors import UserError
from codomain.core.paper import Paper

PACKAGE = Path(__file__).parents[1]
NOT_ROOMS = {"cli", "core", "data", "serve", "space", "tasks", "workbench"}


@dataclass(frozen=True)
class Entry:
    """One method.

    Parameters
    ----------
    room : str
        The package it is in.
    object : str
        Its name in Python.
    method : type or callable
        The thing itself.
    """

    room: str
    object: str
    method: Any

    @property
    def paper(self) -> Paper:
        """Where it comes from."""
        paper: Paper = self.method.paper
        return paper

    @property
    def claim(self) -> Claim | NoClaim | None:
        """Its own claim, not one of a parent."""
        return vars(self.method).get("claim")

    @property
    def record(self) -> Outcome | None:
        """What verdicts.toml says about it."""
        return recorded(self.method.__module__, self.paper.slug)

    @property
    def verdict(self) -> str:
        """A recorded verdict, or why there is none."""
        if isinstance(self.claim, NoClaim):
            return "no claim"
        return self.record.verdict if self.record else "not run"

    def to_dict(self) -> dict[str, Any]:
        """Return what `codomain methods --json` prints: medians over the seeds, null where there are none."""
        scores = {who: self.record.middle(who) if self.record else None for who in ("ours", "floor", "peer")}
        return {
            "slug": self.paper.slug, "room": self.room, "object": f"codomain.{self.room}.{self.object}",
            "verdict": self.verdict, **scores,
        }  # fmt: skip


def rooms() -> list[str]:
    """Return the rooms, sorted."""
    return sorted(
        part.name for part in pkgutil.iter_modules([str(PACKAGE)]) if part.ispkg and part.name not in NOT_ROOMS
    )


def files(room: str) -> Iterator[ModuleType]:
    """Import and yield the public files of a room, in order of their names."""
    for part in pkgutil.iter_modules([str(PACKAGE / room)]):
        if not part.name.startswith("_"):
            yield import_module(f"codomain.{room}.{part.name}")


def methods() -> list[Entry]:
    """Return every method, in order of room and slug: what is public, has a paper, and is written in a room's file."""
    found = [
        Entry(room, name, thing)
        for room in rooms()
        for module in files(room)
        for name, thing in vars(module).items()
        if not name.startswith("_") and (isclass(thing) or callable(thing))
        if getattr(thing, "__module__", None) == module.__name__ and isinstance(getattr(thing, "paper", None), Paper)
    ]
    return sorted(found, key=lambda entry: (entry.room, entry.paper.slug))


def named(name: str) -> list[Entry]:
    """Return the methods of a room, or the one of a slug.

    Parameters
    ----------
    name : str
        "align", "relative-representations", "align/relative-representations"; `_` does for `-`.

    Returns
    -------
    list of Entry
        At least one.

    Raises
    ------
    UserError
        When nothing has that name.
    """
    *room, last = name.strip("/").split("/")
    slug = last.replace("_", "-")
    entries = methods()
    found = [entry for entry in entries if entry.paper.slug == slug and room in ([], [entry.room])]
    found = found or [entry for entry in entries if entry.room == last and not room]
    if not found:
        known = ", ".join(sorted({entry.room for entry in entries} | {entry.paper.slug for entry in entries}))
        raise UserError(f"No method or room is called {name!r}.", needed=f"one of {known}", todo="codomain methods")
    return found


def _number(score: float | None) -> str:
    """Write a score for a table."""
    return "" if score is None else f"{score:.3f}"


def to_markdown() -> str:
    """Return docs/methods.md: the table of all methods and, for each, its claim with every score."""
    entries = methods()
    without = sum(isinstance(entry.claim, NoClaim) for entry in entries)
    counts = {word: sum(entry.verdict == word for entry in entries) for word in sorted({e.verdict for e in entries})}
    summary = ", ".join(f"{count} {word}" for word, count in counts.items())
    lines = [
        "# Methods and their claims",
        "",
        "Written by `codomain methods --markdown`; do not edit.",
        "",
        f"{len(entries)} methods: {summary}. {without} of them have no claim. A claim *holds* when all five seeds beat "
        "the paper's floor by the margin, is *weak* when the median gap is above 0, else it *fails*. The peer is the "
        "strongest simple thing that one would otherwise do; it has no part in the verdict. Scores are medians over "
        "five seeds.",
        "",
        "| method | room | verdict | ours | floor | peer |",
        "|---|---|---|---:|---:|---:|",
    ]
    for entry in entries:
        scores = [_number(entry.to_dict()[who]) for who in ("ours", "floor", "peer")]
        link = f"[{entry.object}](#{entry.paper.slug})"
        lines.append(f"| {link} | {entry.room} | {entry.verdict} | {' | '.join(scores)} |")
    for entry in entries:
        lines += ["", *_page(entry)]
    return "\n".join(lines) + "\n"


def _page(entry: Entry) -> list[str]:
    """Return the lines about one method."""
    paper, claim, record = entry.paper, entry.claim, entry.record
    where = f"[arXiv:{paper.arxiv}](https://arxiv.org/abs/{paper.arxiv})" if paper.arxiv else "not on arXiv"
    lines = [
        f'<a id="{paper.slug}"></a>',
        f"## {entry.object}",
        "",
        (entry.method.__doc__ or "").strip().splitlines()[0],
        "",
        f"`from codomain.{entry.room} import {entry.object}`",
        "",
        f"{paper.authors} ({paper.year}), *{paper.title}*, {where}.",
    ]
    if paper.theirs:
        lines += ["", f"The paper's own number, in its own setting: {paper.theirs}."]
    for check, why in getattr(entry.method, "excused", {}).items():
        lines += ["", f"Excused from scikit-learn's `{check}`: {why}."]
    if isinstance(claim, NoClaim):
        return [*lines, "", f"No claim: {claim.why}."]
    if not isinstance(claim, Claim):
        return lines
    lines += ["", f"**Claim: {entry.verdict}.** {claim.says}", ""]
    lines += [f"- floor: {claim.floor}", f"- peer: {claim.peer}", f"- score: {claim.unit}; margin {claim.margin:g}"]
    lines += [f"- again: `codomain claims run {entry.room}/{paper.slug}`"]
    if record:
        lines += ["", "| seed | ours | floor | peer |", "|---:|---:|---:|---:|"]
        rows = zip(record.seeds, record.ours, record.floor, record.peer, strict=True)
        lines += [f"| {seed} | {' | '.join(map(_number, scores))} |" for seed, *scores in rows]
        made = ", ".join(f"{library} {version}" for library, version in record.versions.items())
        lines += ["", f"Measured {record.date}: {made}."]
    return lines
