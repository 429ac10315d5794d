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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = 10  # a case that takes longer hangs
MEMORY = 2 * 2**30  # bytes beyond those of the imported libraries
ALLOWED = {"read", "refused"}


def main() -> int:
    """Run the cases form by form, print a table, and return 1 when something forbidden happened."""
    from seeds import FORMS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=300, help="cases of each form")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--form", action="append", choices=list(FORMS), help="only this form; can be repeated")
    parser.add_argument("--show", action="store_true", help="print the traceback of every case")
    parser.add_argument("--work", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--skip", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    cases = [(form, seed) for form in asked.form or FORMS for seed in range(asked.first, asked.first + asked.each)]
    if asked.work:
        _work(cases[asked.skip :], Path(asked.work), asked.show)
        return 0
    total = fuzz(asked.form or list(FORMS), asked.first, asked.each, show=asked.show)
    print(f"{'all':24}{_counts(total)}")
    return int(bool(set(total) - ALLOWED))


def fuzz(forms: list[str], first: int, each: int, *, show: bool = False) -> Counter[str]:
    """Run `each` cases of every form in a process of its own; after a crash or a hang another one goes on."""
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--work", folder, "--first", str(first), "--each", str(each)]
        command += [word for form in forms for word in ("--form", form)] + (["--show"] if show else [])
        at, count = 0, len(forms) * each
        while at < count:
            form = forms[at // each]
            again = [*command, "--skip", str(at)]
            with subprocess.Popen(again, stdout=subprocess.PIPE, stderr=None if show else subprocess.DEVNULL) as run:
                for outcome in _outcomes(run, form):
                    found[outcome] += 1
                    at += 1
                    if at % each == 0:
                        print(f"{forms[at // each - 1]:24}{_counts(found)}", flush=True)
                        total, found = total + found, Counter()
                    if at == count:
                        break  # nobody waits for the end of the process
                run.kill()
    return total


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(found.items()))


def _outcomes(run: subprocess.Popen[bytes], form: str) -> Iterator[str]:
    """Yield the outcome of each case that a worker prints; the last one may be its crash or its silence."""
    assert run.stdout is not None
    wait, pending, case = selectors.DefaultSelector(), b"", ""
    wait.register(run.stdout, selectors.EVENT_READ)
    while _speaks(wait, run.pid, SECONDS + 2 if case else 120):  # a form begins with the import of its libraries
        piece = os.read(run.stdout.fileno(), 65536)
        if not piece:
            ending = f"crash ({run.wait()})" if run.wait() else ""
            break
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            outcome, _, words = line.decode().partition("\t")
            if outcome == "form":
                form, case = words, ""
            elif outcome == "case":
                case = words
            else:
                yield outcome.partition(":")[0]
                if outcome not in ALLOWED:
                    print(f"  {outcome}: {words}", flush=True)
    else:
        ending = "hang"
    if ending and not case:
        raise SystemExit(f"The example of {form!r} cannot be made or read: try it with --show.")
    if ending:
        print(f"  {ending}: {case}", flush=True)
        yield ending


def _speaks(wait: selectors.BaseSelector, process: int, seconds: int) -> bool:
    """Wait for a line; a process that others keep from the processor is waited for until it has had its seconds."""
    began = _used(process)[1]
    for _ in range(30):
        if wait.select(seconds):
            return True
        state, used = _used(process)
        if state not in "RD" or used - began > seconds:
            return False
    return False


def _used(process: int) -> tuple[str, float]:
    """Return the state of a process, R when it runs or would like to, and its seconds of processor so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _work(cases: list[tuple[str, int]], folder: Path, show: bool) -> None:
    """Try the cases in this process, and print a line before and after each."""
    from damage import damage
    from seeds import FORMS

    import codomain
    from codomain.core import UserError

    warnings.simplefilter("ignore")
    before = ""
    for form, seed in cases:
        name, make = FORMS[form]
        whole = folder / f"whole {form}" / name
        if form != before:
            before = form
            print(f"form\t{form}", flush=True)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if not whole.parent.exists():
                whole.parent.mkdir()
                make(whole)
            _take(form, whole, folder, codomain)  # imports what reading imports, and shows that the example is valid
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
        case = f"--form {form!r} --first {seed}"
        print(f"case\t{case}", flush=True)
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
        print(f"{outcome}\t{case}", flush=True)


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
