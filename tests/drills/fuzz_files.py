"""Damaged files of every form: each is read, or refused by a UserError, within 10 seconds and 2 GiB.

    python tests/drills/fuzz_files.py --each 300

Anything else, a traceback, a crash, a hang or more memory, is printed with the seed that makes it again:

    python tests/drills/fuzz_files.py --form csv --first 17 --each 1 --show
"""

import argparse
import os
import resource
import selectors
import shutil
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

SECONDS = 10  # a case that takes longer hangs
MEMORY = 2 * 2**30  # bytes beyond those of the imported libraries


def main() -> int:
    """Run the cases form by form, print a table, and return 1 when something forbidden happened."""
    from seeds import FORMS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=300, help="cases of each form")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--form", action="append", choices=list(FORMS), help="only this form; can be repeated")
    parser.add_argument("--show", action="store_true", help="print the traceback of every case")
    parser.add_argument("--work", metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        return _work(asked.form[0], asked.first, asked.each, Path(asked.work), asked.show)
    total: Counter[str] = Counter()
    for form in asked.form or FORMS:
        found = _watch(form, asked.first, asked.each, asked.show)
        total += found
        print(f"{form:24}" + ", ".join(f"{count:,} {name}" for name, count in sorted(found.items())), flush=True)
    print(f"{'all':24}" + ", ".join(f"{count:,} {name}" for name, count in sorted(total.items())))
    return int(bool(set(total) - {"read", "refused"}))


def _watch(form: str, first: int, each: int, show: bool) -> Counter[str]:
    """Run the cases of one form in a process of its own; start another one after a crash or a hang."""
    found: Counter[str] = Counter()
    at = first
    with tempfile.TemporaryDirectory() as folder:
        while at < first + each:
            command = [sys.executable, __file__, "--work", folder, "--form", form, "--first", str(at)]
            command += ["--each", str(first + each - at), *(["--show"] if show else [])]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=None if show else subprocess.DEVNULL) as run:
                ended = _outcomes(run, found)
                if ended is None:
                    run.kill()
                if ended is False:
                    raise SystemExit(f"The example of {form!r} cannot be made or read: try it with --show.")
                at += sum(found.values()) - (at - first)
                if at < first + each:
                    ending = "hang" if ended is None else f"crash ({run.wait()})"
                    found[ending] += 1
                    print(f"  {ending}: --form {form!r} --first {at}", flush=True)
                    at += 1
    return found


def _outcomes(run: subprocess.Popen[bytes], found: Counter[str]) -> bool | None:
    """Count what a worker prints; return None when it is silent for too long, False when it never began."""
    assert run.stdout is not None
    wait, pending, ready = selectors.DefaultSelector(), b"", False
    wait.register(run.stdout, selectors.EVENT_READ)
    patience = 120  # the libraries are imported first
    while wait.select(patience):
        piece = os.read(run.stdout.fileno(), 65536)
        if not piece:
            return ready
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            outcome, _, seed = line.decode().partition("\t")
            if outcome == "ready":
                patience, ready = SECONDS + 2, True
                continue
            found[outcome.partition(":")[0]] += 1
            if outcome not in ("read", "refused"):
                print(f"  {outcome}: {seed}", flush=True)
    return None


def _work(form: str, first: int, each: int, folder: Path, show: bool) -> int:
    from damage import damage
    from seeds import FORMS

    import codomain
    from codomain.core import UserError

    warnings.simplefilter("ignore")
    name, make = FORMS[form]
    whole = folder / "whole" / name
    if not whole.parent.exists():
        whole.parent.mkdir()
        make(whole)
    _take(form, whole, folder, codomain)  # imports what reading imports, and shows that the seed is valid
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    print("ready", flush=True)
    for seed in range(first, first + each):
        target = folder / "case" / name
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir()
        shutil.copytree(whole, target, symlinks=True) if whole.is_dir() else shutil.copyfile(whole, target)
        damage(target, seed)
        try:
            _take(form, target, folder, codomain)
            outcome = "read"
        except UserError as error:
            outcome = "memory" if isinstance(error.__cause__, MemoryError) else "refused"
            if show:
                traceback.print_exc()
        except BaseException as error:
            outcome = f"traceback: {type(error).__name__}: {' '.join(str(error).split())[:100]}"
            if show:
                traceback.print_exc()
        print(f"{outcome}\t--form {form!r} --first {seed}", flush=True)
    return 0


def _take(form: str, target: Path, folder: Path, codomain: Any) -> None:
    from seeds import ENCODERS, LABELS

    if form in ENCODERS:
        from codomain.encode import resolve

        resolve(f"{form.partition(' ')[0]}:{target}").encode(["a cat sat on the mat", "text number"])
    elif form in LABELS:
        from codomain.workbench.label.file import from_file

        from_file(_space(folder, codomain), target)
    else:
        source = codomain.read(target)
        assert len(source) > 0 and (source.vectors is not None or source.roles.text)


def _space(folder: Path, codomain: Any) -> Any:
    from seeds import PLAIN, X

    if not (folder / "space").exists():
        codomain.write(folder / "space", PLAIN, X, roles=codomain.space.Roles(text="text", id="id"))
    return codomain.open(folder / "space")


if __name__ == "__main__":
    sys.exit(main())
