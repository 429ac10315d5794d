"""Whether a row keeps its nearest rows from one space to another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import Int, UserError, unit_rows
from codomain.measure.one_space import local
from codomain.measure.shared.interval import FOLDS, jackknife_interval
from codomain.measure.shared.record import Measure
from codomain.measure.two_spaces.agreement import FEWEST, check_pair, make_record


def shared_neighbors(one: Any, two: Any) -> NDArray[np.float64]:
    """Share of each list in `one` that is in the same list of `two`.

    Parameters
    ----------
    one, two : array-like of int, shape (n_lists, n_neighbors)
        Row numbers, each at most once in a list.

    Returns
    -------
    ndarray of shape (n_lists,)
        From 0 to 1.

    Raises
    ------
    UserError
        When the shapes differ.

    Examples
    --------
    >>> shared_neighbors([[1, 2], [0, 2]], [[2, 1], [2, 3]]).tolist()
    [1.0, 0.5]
    """
    one, two = np.asarray(one), np.asarray(two)
    if one.ndim != 2 or one.shape != two.shape or one.shape[1] == 0:
        raise UserError(f"Lists of shapes {one.shape} and {two.shape}.", needed="as many lists, of one length, in both")
    # Both lists of a row joined and sorted: an entry of both lists is next to its equal.
    both = np.sort(np.concatenate([one, two], axis=1), axis=1)
    return np.asarray((both[:, 1:] == both[:, :-1]).sum(axis=1) / one.shape[1])


def mutual_neighbors(
    A: Any, B: Any, *, n_neighbors: int = 10, max_samples: int = 5000, lists: tuple[Any, Any] | None = None,
    random_state: int = 0,
) -> Measure:  # fmt: skip
    """Share of a row's nearest rows by cosine that are its nearest rows in the other space too.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ.
    n_neighbors : int, default=10
        Length of the lists, below the number of rows.
    max_samples : int, default=5000
        Rows drawn at random when there are more; neighbours are then the nearest of those drawn.
    lists : tuple of two arrays of shape (n_samples, n_neighbors), optional
        Each row's nearest rows in A and in B, if already known; then no rows are drawn.
    random_state : int, default=0
        Seed of the draw and the tenths.

    Returns
    -------
    Measure
        From 0 to 1. The null is exact: what a list drawn at random would share. The interval treats the lists as fixed.

    Raises
    ------
    UserError
        When the rows differ in number, are fewer than 20 or not above `n_neighbors`, are not finite or all equal.

    References
    ----------
    Huh et al. (2024), arXiv:2405.07987.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((100, 3))
    >>> mutual_neighbors(A, 2 * A[:, ::-1]).value
    1.0
    """
    Int(1).check("mutual_neighbors", "n_neighbors", n_neighbors)
    Int(FEWEST).check("mutual_neighbors", "max_samples", max_samples)
    A, B = check_pair(A, B)
    n = A.shape[0] if lists is not None else min(A.shape[0], max_samples)
    if n_neighbors >= n:
        raise UserError(f"n_neighbors={n_neighbors} among {n} rows.", needed="fewer neighbours than rows")
    if lists is None:
        drawn = np.sort(np.random.default_rng(random_state).choice(A.shape[0], n, replace=False))
        one, two = (local.neighbor_lists(unit_rows(np.asarray(Z[drawn], np.float32)), n_neighbors)[0] for Z in (A, B))
    else:
        one, two = (np.asarray(found)[:, :n_neighbors] for found in lists)
        if len(one) != n or one.shape[1] < n_neighbors:
            raise UserError(f"Lists of shape {one.shape} for {n} rows.", needed=f"{n_neighbors} neighbours of each row")
    shares = shared_neighbors(one, two)
    fold = np.random.default_rng([random_state, 1]).permutation(n) % FOLDS
    value = float(shares.mean())
    low, high = jackknife_interval(value, [float(shares[fold != f].mean()) for f in range(FOLDS)], (0.0, 1.0))
    return make_record(
        "mutual_neighbors", "Neighbours in common", value, "share of the nearest rows", low, high,
        n_neighbors / (n - 1), "high", (0.0, 1.0), 10 * n_neighbors,
        f"Overlap of the lists of the {n_neighbors} nearest rows by cosine, over {n:,} rows; the null is a list drawn "
        "at random.", n,
    )  # fmt: skip
