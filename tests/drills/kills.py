"""Six commands are killed at random moments: the space opens as it was or as it will be, and typed again they end well.

What is compared after the second run is everything that a run without a kill leaves.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from killed import Ended, litter, run, state

ROWS, MORE, WIDTH = 120, 20, 8
STUDY = ("study", "docs.parquet", "--text", "text", "--vector", "embedding", "--space", "docs.space")
COMMANDS: dict[str, tuple[str, ...]] = {
    "study": STUDY,
    "add": ("add", "docs.space", "more.parquet"),
    "shrink": ("shrink", "docs.space", "--recall", "0.8"),
    "label": ("label", "docs.space", "--from", "labels.csv", "--column", "name"),
    "export": ("export", "docs.space", "out.csv"),
    "migrate": ("migrate", "docs.space", "--to", "static:wordllama", "--pairs", "60", "--keep", "0", "--no-study"),
}


@dataclass
class Found:
    """What was tried and what went wrong, with the words to try it again."""

    tried: int = 0
    whole: int = 0  # opened as before or as after
    same: int = 0  # identical after the second run
    changes: int = 0  # changes of files in a run without a kill
    wrong: list[str] = field(default_factory=list)


def bases(folder: Path, *, ids: bool = True) -> dict[str, Path]:
    """Make the folders that the commands begin in: one with files only, and one with a studied space."""
    from codomain.data import stdlib_docstrings

    files = folder / "files"
    files.mkdir(parents=True)
    table = stdlib_docstrings().select(["id", "text"])
    table = table.take(list(range(0, table.num_rows, table.num_rows // (ROWS + MORE)))[: ROWS + MORE])
    draw = np.random.default_rng(0)
    # Three groups, of which a column knows one: that is what labels are learned from.
    group = np.arange(ROWS + MORE) % 3
    X = draw.normal(size=(ROWS + MORE, WIDTH)).astype(np.float32) + 4 * np.eye(WIDTH, dtype=np.float32)[group]
    labels = table.slice(0, ROWS).select(["id"]).append_column("name", pa.array([f"kind {g}" for g in group[:ROWS]]))
    table = table.append_column("embedding", pa.array(list(X), pa.list_(pa.float32(), WIDTH)))
    table = table if ids else table.drop_columns(["id"])
    pq.write_table(table.slice(0, ROWS), files / "docs.parquet")
    pq.write_table(table.slice(ROWS), files / "more.parquet")
    (files / "labels.csv").write_text("id,name\n" + "".join(f"{r['id']},{r['name']}\n" for r in labels.to_pylist()))
    (files / "out.csv").write_text("an older table\n1\n")
    studied = Path(shutil.copytree(files, folder / "studied"))
    ended = run(studied, STUDY)
    if ended.code:
        raise SystemExit(f"The space of the drill cannot be made: {ended.words}")
    return {"study": files} | dict.fromkeys(list(COMMANDS)[1:], studied)


def kills(
    count: int, seed: int, folder: Path, names: list[str], *, ids: bool = True, say: Callable[[str], None] = print
) -> dict[str, Found]:
    """Kill each command `count` times; half before a change of a file, half by the clock."""
    starts, found = bases(folder, ids=ids), {}
    for name in names:
        found[name] = _command(name, count, seed, starts[name], folder, say)
        made = found[name]
        say(f"kills: {name}: {made.tried} killed, {made.whole} opened whole, {made.same} ended identically")
    return found


def _command(name: str, count: int, seed: int, start: Path, folder: Path, say: Callable[[str], None]) -> Found:
    words, found = COMMANDS[name], Found()
    whole = Path(shutil.copytree(start, folder / f"{name}-whole"))
    old, ended = state(start), run(whole, words)
    new, found.changes = state(whole), ended.changes
    if ended.code or old == new:
        found.wrong.append(f"{name}: not killed, it ended with {ended.code}: {ended.words}")
        return found
    other = Path(shutil.copytree(start, folder / f"{name}-other"))
    ended = run(other, words)  # a second run without a kill: now everything is imported, and the time is the command's
    if differ := different(state(other), new):
        found.wrong.append(f"{name}: two runs that were not killed differ in {differ}")
        return found
    for number in range(count):
        case = folder / f"{name}-{number}"
        for problem in _killed(name, number, seed, start, case, ended, old, new, found):
            found.wrong.append(f"{name}, seed {seed}, case {number}: {problem}")
            say(f"  {found.wrong[-1]}")
        shutil.rmtree(case)
    return found


def _killed(
    name: str, number: int, seed: int, start: Path, case: Path, usual: Ended,
    old: dict[str, Any], new: dict[str, Any], found: Found,
) -> Iterator[str]:  # fmt: skip
    draw, words = random.Random(f"{seed} {name} {number}"), COMMANDS[name]
    for attempt in range(9):
        shutil.rmtree(case, ignore_errors=True)
        shutil.copytree(start, case)
        if number % 2 or not usual.changes:  # Arrow writes a small table without a word to Python
            moment: dict[str, Any] = {"seconds": draw.uniform(0, usual.seconds * 0.8**attempt)}
        else:
            moment = {"event": draw.randint(1, usual.changes)}
        killed = run(case, words, **moment)
        if killed.code == -9:
            break
    else:
        yield f"it was never killed: it ended with {killed.code}: {killed.words}"
        return
    found.tried += 1
    where = f"killed at {moment}"
    try:
        left = state(case)
    except Exception as error:
        yield f"{where}: it does not open: {error}"
    else:
        wrong = [key for key, value in left.items() if value not in (old.get(key), new.get(key))]
        wrong += [] if left.get("rows", (0,))[0] == left.get("vectors", (0,))[0] else ["rows of another generation"]
        wrong += [key for key in old if key.startswith(("rows", "vectors", "file")) and key not in left]
        found.whole += not wrong
        if wrong:
            yield f"{where}: neither as before nor as after: {', '.join(wrong)}"
    again = run(case, words)
    if again.code:
        yield f"{where}: typed again, it ended with {again.code}: {again.words}"
        return
    differ = different(state(case), new) + [f"left over: {file}" for file in litter(case)]
    found.same += not differ
    if differ:
        yield f"{where}: typed again, other than without a kill: {', '.join(differ)}"


def different(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Name what two states do not share."""
    return [key for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]
