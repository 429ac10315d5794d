"""Keep the rows whose label is safe at a stated risk, and hand the others to a person."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.classify.few_labels.labels import whole_labels
from codomain.core import Real, UserError


@dataclass(frozen=True)
class Rejects:
    """What a head may answer by itself.

    Attributes
    ----------
    keep : ndarray of bool, shape (n_samples,)
        Rows whose set holds one class: take that label.
    sets : ndarray of bool, shape (n_samples, n_classes)
        Classes that each row may have, in the order of the head's `classes_`; a row may have none.
    says : str
        What is promised and what is not.
    """

    keep: NDArray[np.bool_]
    sets: NDArray[np.bool_]
    says: str


def reject(head: Any, X_cal: ArrayLike, y_cal: ArrayLike, X: ArrayLike, *, risk: float = 0.1) -> Rejects:
    """Give every row the set of classes that misses the right one with at most the stated risk.

    Sets are split conformal: a class is possible when one minus its probability is at most what it is for the right
    class in a share 1 - `risk` of the calibration rows (Sadinle, Lei and Wasserman, 2019). For rows drawn like
    the calibration rows, the set lacks the right class in at most a share `risk` of them, on average over all
    classes and all draws of calibration rows. It is no promise about one class, nor about the kept rows alone.

    Parameters
    ----------
    head : classifier
        Fitted, with `classes_` and `predict_proba`.
    X_cal : array-like of shape (n_calibration, n_features)
        Rows that the head was not fitted to.
    y_cal : array-like of shape (n_calibration,)
        Their labels, all known to the head.
    X : array-like of shape (n_samples, n_features)
        Rows to label.
    risk : float, default=0.1
        Share of sets that may lack the right class, above 0 and below 1.

    Returns
    -------
    Rejects
        Which rows to keep, their sets, and the promise in words.

    Raises
    ------
    UserError
        When the risk is no share, the calibration rows are too few for it, or have a class that the head never saw.

    Examples
    --------
    >>> from codomain.classify import FewLabelHead
    >>> X = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]]
    >>> head = FewLabelHead(random_state=0).fit(X, ["sea", "sea", "land", "land"])
    >>> reject(head, X, ["sea", "sea", "land", "land"], [[0.8, 0.1]], risk=0.4).keep
    array([ True])
    """
    rule = Real(0, 1, above=True)
    if not rule.allows(risk) or risk == 1:
        raise UserError(f"reject: risk={risk!r} cannot be used.", needed="a number above 0 and below 1")
    known, labels = np.asarray(head.classes_), whole_labels(y_cal)
    strange = sorted({str(label) for label in labels.tolist()} - {str(name) for name in known.tolist()})
    if strange:
        raise UserError(
            f"y_cal has {len(strange)} classes that the head never saw, such as {strange[0]!r}.",
            needed="calibration rows of the classes that the head was fitted to",
            todo="fit the head with rows of these classes, or leave them out of the calibration",
        )
    least = int(np.ceil(1 / risk)) - 1
    if len(labels) < least:
        raise UserError(
            f"{len(labels)} calibration rows cannot promise a risk of {risk:g}.",
            needed=f"at least {least} of them",
            todo="label more rows or accept a higher risk",
        )
    order = np.argsort(known)
    own = order[np.searchsorted(known, labels, sorter=order)]
    strangeness = np.sort(1 - head.predict_proba(np.asarray(X_cal))[np.arange(len(labels)), own])
    # One row more than there are: the row to be labelled counts as one of those that calibrate.
    cut = strangeness[int(np.ceil((len(labels) + 1) * (1 - risk) - 1e-9)) - 1]
    sets = 1 - head.predict_proba(np.asarray(X)) <= cut
    keep = sets.sum(axis=1) == 1
    says = (
        f"{np.count_nonzero(keep):,} of {len(keep):,} rows have one possible class. For rows drawn like the "
        f"{len(labels):,} calibration rows, the set of possible classes lacks the right one in at most {risk:.0%} of "
        "cases, on average over all rows: no promise about a single class, about the kept rows alone, or about rows "
        "of another source."
    )
    return Rejects(keep, sets, says)
