"""What a head says of labelled rows that it has not seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from codomain.classify import GDA
from codomain.core import unit_rows

FOLDS = 5
SURE, CLEARLY = 0.7, 10.0  # the other class has this probability, and so many times that of the given one


@dataclass(frozen=True)
class HeldOut:
    """Probabilities of each row from a head that was fitted without it.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, sorted.
    probabilities : ndarray of shape (n_rows, n_classes)
        Calibrated together, 0 to 1.
    temperature : float
        What scores were divided by to get them.
    """

    classes: NDArray[Any]
    probabilities: NDArray[np.float64]
    temperature: float

    def doubtful(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        """Return the rows whose label is clearly contradicted, worst first."""
        own, best = self.against(labels)
        wrong = np.flatnonzero((best >= SURE) & (best >= CLEARLY * own))
        return wrong[np.argsort(own[wrong] - best[wrong], kind="stable")]

    def likeliest_other(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the likeliest class of each row that is not its label."""
        return self.classes[self._others(labels).argmax(axis=1)]

    def against(self, labels: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the probability of each row's label, and that of the likeliest other class."""
        own = self.probabilities[np.arange(len(labels)), np.searchsorted(self.classes, labels)]
        return own, self._others(labels).max(axis=1)

    def _others(self, labels: NDArray[Any]) -> NDArray[np.float64]:
        others = self.probabilities.copy()
        others[np.arange(len(labels)), np.searchsorted(self.classes, labels)] = -1.0
        return others


def hold_out(X: NDArray[Any], labels: NDArray[Any], *, random_state: int = 0) -> HeldOut | None:
    """Let each of five folds be judged by a head of Gaussians that was fitted to the others.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_dims)
        Labelled rows.
    labels : ndarray of str, shape (n_rows,)
        Their labels.
    random_state : int, default=0
        Seed of the folds.

    Returns
    -------
    HeldOut or None
        None while fewer than two classes have two rows.
    """
    classes, which, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if (sizes > 1).sum() < 2:
        return None
    shuffled = np.random.default_rng(random_state).permutation(len(labels))
    by_class = shuffled[np.argsort(which[shuffled], kind="stable")]  # dealt out in turn, every fold has every class
    fold = np.empty(len(labels), dtype=np.int64)
    fold[by_class] = np.arange(len(labels)) % FOLDS
    scores = np.full((len(labels), len(classes)), np.nan, dtype=np.float64)
    for number in np.unique(fold):
        left, rest = fold == number, fold != number
        if len(np.unique(which[rest])) < 2:
            return None
        head = GDA().fit(X[rest], which[rest])
        scores[np.ix_(left, head.classes_)] = unit_rows(X[left]) @ head.coef_.T + head.intercept_
    scores = np.where(np.isnan(scores), np.nanmin(scores), scores)  # a class that the fold's head never saw
    level, rows = float(scores.std()) or 1.0, np.arange(len(labels))
    found = minimize_scalar(
        lambda heat: -log_softmax(scores / level * np.exp(heat), axis=1)[rows, which].mean(),
        bounds=(-4, 6), method="bounded",
    )  # fmt: skip
    temperature = level * float(np.exp(-found.x))
    return HeldOut(classes, softmax(scores / temperature, axis=1), temperature)
