"""What is on record of each method: one file, `<room>/records/<slug>.toml`, read without importing the method."""

import json
import re
import tomllib
from collections.abc import Set
from dataclasses import MISSING, asdict, fields
from functools import cache
from glob import escape
from pathlib import Path
from typing import Any

from codomain.core.claims import SEEDS, Claim, NoClaim, Outcome
from codomain.core.errors import UserError

PACKAGE = Path(__file__).parents[1]
PAPER = ("title", "year", "authors", "arxiv", "theirs")  # what the record says of the paper, all texts but the year
# What a verdict was measured on may change without a new measurement: how it is run, and the time it may take.
_NOT_WORDS = {"run", "seconds"}
_REQUIRED = frozenset(one.name for one in fields(Outcome) if one.default is one.default_factory is MISSING)


def paths(package: Path = PACKAGE) -> list[Path]:
    """Return the files of all records, in order of room and slug."""
    return sorted(package.glob("*/records/*.toml"), key=lambda path: (room(path), path.stem))


def room(path: Path) -> str:
    """Return the room that a record's file is in."""
    return path.parents[1].name


def find(slug: str, package: Path = PACKAGE) -> Path:
    """Return the file of the one record of a slug.

    Raises
    ------
    UserError
        When there is none, or when two rooms have one.
    """
    found = sorted(package.glob(f"*/records/{escape(slug)}.toml"))
    if not found:
        raise UserError(
            f"The method {slug!r} has no record.",
            needed=f"the file {package}/ROOM/records/{slug}.toml",
            todo=f"codomain new ROOM {slug} --title ... --year ...",
        )
    if len(found) > 1:
        raise UserError(f"The slug {slug!r} has several records.", needed="one of " + ", ".join(map(str, found)))
    return found[0]


def read(path: Path) -> dict[str, Any]:
    """Return a record's keys, checked: nothing missing, nothing unknown.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        `object` and the paper's five keys; `no_claim`, or the tables `claim` and `verdict` once it was run.

    Raises
    ------
    UserError
        Naming the file, when it cannot be read as that.
    """
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, when: int) -> dict[str, Any]:
    """Read a file once for each time that it was written."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not TOML: {error}.", needed="a record as `codomain new` writes it") from None
    _check(path, "", table, {"object", *PAPER}, {"no_claim", "claim", "verdict"})
    for key in ("object", "no_claim", *PAPER):
        kind = int if key == "year" else str
        if not isinstance(table.get(key, kind()), kind):
            raise UserError(f"{path}: {key} = {table[key]!r}.", needed="a year" if kind is int else "a text")
    words = {one.name for one in fields(Claim)} - _NOT_WORDS
    _check(path, "claim.", table.get("claim", {}), set(), words)
    if "verdict" in table:
        _check(path, "verdict.", table["verdict"], _REQUIRED, {one.name for one in fields(Outcome)})
    if ("claim" in table) != ("verdict" in table) or ("claim" in table and "no_claim" in table):
        raise UserError(f"{path} has a part of a verdict.", needed="[claim] with [verdict], or no_claim, or neither")
    return table


def _check(path: Path, where: str, table: dict[str, Any], required: Set[str], more: Set[str]) -> None:
    """Refuse keys that are missing or unknown."""
    if not isinstance(table, dict):
        raise UserError(f"{path}: {where[:-1]} is {table!r}.", needed=f"a table [{where[:-1]}]")
    if missing := sorted(required - set(table)):
        raise UserError(f"{path} has no {', '.join(where + key for key in missing)}.", needed="every key of a record")
    if unknown := sorted(set(table) - required - more):
        raise UserError(
            f"{path} has the unknown {', '.join(where + key for key in unknown)}.",
            needed=f"only {', '.join(where + key for key in sorted(required | more))}",
        )


def outcome(path: Path) -> Outcome | None:
    """Return the verdict on record with its scores, None when the claim was never run."""
    table = read(path).get("verdict")
    return Outcome(**table) if table else None


def words(what: Claim) -> dict[str, Any]:
    """Return what a claim says of itself, as its record keeps it beside the verdict; defaults are left out."""
    names = [one.name for one in fields(what) if getattr(what, one.name) != one.default]
    said = {name: getattr(what, name) for name in names if name not in _NOT_WORDS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def record(slug: str, what: Claim | NoClaim, got: Outcome | None = None) -> Path:
    """Write into a method's record what its claim gave, or why it has none.

    Parameters
    ----------
    slug : str
        The method's paper.
    what : Claim or NoClaim
        What was run.
    got : Outcome, default=None
        From `claim_run.run`, with the five seeds unless it was too slow to finish them; None for a NoClaim.

    Returns
    -------
    Path
        The file.
    """
    path = find(slug)
    table = {key: read(path)[key] for key in ("object", *PAPER)}
    if isinstance(what, NoClaim):
        table |= {"no_claim": what.why}
    elif got is None or (got.verdict != "too slow" and got.seeds != list(SEEDS)):
        seeds = got.seeds if got else []
        raise UserError(f"A verdict over the seeds {seeds}.", needed=f"the seeds {list(SEEDS)} to record it")
    else:
        values = {key: value for key, value in asdict(got).items() if value or key not in ("error", "also")}
        table |= {"claim": words(what), "verdict": values}
    write(path, table)
    return path


def write(path: Path, table: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    from codomain.core.sealed import replace_atomically  # brings numpy, which reading does without

    path.parent.mkdir(parents=True, exist_ok=True)
    replace_atomically(path, to_toml(table).encode())


def to_toml(table: dict[str, Any], name: str = "") -> str:
    """Write strings, numbers, lists and tables of them as TOML: a table's own keys first, then its tables."""
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if not isinstance(value, dict)]
    text = "\n".join([f"[{name}]", *lines] if name else lines) + "\n"
    tables = [(f"{name}.{_key(key)}".lstrip("."), value) for key, value in table.items() if isinstance(value, dict)]
    # The tables inside tables are versions and hashes by name, whose order says nothing: sorted, they change least.
    parts = [to_toml(dict(sorted(value.items())) if name else value, where) for where, value in tables]
    return "\n".join([text, *parts]).lstrip("\n")


def _key(key: str) -> str:
    """Write a key, in quotes where TOML wants them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    """Write one value; a JSON string is a TOML string."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # A TOML string may not hold the delete character, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
