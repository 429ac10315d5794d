"""The heads that `FewLabelHead` tries, and which setting of each is best on left-out rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from codomain.classify.few_labels.calibrate import temperature
from codomain.classify.few_labels.closed import PENALTIES, Fit, Turned
from codomain.classify.few_labels.rows import Rows
from codomain.classify.few_labels.spread import reached, taught

PROTOTYPE = "nearest prototype"
SPREAD = "spread labels"
BLENDS = {
    "blend": ("least squares", "gda"),
    "kernel blend": ("kernel least squares", "kernel gda"),
    "spread blend": (SPREAD, "kernel blend"),
}
BELIEVED = 8  # rows per class from which left-out scores of different heads are compared
HANDED_ON = 1_000  # labels up to which rows without one are used; with more they hardly help
LOGISTIC = 1e5  # rows times features times classes up to which a logistic regression per fold is quick


@dataclass(frozen=True)
class Candidate:
    """One setting of one head.

    Attributes
    ----------
    name : str
        The head.
    rows : Rows
        What it sees.
    fit : Fit
        The head itself.
    accuracy, log_loss, temperature : float
        On left-out rows, log-loss in nats and at the temperature that makes it least.
    """

    name: str
    rows: Rows
    fit: Fit
    accuracy: float = float("nan")
    log_loss: float = float("nan")
    temperature: float = 1.0


def candidates(
    X: NDArray[Any],
    which: NDArray[np.intp],
    checked: NDArray[np.intp],
    max_cv: int,
    rng: np.random.RandomState,
    unlabelled: NDArray[Any] | None = None,
) -> Iterator[Candidate]:
    """Yield every head at every setting, with left-out scores of the checked rows."""
    own = which[checked]
    rows = _scale(X, which, checked)
    seen = rows.features(X)
    turned = Turned(seen, which, checked)
    yield from (Candidate("gda", rows, fit) for fit in turned.gaussians())
    yield from (Candidate(PROTOTYPE, rows, fit) for fit in turned.gaussians((1.0,)))
    yield from (Candidate("least squares", rows, fit) for fit in turned.ridge())
    yield from through_kernel(rows, seen, which, checked, rng, unlabelled)
    folds = min(max_cv, int(np.bincount(own)[np.unique(own)].min()))
    if folds >= 2 and np.bincount(which).min() >= 2 and seen.size * (which.max() + 1) <= LOGISTIC:
        yield from logistic(rows, seen, which, checked, folds, rng)


def _scale(X: NDArray[Any], which: NDArray[np.intp], checked: NDArray[np.intp]) -> Rows:
    """Return the scale of rows at which Gaussians are right more often, among the checked rows alone."""
    scales = Rows.scales(X)
    if len(scales) == 1:
        return scales[0]
    # Of the checked rows, each still with another of its class, so that it can be left out.
    _, part = np.unique(which[checked], return_inverse=True)
    pairs = np.flatnonzero(np.bincount(part)[part] > 1)
    right = [
        max(np.mean(fit.left_out.argmax(axis=1) == part[pairs]) for fit in Turned(Z, part, pairs).gaussians())
        if len(pairs)
        else 0.0
        for Z in (rows.features(X[checked]) for rows in scales)
    ]
    return scales[int(np.argmax(right))]


def through_kernel(
    rows: Rows,
    seen: NDArray[Any],
    which: NDArray[np.intp],
    checked: NDArray[np.intp],
    rng: np.random.RandomState,
    unlabelled: NDArray[Any] | None = None,
) -> Iterator[Candidate]:
    """Yield both closed-form heads through a Gaussian kernel, where there is time for enough landmarks.

    With rows that have no label, also the head that learns from labels handed on to them.
    """
    more = rows.features(unlabelled) if unlabelled is not None and len(seen) <= HANDED_ON else None
    drawn = rows.with_kernel(seen, rng, more)
    if drawn is None:
        return
    kernel, whiten = drawn
    turned = Turned(replace(kernel, scale=1.0).features(seen) @ whiten, which, checked)
    found = [
        Candidate(name, kernel, replace(fit, coef=fit.coef @ whiten.T))
        for name, fits in (("kernel least squares", turned.ridge()), ("kernel gda", turned.gaussians()))
        for fit in fits
    ]
    yield from found
    if more is None:
        return
    every = np.concatenate([seen, more])
    values = replace(kernel, scale=1.0).features(every)
    guess = best(found, which[checked])["kernel blend"].fit if len(checked) else found[PENALTIES.index(1.0)].fit
    guessed = (values @ guess.coef.T + guess.intercept).argmax(axis=1)
    fit = taught(values @ whiten, reached(every, len(seen)), which, checked, guessed)
    yield Candidate(SPREAD, kernel, replace(fit, coef=fit.coef @ whiten.T))


def logistic(
    rows: Rows, seen: NDArray[Any], which: NDArray[np.intp], checked: NDArray[np.intp], folds: int, rng: Any
) -> Iterator[Candidate]:
    """Yield logistic regressions, their left-out scores from folds."""
    for C in (10.0, 100.0):
        head = LogisticRegression(C=C, max_iter=500)
        scores = np.empty((len(seen), which.max() + 1), seen.dtype)
        for train, test in StratifiedKFold(folds, shuffle=True, random_state=rng).split(seen, which):
            scores[test] = _two_sided(head.fit(seen[train], which[train]), seen[test])
        head.fit(seen, which)
        coef, intercept = head.coef_, head.intercept_
        if len(coef) == 1:
            coef, intercept = np.concatenate([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
        yield Candidate("logistic regression", rows, Fit(coef, intercept, scores[checked]))


def _two_sided(head: LogisticRegression, X: NDArray[Any]) -> NDArray[Any]:
    """Return a score for each class, also where there are two."""
    scores = head.decision_function(X)
    return np.stack([-scores, scores], axis=1) / 2 if scores.ndim == 1 else scores


def best(found: Iterable[Candidate], own: NDArray[np.intp]) -> dict[str, Candidate]:
    """Return the best setting of each head by left-out accuracy, log-loss deciding between equals, and blends."""
    kept: dict[str, Candidate] = {}
    for one in found:
        accuracy = float(np.mean(one.fit.left_out.argmax(axis=1) == own))
        rival = kept.get(one.name)
        if rival is None or accuracy >= rival.accuracy:
            one = _measured(one, own)
            if rival is None or (accuracy, -one.log_loss) > (rival.accuracy, -rival.log_loss):
                kept[one.name] = one
    for name, two in BLENDS.items():
        if all(part in kept for part in two):
            kept[name] = _measured(_blend(name, *(kept[part] for part in two)), own)
    return kept


def pick(kept: dict[str, Candidate], n_checked: int, n_classes: int) -> Candidate:
    """Return the head with the best left-out accuracy, the usual winner unless another leads by more than chance.

    Of few rows the best of many accuracies is mostly luck, so one standard error, at its widest, is asked for. With
    few rows per class, to leave one out takes a good part of its class away, which heads bear unequally: then only a
    lead over labels handed on is believed. Which head is usual was settled on docstrings and digits.
    """
    chance, few = 0.5 / np.sqrt(n_checked), n_checked < BELIEVED * n_classes
    plain = kept.get("kernel blend", kept.get("blend"))
    usual = kept.get(SPREAD if few else "spread blend", plain)
    if usual is None:
        return _first(kept.values())
    if few:
        # The rival is the best of many settings and the usual head is not: twice the error is asked for.
        return plain if plain is not None and plain.accuracy > usual.accuracy + 2 * chance else usual
    winner = _first(kept.values())
    return winner if winner.accuracy > usual.accuracy + chance else usual


def _first(kept: Iterable[Candidate]) -> Candidate:
    """Return the head of the best left-out accuracy, log-loss deciding between equals."""
    return max(kept, key=lambda one: (one.accuracy, -one.log_loss))


def _measured(one: Candidate, own: NDArray[np.intp]) -> Candidate:
    """Add the accuracy, the temperature and the log-loss of the left-out rows."""
    warmth, loss = temperature(one.fit.left_out, own)
    accuracy = float(np.mean(one.fit.left_out.argmax(axis=1) == own))
    return replace(one, accuracy=accuracy, log_loss=loss, temperature=warmth)


def _blend(name: str, one: Candidate, two: Candidate) -> Candidate:
    """Return the mean of two heads' calibrated scores, which is a head of the same features."""
    a, b = one.fit, two.fit
    s, t = 2 * one.temperature, 2 * two.temperature
    fit = Fit(a.coef / s + b.coef / t, a.intercept / s + b.intercept / t, a.left_out / s + b.left_out / t)
    return Candidate(name, one.rows, fit)


def candidate_without_check(
    X: NDArray[Any], which: NDArray[np.intp], rng: np.random.RandomState, unlabelled: NDArray[Any] | None = None
) -> Candidate:
    """Return the head for one row per class, where nothing can be left out: kernel least squares, or labels handed on.

    The penalty and the temperature, half the spread of its own scores and all of it, did well on docstrings and digits.
    """
    rows = Rows.scales(X)[0]
    tried = list(through_kernel(rows, rows.features(X), which, np.zeros(0, np.intp), rng, unlabelled))
    if tried[-1].name == SPREAD and unlabelled is not None:
        one, share, asked = tried[-1], 1.0, unlabelled
    else:
        one, share, asked = tried[PENALTIES.index(1.0)], 0.5, X
    scores = one.rows.features(asked) @ one.fit.coef.T
    return replace(one, temperature=share * float(np.std(scores)) or 1.0)
