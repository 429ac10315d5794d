"""Run a claim in a process of its own, which cannot hang, and say what it gave and what that depends on."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from codomain.core.claims import SEEDS, Claim, Outcome
from codomain.core.errors import UserError
from codomain.core.fingerprint import fingerprint, unseen
from codomain.core.verdicts import reduce

# Libraries that change numbers; the ones that a claim loaded are written beside its verdict.
_COUNTED = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "faiss": "faiss-cpu", "torch": "torch",
            "onnxruntime": "onnxruntime", "tokenizers": "tokenizers", "constriction": "constriction", "numba": "numba",
            "umap": "umap-learn", "mapie": "mapie"}  # fmt: skip


def patience(what: Claim) -> float:
    """Return the seconds on the clock that end a claim; they only end what sleeps: a busy machine makes none slow."""
    return max(20 * what.seconds, min(60 * what.seconds, 3600))


def run(what: Claim, seeds: Sequence[int] = SEEDS) -> Outcome:
    """Run a claim in a process of its own, which is ended at three times its budget.

    Parameters
    ----------
    what : Claim
        The claim.
    seeds : sequence of int, default=(0, 1, 2, 3, 4)
        What is run; a verdict to record needs the default.

    Returns
    -------
    Outcome
        Scores per seed and the verdict.

    Raises
    ------
    UserError
        When the claim cannot be run here, or itself raised an error: that is no verdict. Also when it ran a file of
        this package that its fingerprint does not see, as a record could then not be trusted.
    """
    if not seeds:
        raise UserError("No seeds.", needed="at least one")
    if what.hindrance:
        raise UserError(f"The claim of {what.module} is not rerun here.", needed=what.hindrance.removeprefix("needs "))
    code = "import sys; from codomain.core.claim_run import _child; _child(*sys.argv[1:])"
    work, wait = math.ceil(2 * 3 * what.seconds), patience(what)  # three times the budget on two cores
    command = [sys.executable, "-P", "-c", code, str(work), what.module, what.run.__qualname__, *map(str, seeds)]
    # Two threads: the budget speaks of two cores, and the number of threads moves the last digits.
    threads = {f"{library}_NUM_THREADS": "2" for library in ("OMP", "OPENBLAS", "MKL")}
    threads |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}  # waiting threads leave the cores to others
    paths = os.pathsep.join(path for path in sys.path if path)
    began, slow = time.monotonic(), False
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, **threads, "PYTHONPATH": paths}, start_new_session=True,
    ) as child:  # fmt: skip
        try:
            out, err = child.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            slow = True
            _end(child)
            out, err = child.communicate()
        except BaseException:
            _end(child)
            raise
    took = time.monotonic() - began
    slow = slow or (hasattr(signal, "SIGXCPU") and child.returncode == -signal.SIGXCPU)
    if child.returncode and not slow:
        raise UserError(f"The claim {what.run.__qualname__} of {what.module} did not finish:\n{err.strip()}")
    lines = [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]
    trials = [line["trial"] for line in lines if "trial" in line]
    end: dict[str, Any] = next((line for line in lines if "versions" in line), {"versions": {}, "files": []})
    inside = what.module.startswith("codomain.")
    if inside and (blind := unseen(what.module, end["files"])):
        raise UserError(
            f"The claim of {what.module} ran {', '.join(blind)}, which its fingerprint does not see.",
            needed="imports that stand in the source as `from codomain... import ...`",
        )
    columns = {who: [trial[who] for trial in trials] for who in ("premise", "ours", "floor", "peer", "chance")}
    errors = [trial["error"] for trial in trials if trial["error"] is not None]
    outcome = Outcome(
        verdict="too slow",
        date=datetime.now(tz=UTC).date().isoformat(),
        took=round(end.get("seconds", took), 1),
        seeds=list(seeds[: len(trials)]),
        **columns,
        error=errors,
        also={name: [trial["also"][name] for trial in trials] for name in (trials[0]["also"] if trials else ())},
        versions=end["versions"],
        fingerprint=fingerprint(what.module, end["versions"]) if inside else {},
    )
    return outcome if slow else replace(outcome, verdict=outcome.follows(what.rows, what.margin, what.least))


def _end(child: "subprocess.Popen[str]") -> None:
    """End a process with everything that it started, which would keep its output open and us waiting."""
    if hasattr(os, "killpg"):
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


def _child(most: str, module: str, name: str, *seeds: str) -> None:
    """Run a claim in this process and write one line of JSON per seed; what the claim prints goes to stderr.

    More than `most` seconds of processor time end the process, where the system can do that.
    """
    if find_spec("resource"):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (int(most), resource.getrlimit(resource.RLIMIT_CPU)[1]))
    results = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        work = getattr(import_module(module), name)
        for seed in seeds:
            print(json.dumps({"trial": reduce(work(int(seed)))}), file=results, flush=True)
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    versions |= {package: version(package) for name, package in _COUNTED.items() if name in sys.modules}
    ours = (module for name, module in sys.modules.items() if name.startswith("codomain."))
    files = [module.__file__ for module in ours if module.__file__]
    end = {"versions": versions, "files": files, "seconds": time.process_time()}
    print(json.dumps(end), file=results, flush=True)
