"""Choose what to ask a person next: first a row of each region, then what the head cannot tell apart."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from codomain.classify import GDA
from codomain.cluster import groups as find_groups
from codomain.core import unit_rows
from codomain.search import neighbors
from codomain.workbench.label.held_out import hold_out

POOL = 5_000  # rows that a question may be about; more would only make people wait
COVER = 20  # questions that go to the middles of the largest groups before any head is asked
FAIR = 4  # after the cover, one question of so many is drawn at random and asked blind: it measures and calibrates
REHEAT = 10  # labels between two looks at how far the guesses may be believed


@dataclass(frozen=True)
class Question:
    """A row to ask about.

    Parameters
    ----------
    row : int
        Its number.
    fair : bool
        Whether it was drawn at random, so that the answer may measure the head.
    guess : str or None
        The class that the head would give; None while there are fewer than two classes.
    sure : float
        Its probability, 0 to 1; from ten labels on calibrated on labelled rows left out.
    nearest : int or None
        The most alike row that has a label.
    """

    row: int
    fair: bool
    guess: str | None = None
    sure: float = 0.0
    nearest: int | None = None


class Asker:
    """Choose questions; the choice depends on the answers alone, so a session goes on as if never stopped.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_dims)
        Vectors with shape and indexing by rows; only a pool of them is read.
    groups : ndarray of shape (n_rows,), optional
        Group of each row, -1 for none; found among the pool when left out.
    random_state : int, default=0
        Seed of the pool and of the fair draws.
    """

    def __init__(self, X: Any, *, groups: NDArray[np.int64] | None = None, random_state: int = 0) -> None:
        rng = np.random.default_rng(random_state)
        n = X.shape[0]
        self.source = X
        self._heat: tuple[int, float | None] = (0, None)
        self.pool: NDArray[np.int64] = np.sort(rng.choice(n, min(n, POOL), replace=False))
        self.X = unit_rows(np.asarray(X[self.pool], dtype=np.float32))
        self.shuffled = rng.permutation(len(self.pool))
        lists = neighbors(self.X, min(15, len(self.pool) - 1))
        self.typical = np.maximum(lists.scores.mean(axis=1), 0.0)
        found = find_groups(lists, random_state=random_state).labels if groups is None else groups[self.pool]
        self.cover = middles(self.X, np.asarray(found))[:COVER]

    def ask(self, given: Mapping[int, str], passed: Collection[int] = ()) -> Question | None:
        """Return the next question, or None when every row of the pool was asked.

        Parameters
        ----------
        given : mapping of int to str
            Labels so far, by row.
        passed : collection of int
            Rows that the person did not want to answer.
        """
        rows = np.fromiter(given, np.int64, len(given))
        free = ~np.isin(self.pool, [*given, *passed])
        if not free.any():
            return None
        known = unit_rows(np.asarray(self.source[rows], dtype=np.float32)) if len(rows) else self.X[:0]
        likeness = self.X @ known.T
        labels = np.array([given[row] for row in rows.tolist()], dtype=str)
        head = _head(known, labels)
        scores = None if head is None else self.X @ head.coef_.T + head.intercept_
        waiting = self.cover[free[self.cover]]
        turn = len(given) + len(passed)
        fair = not len(waiting) and turn % FAIR == FAIR - 1
        if len(waiting):
            at = int(waiting[0])
        elif fair:
            at = int(self.shuffled[free[self.shuffled]][0])
        else:
            at = int(np.where(free, self._worth(likeness, scores), -1.0).argmax())
        nearest = int(rows[likeness[at].argmax()]) if len(rows) else None
        if head is None or scores is None:
            return Question(int(self.pool[at]), fair, nearest=nearest)
        belief = softmax(scores[at] / self._temperature(known, labels, scores))
        return Question(int(self.pool[at]), fair, str(head.classes_[belief.argmax()]), float(belief.max()), nearest)

    def _temperature(self, known: NDArray[Any], labels: NDArray[Any], scores: NDArray[Any]) -> float:
        """Return what makes the guess's probability fit labelled rows left out; looked at after every tenth label."""
        if len(labels) // REHEAT != self._heat[0]:
            found = hold_out(known, labels) if len(labels) >= REHEAT else None
            self._heat = (len(labels) // REHEAT, found.temperature if found else None)
        return self._heat[1] or max(float(scores.std()), 1e-12)

    def _worth(self, likeness: NDArray[Any], scores: NDArray[Any] | None) -> NDArray[Any]:
        """Return what an answer about each row is worth: more where a row is typical, new and hard to tell."""
        new = 1 - likeness.max(axis=1, initial=-1.0)  # a copy of a labelled row would teach nothing
        if scores is None:
            return self.typical * new
        two = np.partition(scores, -2, axis=1)[:, -2:]
        # Scores grow with the number of labels; in their own spread the three factors stay of one size.
        return self.typical * new * np.exp((two[:, 0] - two[:, 1]) / max(float(scores.std()), 1e-12))


def _head(known: NDArray[Any], labels: NDArray[Any]) -> GDA | None:
    """Fit a head in milliseconds, when there are two classes to tell apart."""
    return GDA().fit(known, labels) if len(set(labels.tolist())) > 1 else None


def middles(X: NDArray[Any], groups: NDArray[Any]) -> NDArray[np.int64]:
    """Return the row nearest to the mean of each group, the largest group first.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_dims)
        Rows of length 1.
    groups : ndarray of shape (n_rows,)
        Group of each row; -1 is no group.

    Returns
    -------
    ndarray of int64
        One row a group.
    """
    names, sizes = np.unique(groups[groups >= 0], return_counts=True)
    found = []
    for name in names[np.argsort(-sizes, kind="stable")]:
        members = np.flatnonzero(groups == name)
        found.append(members[(X[members] @ X[members].mean(axis=0)).argmax()])
    return np.array(found, dtype=np.int64)
