"""What five trials say: the pooled gap to the rival with its interval, and the verdict that follows from it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, stdev
from typing import TYPE_CHECKING, Any

from codomain.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = float | NDArray[np.floating[Any]] | NDArray[np.integer[Any]] | NDArray[np.bool_]

# The 97.5 % point of Student's t with 1, 2, ... degrees of freedom; a normal interval beyond ten.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_NORMAL = 1.96


@dataclass(frozen=True)
class Trial:
    """What one seed gave, all on the same rows; higher is better.

    Parameters
    ----------
    ours, floor, peer : float or ndarray of shape (n_units,)
        Scores of the method, of the paper's own rival, and of the strongest simple thing that one would otherwise do:
        one for each row, query or episode, or a single number for what is no mean over them.
    chance : float
        What an answer that ignores the data scores on these rows: the share of the commonest class, say.
    premise : float
        What the claim's premise measured.
    error : float, default=None
        Standard error of ours minus floor over the rows, where the scores are single numbers, as
        `codomain.tasks.bootstrap_error` finds it. Scores by row give their own.
    also : mapping of str to float
        What else the paper promises, by its name and unit: it is printed and has no part in the verdict.
    """

    ours: "Scores"
    floor: "Scores"
    peer: "Scores"
    chance: float
    premise: float
    error: float | None = None
    also: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Gap:
    """Ours minus floor over all seeds.

    Parameters
    ----------
    mean : float
        Mean over the seeds.
    low, high : float
        Its interval of 95 %.
    noise : float
        Standard error of the gap within one seed, in the middle of the seeds.
    """

    mean: float
    low: float
    high: float
    noise: float


def reduce(trial: Trial) -> dict[str, Any]:
    """Return a trial as single numbers: means over its units, and the paired standard error of ours minus floor.

    Raises
    ------
    UserError
        When a score is not finite, or ours and floor have not the same units.
    """
    import numpy as np

    ours, floor, peer = (np.asarray(scores, dtype=float) for scores in (trial.ours, trial.floor, trial.peer))
    if ours.shape != floor.shape or ours.ndim > 1:
        raise UserError(f"Scores of shapes {ours.shape} and {floor.shape}.", needed="ours and floor by unit")
    error = trial.error
    if ours.ndim and len(ours) > 1:
        error = float(np.std(ours - floor, ddof=1) / math.sqrt(len(ours)))
    numbers = {"ours": ours.mean(), "floor": floor.mean(), "peer": peer.mean(), "chance": trial.chance,
               "premise": trial.premise, "error": error}  # fmt: skip
    out: dict[str, Any] = {name: None if one is None else round(float(one), 6) for name, one in numbers.items()}
    out["also"] = {name: round(float(one), 6) for name, one in trial.also.items()}
    if not all(math.isfinite(one) for one in (*out.values(), *out["also"].values()) if isinstance(one, float)):
        raise UserError(f"A trial gave {out}.", needed="finite scores")
    return out


def pool(ours: Sequence[float], floor: Sequence[float], error: Sequence[float], rows: str) -> Gap:
    """Return the gap over all seeds with its interval.

    What moves from seed to seed is seen in the gaps themselves. Where every seed scores the same rows, or draws them
    from the same few, other rows would move all gaps together: the error over rows is added, undivided.

    Parameters
    ----------
    ours, floor : sequence of float
        Scores by seed; a single seed shows nothing of what moves from seed to seed.
    error : sequence of float
        Paired standard errors within the seeds; empty where they have none.
    rows : {"same", "fresh"}
        Whether the seeds share their rows.

    Raises
    ------
    UserError
        When rows are shared and a seed has no error.
    """
    gaps = [mine - other for mine, other in zip(ours, floor, strict=True)]
    if len(error) < len(gaps) and (error or rows == "same"):
        raise UserError(
            "Scores that are single numbers, over rows that the seeds share.",
            needed="scores by row, or error= in every Trial",
            todo='rows="fresh" where every seed makes rows of its own',
        )  # fmt: skip
    spread = stdev(gaps) if len(gaps) > 1 else 0.0
    between = _T[min(len(gaps), len(_T)) - 2] * spread / math.sqrt(len(gaps)) if len(gaps) > 1 else 0.0
    shared = rows == "same" or len(gaps) == 1
    half = math.hypot(between, _NORMAL * fmean(error or [0.0]) if shared else 0.0)
    noise = median(error) if error else spread
    return Gap(fmean(gaps), fmean(gaps) - half, fmean(gaps) + half, noise)


def judge(gap: Gap, margin: float, premise: Sequence[float], least: float) -> str:
    """Return the verdict: what the interval of the gap says, when the premise is true in the middle of the seeds."""
    if median(premise) < least:
        return "no premise"
    if gap.low > margin:
        return "holds"
    if gap.low > 0:
        return "weak"
    return "fails" if gap.high < 0 else "no difference"
