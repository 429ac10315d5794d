"""Every file of a studied space is damaged: it is refused by name, made again, or was not needed; never read wrong."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from killed import run, state
from kills import COMMANDS, bases

import codomain
from codomain.core import DamagedError

WAYS = ("one bit flipped", "cut short", "another file's bytes", "deleted")


@dataclass
class Found:
    """What became of the damages: how many of each outcome, and what was read wrong."""

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def damages(count: int, seed: int, folder: Path, say: Callable[[str], None] = print) -> Found:
    """Damage the files of a space `count` times, each file about equally often."""
    start = bases(folder)["label"]
    for name in ("add", "label"):
        if (ended := run(start, COMMANDS[name])).code:
            raise SystemExit(f"The space of the drill cannot be made: {name}: {ended.words}")
    whole, before = state(start), _answers(start)
    space = start / "docs.space"
    files = sorted(path for path in space.rglob("*") if path.is_file() and path.stat().st_size)
    found = Found(files=len(files))
    mended: set[Path] = set()
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        path, way = files[number % len(files)], WAYS[number // len(files) % len(WAYS)]
        data = path.read_bytes()
        where = f"seed {seed}, case {number}: {path.relative_to(space)}, {way}"
        try:
            _damage(path, way, draw, files)
            problem = _outcome(start, path, before, found)
            if not problem and path.parent.parent.name == "parts" and path.parent not in mended:
                mended.add(path.parent)  # each part once, for a study takes a second
                problem = _made_again(start, path, folder / "again", whole, found)
        finally:
            path.write_bytes(data)
        if problem:
            found.wrong.append(f"{where}: {problem}")
            say(f"  {found.wrong[-1]}")
        if number % 50 == 49:
            say(f"damages: {number + 1} of {count}: {dict(found.outcomes)}")
    if state(start) != whole:
        found.wrong.append("the space is not what it was after all damages were taken back")
    return found


def _damage(path: Path, way: str, draw: random.Random, files: list[Path]) -> None:
    data = bytearray(path.read_bytes())
    if way == WAYS[0]:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    elif way == WAYS[1]:
        del data[draw.randrange(len(data)) :]
    elif way == WAYS[2]:
        others = [other.read_bytes() for other in files if other != path and other.suffix == path.suffix]
        others = [other for other in others if other != data] or [b"other"]
        data = bytearray(draw.choice(others))
    path.write_bytes(data)
    if way == WAYS[3]:
        path.unlink()


def _answers(folder: Path) -> dict[str, Any]:
    """Return what a search, a row and an export give."""
    from codomain.workbench import export_space, search_space

    path, out = folder / "docs.space", folder / "answers.csv"
    space = codomain.open(path)
    id = space.rows([space.roles.id])[space.roles.id][7].as_py()
    found = {
        "search": search_space(path, like=[id], k=10).to_records(),
        "words": search_space(path, "file", k=10, mode="words").to_records(),
        "export": export_space(space, out).read_bytes(),
    }
    out.unlink()
    return found


def _outcome(folder: Path, path: Path, before: dict[str, Any], found: Found) -> str:
    try:
        after = _answers(folder)
    except DamagedError as error:
        if path.name not in str(error):
            return f"refused without its name: {error}"
        found.outcomes["refused by name"] += 1
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if wrong := [name for name in before if after[name] != before[name]]:
        return f"read wrong: {', '.join(wrong)}"
    found.outcomes["not needed, read right"] += 1
    return ""


def _made_again(start: Path, damaged: Path, case: Path, whole: dict[str, Any], found: Found) -> str:
    """Study a copy of a space whose derived part is damaged: it is made again as it was, or refused by name."""
    try:
        opened = codomain.open(start / "docs.space")
    except DamagedError:
        opened = None
    if opened is not None:  # a part of an older generation
        return ""
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(start, case)
    ended = run(case, ("study", "docs.space"))
    if ended.code == 2:
        found.again["refused by name"] += 1
        return ""
    if ended.code:
        return f"study ended with {ended.code}: {ended.words}"
    try:
        after = state(case)
    except DamagedError as error:
        found.again["still refused by name"] += 1
        return "" if damaged.name in str(error) else f"studied again, refused without its name: {error}"
    lost = sorted({key.split("/")[0] for key in whole if key not in after})
    wrong = [key for key in after if key.startswith("part") and after[key] != whole.get(key)]
    found.again["made again, equal" if not lost else f"left out and said: {', '.join(lost)}"] += not wrong
    return f"made again otherwise: {', '.join(wrong)}" if wrong else ""
