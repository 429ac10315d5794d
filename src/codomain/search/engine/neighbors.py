"""Exact nearest neighbours of every row, by cosine or inner product, in blocks."""

from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from codomain.core import Matrix, UserError
from codomain.core import Neighbors as Neighbors
from codomain.search.engine.copies import put_copies_back, same_rows, without_self
from codomain.search.engine.exact import nearest
from codomain.search.engine.rows import Rows


def neighbors(
    X: Any,
    k: int = 15,
    *,
    queries: Matrix | ArrayLike | None = None,
    exclude_self: bool = True,
    metric: Literal["cosine", "inner"] = "cosine",
    progress: bool = False,
) -> Neighbors:
    r"""Find the k nearest rows of X for each row of X, or for each query, with none missed.

    Scores come from float32 matrix products and are then settled in float64: a row stays out only if it lies
    below the k-th by more than the worst error of such a product, :math:`d\,2^{-24}`; lists that are closer than
    that are computed again in float64. Scores equal in float32 are ordered by lower row number.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows to search: an array, a memory map, or anything with `shape` and slices.
    k : int, default=15
        Length of each list, from 1 to the number of rows that can be in it.
    queries : array-like of shape (n_queries, n_features), optional
        Rows to find neighbours for; those of X when missing.
    exclude_self : bool, default=True
        Without `queries`, leave each row out of its own list.
    metric : {"cosine", "inner"}, default="cosine"
        What nearest means. A row of zeros has cosine 0 with everything.
    progress : bool, default=False
        Draw a bar on stderr.

    Returns
    -------
    Neighbors
        Indices int32 and scores float32, both of shape (n_queries, k).

    Raises
    ------
    UserError
        When k is out of range, the widths differ, or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> neighbors(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), k=1).indices.ravel().tolist()
    [2, 2, 0]
    """
    if metric not in ("cosine", "inner"):
        raise UserError(f"metric={metric!r} is not known.", needed="'cosine' or 'inner'")
    base = X if hasattr(X, "shape") else np.asarray(X)
    asked: Any = None if queries is None else (queries if hasattr(queries, "shape") else np.asarray(queries))
    if len(base.shape) != 2 or (asked is not None and len(asked.shape) != 2):
        raise UserError(
            f"X has shape {base.shape}" + (f" and queries {asked.shape}." if asked is not None else "."),
            needed="two dimensions: rows and features",
        )
    if asked is not None and asked.shape[1] != base.shape[1]:
        raise UserError(f"The queries are {asked.shape[1]} wide and the rows {base.shape[1]}.", needed="equal widths")
    drop_self = asked is None and exclude_self
    most = base.shape[0] - drop_self
    if not isinstance(k, Integral) or not 1 <= k <= most:
        raise UserError(
            f"k={k!r} neighbours asked of {base.shape[0]} rows.",
            needed=f"a whole number k from 1 to {most}" if most > 0 else f"{1 + drop_self} or more rows",
            todo="lower k or add rows",
        )

    rows = Rows(base, metric)
    groups = same_rows(rows)
    rows.keep(groups.heads)
    wide = min(k, len(rows))  # lists of distinct rows; copies are put back at the end
    if asked is None:
        best = nearest(rows, None, wide, progress)
        own = rows.dots(np.arange(len(rows)), np.arange(len(rows))[:, None])
        best = (
            np.concatenate([np.arange(len(rows))[:, None], best[0]], 1),
            np.concatenate([own, best[1]], 1),
        )
        found = put_copies_back(best, groups, k + drop_self)
        indices, scores = found[0][groups.of], found[1][groups.of]
        if drop_self:
            indices, scores = without_self(indices, scores)
    else:
        best = nearest(rows, Rows(asked, metric), wide, progress)
        indices, scores = put_copies_back(best, groups, k)
    return Neighbors(np.ascontiguousarray(indices, np.int32), np.ascontiguousarray(scores, np.float32))
