"""Rerun the reliability figures: kills, damages, fuzzed inputs and Arrow types; print one table.

    python tests/drills --kills 200 --damages 600 --fuzz 10000 --write docs/evidence/drills.md

With 0 a drill is left out. What goes wrong is printed with the words that make it again, and the exit code is 1.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # forks share no threads

from damages import damages
from fuzz_files import ALLOWED, fuzz
from kills import COMMANDS, kills
from seeds import FORMS
from type_trips import trips

Row = tuple[str, str, str]
BEGIN, END = "<!-- the table that `make drills` writes -->", "<!-- its end -->"


def main() -> int:
    """Run what is asked for and return 1 when anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="kills, spread over the commands")
    parser.add_argument("--command", action="append", choices=list(COMMANDS), help="kill only this one; repeatable")
    parser.add_argument("--no-ids", action="store_true", help="kill with tables that have no id column")
    parser.add_argument("--damages", type=int, default=600, help="damages to the files of a studied space")
    parser.add_argument("--fuzz", type=int, default=10000, help="damaged inputs, spread over the forms")
    parser.add_argument("--form", action="append", choices=list(FORMS), help="fuzz only this form; repeatable")
    parser.add_argument("--types", type=int, choices=(0, 1), default=1, help="0: no round trips of Arrow types")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of this file")
    asked = parser.parse_args()
    began, rows, wrong = time.monotonic(), list[Row](), list[str]()
    with tempfile.TemporaryDirectory() as name:
        for drill in (_kills, _damages, _types, _fuzz):
            found, problems = drill(asked, Path(name).resolve() / drill.__name__[1:])
            rows += found
            wrong += problems
    table = _table(rows, asked, time.monotonic() - began)
    print("\n" + table)
    print(*wrong, sep="\n")
    if asked.write:
        _write(asked.write, table)
    return int(bool(wrong))


def _kills(asked: argparse.Namespace, folder: Path) -> tuple[list[Row], list[str]]:
    names = asked.command or list(COMMANDS)
    each = -(-asked.kills // len(names))
    found = kills(each, asked.seed, folder, names, ids=not asked.no_ids) if each else {}
    rows = [
        (f"`{name}` killed (of {one.changes} changes of files)", f"{one.tried}",
         f"{one.whole} opened as before or after, {one.same} ended identically")
        for name, one in found.items()
    ]  # fmt: skip
    return rows, [problem for one in found.values() for problem in one.wrong]


def _damages(asked: argparse.Namespace, folder: Path) -> tuple[list[Row], list[str]]:
    if not asked.damages:
        return [], []
    found = damages(asked.damages, asked.seed, folder)
    again = ", ".join(f"{count} {name}" for name, count in sorted(found.again.items()))
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(found.outcomes.items()))
    rows = [(f"damages to the {found.files} files of a studied space", f"{asked.damages}", outcomes)]
    rows += [("a damaged part, the space studied again", f"{found.again.total()}", again)]
    return rows, found.wrong


def _types(asked: argparse.Namespace, folder: Path) -> tuple[list[Row], list[str]]:
    counts, wrong = trips(folder) if asked.types else ({}, [])
    outcomes = ", ".join(f"{count} {name}" for name, count in counts.items())
    return [("Arrow types into a space and back", f"{sum(counts.values()) + len(wrong)}", outcomes)] * bool(
        counts
    ), wrong


def _fuzz(asked: argparse.Namespace, folder: Path) -> tuple[list[Row], list[str]]:
    forms = asked.form or list(FORMS)
    each = -(-asked.fuzz // len(forms))
    if not each:
        return [], []
    found = fuzz(forms, asked.seed, each)
    outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(found.items()))
    wrong = [f"fuzz: {count} {name}" for name, count in found.items() if name not in ALLOWED]
    return [(f"damaged inputs of {len(forms)} forms", f"{found.total():,}", outcomes)], wrong


def _table(rows: list[Row], asked: argparse.Namespace, seconds: float) -> str:
    lines = ["| drill | cases | what came of them |", "|---|---:|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    when = time.strftime("%d %B %Y").lstrip("0")
    return "\n".join(
        [*lines, "", f"{when}, Python {platform.python_version()}, seed {asked.seed}, {seconds / 60:.0f} minutes."]
    )


def _write(path: Path, table: str) -> None:
    before, _, rest = path.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    aside = path.with_suffix(".new")
    aside.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")
    aside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
