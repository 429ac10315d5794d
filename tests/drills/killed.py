"""One command in a process of its own, killed before its n-th change of a file or after some seconds."""

import hashlib
import importlib
import json
import os
import re
import signal
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import codomain
from codomain.core import UserError

_CHANGES = {"open", "os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree"}
_LONGEST = 3600  # seconds; a busy machine counts as no failure


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (-9 when killed), how often it changed a file, seconds, and its last words."""

    code: int
    changes: int
    seconds: float
    words: str


def run(folder: Path, words: tuple[str, ...], *, event: int = 0, seconds: float = _LONGEST) -> Ended:
    """Type `codomain ...` in a folder; SIGKILL before its change number `event`, or after so many seconds.

    The process is a fork of this one, so that a command costs its work and not the imports.
    """
    notes = folder.with_suffix(".log")
    began = time.monotonic()
    if not (child := os.fork()):
        _type(folder, words, event, notes)
    status = None
    while status is None:
        found, status = os.waitpid(child, os.WNOHANG)
        if not found:
            status = None
            if time.monotonic() - began > seconds:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.001)
    seconds = time.monotonic() - began
    said, whole, noted = notes.read_text(errors="replace").rpartition("\nchanges: ")
    count, *imported = noted.split() if whole else ["0"]
    _import(imported)
    return Ended(os.waitstatus_to_exitcode(status), int(count), seconds, (said or noted)[-400:])


def _type(folder: Path, words: tuple[str, ...], event: int, notes: Path) -> None:
    """Run the command line in this process and end the process."""
    changes = [0]

    def hook(name: str, args: Any) -> None:
        if name not in _CHANGES or (name == "open" and not (isinstance(args[2], int) and args[2] & (1 | 2))):
            return
        if isinstance(args[0], str | Path) and os.path.abspath(args[0]).startswith(f"{folder}/"):
            changes[0] += 1
            if changes[0] == event:
                os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        os.chdir(folder)
        screen = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(screen, 1)
        os.dup2(screen, 2)
        os.environ["NO_COLOR"] = "1"
        sys.argv = ["codomain", *words]
        from codomain.cli import main

        sys.addaudithook(hook)
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
    except BaseException as error:  # the fork must end here, whatever happens
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        ours = " ".join(name for name in sys.modules if name.startswith(("codomain", "sklearn", "scipy", "faiss")))
        print(f"\nchanges: {changes[0]} {ours}", flush=True)
        os._exit(code)


def _import(names: list[str]) -> None:
    """Import what a command imported, so that the next fork has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            if name not in sys.modules:
                importlib.import_module(name)


def state(folder: Path) -> dict[str, Any]:
    """Return what a reader meets in a folder: rows, vectors, every part, and the files beside the space.

    Only what a time of day is written into is left out: the date of a generation, and its place in the line of them.
    A space that was never finished is told by the sentence of its refusal.
    """
    found: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".space":
            found |= _space(path)
        elif path.is_file() and not path.name.startswith("."):
            found[f"file {path.name}"] = _digest(_undated(path.read_bytes()))
    return found


def _space(path: Path) -> dict[str, Any]:
    try:
        space = codomain.open(path)
    except UserError as error:
        if "interrupted" in str(error):
            return {}
        raise
    found: dict[str, Any] = {
        "rows": (space.fingerprint, _digest(repr(space.rows().to_pylist()).encode()), str(space.rows().schema)),
        "vectors": (space.fingerprint, _digest(space.vectors[:].tobytes())),
        "encoder and roles": (str(space.encoder), str(space.roles)),
    }
    for name, part in space.parts.items():
        for file in part.files:
            found[f"part {name}/{file}"] = _digest(_undated(part.path(file).read_bytes()))
        found[f"part {name}"] = part.made_from
    return found


def _undated(data: bytes) -> bytes:
    """Leave out times, the only thing that two runs of one command may write differently."""
    if data[:1] in (b"{", b"["):
        try:
            record = json.loads(data)
        except ValueError:
            return data
        if isinstance(record, dict):
            data = json.dumps({key: value for key, value in record.items() if key not in ("when", "asked")}).encode()
    return re.sub(rb"20\d\d-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\+00:00|Z)?)?", b"", data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def litter(folder: Path) -> list[str]:
    """Return the unfinished files that a command left."""
    return [
        str(path.relative_to(folder)) for path in folder.rglob("*")
        if path.name.startswith(".new-") or path.name.endswith((".new", ".new.lock", ".tmp")) or path.name == "work"
    ]  # fmt: skip
