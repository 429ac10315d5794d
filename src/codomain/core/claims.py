"""Claims: what a method promises beside the paper's rival and the strongest simple one, and what a run of it gave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from codomain.core.errors import UserError
from codomain.core.fingerprint import changed
from codomain.core.needs import known, missing
from codomain.core.verdicts import Gap, Trial, judge, pool

SEEDS = (0, 1, 2, 3, 4)
VERDICTS = ("holds", "weak", "no difference", "fails", "no premise", "too slow")
ROWS = ("same", "fresh")
# What a method was read against, as its docstring says it and as its record keeps it.
SOURCES = {"the authors' code": "code", "the paper's text": "text", "the abstract only": "abstract"}
SCALES = {"minute": 60, "minutes": 600, "gpu": 600}  # the largest budget of each, in seconds


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
        "fresh" where every seed makes anew what is compared: rows of a generator of random numbers, or nets; "same"
        where the seeds share their rows or draw them from the same few thousand.
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
