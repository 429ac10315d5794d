"""Claims: what a method promises, measured beside the paper's floor and the strongest simple peer, and recorded."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from typing import Any

from codomain.core.errors import UserError
from codomain.core.fingerprint import changed, fingerprint, unseen
from codomain.core.needs import known, missing
from codomain.core.verdicts import Gap, Trial, judge, pool, reduce

SEEDS = (0, 1, 2, 3, 4)
VERDICTS = ("holds", "weak", "no difference", "fails", "no premise", "too slow")
ROWS = ("same", "fresh")
# What a method was read against, as its docstring says it and as its record keeps it.
SOURCES = {"the authors' code": "code", "the paper's text": "text", "the abstract only": "abstract"}
SCALES = {"minute": 60, "minutes": 600, "gpu": 600}  # the largest budget of each, in seconds
# Libraries that change numbers; the ones that a claim loaded are written beside its verdict.
_COUNTED = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "faiss": "faiss-cpu", "torch": "torch",
            "onnxruntime": "onnxruntime", "tokenizers": "tokenizers", "constriction": "constriction", "numba": "numba",
            "umap": "umap-learn", "mapie": "mapie"}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """What `@claim` writes on a method.

    Parameters
    ----------
    run : callable
        From a seed to a Trial.
    unit : str
        What the scores are, with their range.
    margin : float
        What the whole interval of the gap to the floor must be above for the claim to hold, in that unit; at least
        twice the standard error of the gap within one seed.
    seconds : float
        Budget of all five seeds on two cores, at most what its scale allows.
    says : str
        The claim in one sentence.
    premise : str
        What must be true of the data for the effect to be possible, measured without the method.
    least : float
        What the measured premise must reach in the middle of the seeds.
    floor, peer : str
        What the two rivals are: the paper's own, with the same budget, data and inputs; and the strongest simple one.
    rows : str, default="same"
        "fresh" where every seed makes rows of its own, as from a generator of random numbers; "same" where the seeds
        share their rows or draw them from the same few thousand.
    checked : str, default=""
        "code", "text" or "abstract": what the method was read against, from its docstring.
    needs : tuple of str, default=()
        Packages of data or code, as `codomain.core.needs` knows them, without which it cannot be run.
    scale : str, default="minute"
        "minute", "minutes" or "gpu".
    why : str, default=""
        Why it needs more than a minute.
    """

    run: Callable[[int], Trial]
    unit: str
    margin: float
    seconds: float
    says: str
    premise: str
    least: float
    floor: str
    peer: str
    rows: str = "same"
    checked: str = ""
    needs: tuple[str, ...] = ()
    scale: str = "minute"
    why: str = ""

    @property
    def module(self) -> str:
        """The module whose file holds the claim."""
        return self.run.__module__

    @property
    def hindrance(self) -> str:
        """Why it cannot be run on this machine, as in "needs wordnet-base"; empty when it can."""
        lacking = missing((*self.needs, "gpu") if self.scale == "gpu" else self.needs)
        return f"needs {', '.join(lacking)}" if lacking else ""

    def stale(self, record: "Outcome") -> str:
        """Say what it depends on and has changed since it was recorded, empty when nothing has."""
        return changed(self.module, record.fingerprint, record.versions)


@dataclass(frozen=True)
class NoClaim:
    """Why a method has no claim."""

    why: str


@dataclass(frozen=True)
class Outcome:
    """What running a claim gave, and what the record of a method holds.

    Parameters
    ----------
    verdict : str
        "holds", "weak", "no difference", "fails", "no premise", or "too slow" past three times the budget in processor
        seconds.
    date : str
        Day of the run, as in "2026-01-31".
    took : float
        Processor seconds of all seeds, which a busy machine does not change; by the clock where it was too slow.
    seeds : list of int
        Seeds that were finished.
    premise, ours, floor, peer, chance : list of float
        What a Trial says, one for each of them.
    error : list of float
        Paired standard errors of ours minus floor, one for each of them; empty where there are none.
    also : dict of str to list of float
        What else was measured.
    versions : dict of str to str
        Python and the libraries that the run loaded.
    fingerprint : dict of str to str
        Hashes of the code, the data and the libraries that the scores depend on; empty outside this package.
    """

    verdict: str
    date: str
    took: float
    seeds: list[int]
    premise: list[float]
    ours: list[float]
    floor: list[float]
    peer: list[float]
    chance: list[float]
    error: list[float] = field(default_factory=list)
    also: dict[str, list[float]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    fingerprint: dict[str, str] = field(default_factory=dict)

    def middle(self, who: str) -> float | None:
        """Return the median of "premise", "ours", "floor", "peer" or "chance"; None when no seed was finished."""
        scores: list[float] = getattr(self, who)
        return median(scores) if scores else None

    def gap(self, rows: str) -> Gap | None:
        """Return ours minus floor over the seeds; None when no seed was finished."""
        return pool(self.ours, self.floor, self.error, rows) if self.ours else None

    def follows(self, rows: str, margin: float, least: float) -> str:
        """Return the verdict that follows from the scores, for seeds that were all finished."""
        return judge(pool(self.ours, self.floor, self.error, rows), margin, self.premise, least)


def claim(
    method: Any, *, unit: str, margin: float, seconds: float, says: str, premise: str, least: float, floor: str,
    peer: str, rows: str = "same", needs: Sequence[str] = (), scale: str = "minute", why: str = "",
) -> Callable[[Callable[[int], Trial]], Callable[[int], Trial]]:  # fmt: skip
    """Make a function of a seed the claim of a method.

    Parameters
    ----------
    method : type or callable
        Whose claim it is.
    unit, margin, seconds, says, premise, least, floor, peer, rows, needs, scale, why
        As `Claim` says.

    Returns
    -------
    callable
        The decorator; the function itself is given back unchanged.
    """
    if scale not in SCALES:
        raise UserError(f"A claim with scale={scale!r}.", needed=f"one of {', '.join(SCALES)}")
    if not 0 < seconds <= SCALES[scale]:
        raise UserError(
            f"A claim with seconds={seconds} and scale={scale!r}.",
            needed=f"a budget above 0 and at most {SCALES[scale]} seconds",
            todo="" if scale != "minute" else 'scale="minutes" with why="..." if the paper\'s setting needs more',
        )
    if scale != "minute" and not why.strip():
        raise UserError(f"A claim with scale={scale!r} and no reason.", needed="why= in one sentence")
    if margin <= 0:
        raise UserError(f"A claim with margin={margin}.", needed="a margin above 0: equal to the floor is no claim")

    if not premise.strip():
        raise UserError("A claim without a premise.", needed="what must be true of the data for the effect to show")
    if rows not in ROWS:
        raise UserError(f"A claim with rows={rows!r}.", needed=f"one of {', '.join(ROWS)}")

    def write(run: Callable[[int], Trial]) -> Callable[[int], Trial]:
        method.claim = Claim(
            run, unit, margin, seconds, says, premise, least, floor, peer, rows, checked(method.__doc__ or ""),
            known(needs), scale, why,
        )  # fmt: skip
        return run

    return write


def checked(documentation: str) -> str:
    """Return what a docstring says that its method was checked against, as a record keeps it, or nothing."""
    text = " ".join(documentation.split())
    return next((short for words, short in SOURCES.items() if f"Checked against {words}" in text), "")


def no_claim(why: str) -> NoClaim:
    """Say why a method has no claim; assign it to the class's `claim`."""
    if not why.strip():
        raise UserError("no_claim without a reason.", needed="one sentence that a reader can judge")
    return NoClaim(why)


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
    code = "import sys; from codomain.core.claims import _child; _child(*sys.argv[1:])"
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
