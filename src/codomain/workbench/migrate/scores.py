"""Scores that people have learned to trust, carried to a new encoder: the same share of unrelated pairs lies above."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import slices, unit_rows
from codomain.encode import Encoder
from codomain.search import Null
from codomain.space import IndexPart, Space
from codomain.workbench.migrate.carry import Moved
from codomain.workbench.migrate.pairs import texts_of

_STEP, _ROWS = 0.05, 4096  # between scores; rows whose pairs say what a score is worth
_PAIRS, _DRAWS, _FEWEST = 400_000, 100, 20  # pairs; resamples of the rows; pairs that must lie above a score


def thresholds(space: Space, moved: Moved, maker: Encoder | None) -> dict[str, Any]:
    """Say what scores become when a space moves.

    Parameters
    ----------
    space : Space
        The space as it is.
    moved : Moved
        Its vectors to be.
    maker : Encoder or None
        The new encoder, where it can be asked.

    Returns
    -------
    dict
        "rows", between two rows, and "questions", between a question and a row, where both encoders can be asked.
    """
    some = np.sort(np.random.default_rng(0).choice(len(space), min(len(space), _ROWS), replace=False))
    new, questions = moved.take_rows(some), list[dict[str, float]]()
    if maker is not None and (index := space.parts.find(IndexPart)):
        texts = texts_of(space, some) if space.roles.text else None
        old = Null.from_dict(index.null)
        questions = question_thresholds(old, Null.fit(new, texts=texts, encoder=maker)) if old.questions else []
    return {"rows": pair_thresholds(space.vectors[some], new), "questions": questions}


def pair_thresholds(A: NDArray[Any], B: NDArray[Any], random_state: int = 0) -> list[dict[str, float]]:
    """Say what a score between two rows becomes.

    Parameters
    ----------
    A, B : ndarray of shape (n, d)
        The same rows before and after, at least three.
    random_state : int, default=0
        Seed of the pairs and of the bootstrap.

    Returns
    -------
    list of dict
        `old` and `new`: cosines above which the same `share` of random pairs lies; `low` and `high`: the 95 % interval
        of `new` in a bootstrap over rows. From the median on, as far as 20 pairs lie above.
    """
    rng = np.random.default_rng(random_state)
    left = rng.integers(len(A), size=_PAIRS)
    right = (left + rng.integers(1, len(A), size=_PAIRS)) % len(A)  # never itself
    old, new = (_cosines(unit_rows(np.asarray(X, np.float32)), left, right) for X in (A, B))
    steps = _steps(*np.quantile(old, [0.5, 1 - _FEWEST / _PAIRS]))
    at_old, at_new = np.argsort(old), np.argsort(new)
    below = np.searchsorted(old[at_old], steps, side="right")
    drawn = np.empty((_DRAWS, len(steps)))
    for draw in drawn:  # rows are drawn, and a pair counts as often as both of its rows together
        times = np.bincount(rng.integers(len(A), size=len(A)), minlength=len(A)).astype(np.float32)
        weights = times[left] * times[right]
        before, after = (np.append(0, np.cumsum(weights[order], dtype=np.float64)) for order in (at_old, at_new))
        draw[:] = new[at_new[np.clip(np.searchsorted(after, before[below]), 1, len(new)) - 1]]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0) if len(steps) else (steps, steps)
    found = new[at_new[np.maximum(below, 1) - 1]]  # as many pairs above it as above the old score
    shares = 1 - below / _PAIRS
    return [
        {"old": float(a), "new": float(b), "low": float(min(c, b)), "high": float(max(d, b)), "share": float(share)}
        for a, b, c, d, share in zip(steps, found, low, high, shares, strict=True)
    ]


def question_thresholds(old: Null, new: Null) -> list[dict[str, float]]:
    """Say what a score between a question and a row becomes, at the same quantile of two nulls.

    Parameters
    ----------
    old, new : Null
        Fitted with the encoders, on the rows before and after.

    Returns
    -------
    list of dict
        `old`, `new` and `share` as of `pair_thresholds`; none when a null knows no questions.
    """
    if not (old.questions and new.questions):
        return []
    steps = _steps(float(np.median(old.questions)), old.questions[-1])
    shares = 1 - old.percentile(steps, asked="question")
    there = np.interp(steps, old.questions, new.questions)
    told = shares > _FEWEST / min(old.n_questions, new.n_questions)
    return [
        {"old": float(a), "new": float(b), "share": float(share)}
        for a, b, share in zip(steps[told], there[told], shares[told], strict=True)
    ]


def _cosines(U: NDArray[np.float32], left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float32]:
    some = slices(len(left), 16_384)
    return np.concatenate([np.einsum("ij,ij->i", U[left[s]], U[right[s]], dtype=np.float32) for s in some])


def _steps(low: float, high: float) -> NDArray[np.float64]:
    """Round scores between two scores."""
    return np.round(np.arange(np.ceil(low / _STEP), np.floor(high / _STEP) + 1) * _STEP, 9)
