"""Certify a recall: the least share of the true nearest rows that is found, and where the others are lost."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core import UserError
from codomain.core.maths.rows import Floats, Ints, finite_unit_rows
from codomain.core.maths.top import drop_own, exact_top
from codomain.shrink.index.recipe import FittedRecipe, Recipe

TIE = 1e-6  # scores closer than this count as equal: float32 sums differ by that much with their order
QUERIES = 1000


def bounds(recalls: ArrayLike, *, confidence: float = 0.95, random_state: int = 0) -> tuple[float, float]:
    r"""Interval for the mean of values from 0 to 1, valid when most of them are exactly 1.

    Gaffke's bound: sort the n values, add one more at the worst end, and give the n + 1 values random weights that
    sum to 1, uniform over all such weights; the lower end is the :math:`(1 - c)/2` quantile of the weighted mean
    with the extra value 0, the upper end the :math:`(1 + c)/2` quantile with the extra value 1. When every value
    is 0 or 1 this is Clopper and Pearson's interval.

    Parameters
    ----------
    recalls : array-like of shape (n_queries,)
        One recall per query, from 0 to 1.
    confidence : float, default=0.95
        Share of samples whose interval holds the true mean; each end alone fails in half of the rest.
    random_state : int, default=0
        Seed of the weights; 20,000 draws, so an end changes with it by a fiftieth of the standard error.

    Returns
    -------
    lower, upper : float
        From 0 to 1.
    """
    values, counts = np.unique(np.asarray(recalls, dtype=np.float64), return_counts=True)
    if not len(values) or values[0] < 0 or values[-1] > 1:
        raise UserError("No recalls, or recalls outside 0 to 1.", needed="at least one value from 0 to 1")
    # Equal values can share one gamma-distributed weight, so the cost does not grow with the number of queries.
    rng = np.random.default_rng(random_state)
    weights = np.column_stack([rng.standard_gamma(count, 20_000) for count in (1, *counts)])
    total = weights.sum(axis=1)
    tail = (1 - confidence) / 2
    low = np.quantile(weights[:, 1:] @ values / total, tail)
    high = np.quantile((weights[:, 1:] @ values + weights[:, 0]) / total, 1 - tail)
    return float(low), min(float(high), 1.0)


def queries_needed(target: float, confidence: float = 0.95) -> int:
    """Return the fewest queries that can prove a recall, when none of them loses anything."""
    return int(np.ceil(np.log((1 - confidence) / 2) / np.log(target)))


class Judge:
    """Decides, for some rows as queries, which rows are truly among their k nearest.

    A row counts when its exact cosine reaches the k-th best one minus 0.000001, so that equal rows may replace
    each other. A query's own row never counts.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        All rows: array, memory map or a space's vectors.
    rows : ndarray of int, shape (n_queries,)
        Rows that are the queries.
    k : int, default=10
        Neighbours that count; lowered to n_samples - 1 when there are fewer.
    scores : ndarray of shape (n_samples, at least k), default=None
        Exact cosines of every row's nearest rows, its own left out, best first, where they are known already;
        without them, one pass over X computes them.
    """

    def __init__(self, X: Any, rows: Ints, k: int = 10, *, scores: Floats | None = None) -> None:
        self.X, self.rows, self.k = X, rows, min(k, X.shape[0] - 1)
        if self.k < 1:
            raise UserError(f"{X.shape[0]} rows have no neighbours.", needed="at least two rows")
        self.Q = finite_unit_rows(X[rows])
        if scores is not None and scores.shape[1] >= self.k:
            last = np.asarray(scores[rows, self.k - 1], dtype=np.float32)
        else:
            last = exact_top(X, self.Q, self.k, own=rows)[0][:, -1]
        self.least = last - TIE

    def part(self, chosen: slice) -> "Judge":
        """Return a judge of some of the queries."""
        out = object.__new__(type(self))
        out.X, out.rows, out.k = self.X, self.rows[chosen], self.k
        out.Q, out.least = self.Q[chosen], self.least[chosen]
        return out

    def recalls(self, found: Ints) -> NDArray[np.float64]:
        """Share of the k nearest rows that is in each query's list, of shape (n_queries,)."""
        out = np.empty(len(found))
        step = max(4096 // found.shape[1], 1)
        for start in range(0, len(found), step):
            some, queries = found[start : start + step], self.Q[start : start + step]
            rows = finite_unit_rows(self.X[np.maximum(some, 0).ravel()]).reshape(*some.shape, -1)
            good = np.einsum("qd,qkd->qk", queries, rows) >= self.least[start : start + step, None]
            out[start : start + step] = np.minimum((good & (some >= 0)).sum(axis=1), self.k) / self.k
        return out


@dataclass(frozen=True)
class Certificate:
    """What a recipe costs and what it keeps, measured on rows that it did not learn from.

    Parameters
    ----------
    recipe : Recipe
        What was measured.
    bytes : float
        For each vector, with everything: codes, rescoring store, codebooks, projection.
    scan_bytes : int
        Those of them that a search reads for every row.
    recall, lower, upper : float
        Mean share of the true k nearest rows that is found, and its interval (95 %; the lower end alone fails in
        at most 2.5 of 100 samples).
    n_queries, k : int
        Held-out queries, and neighbours that count.
    losses : dict
        "project", "code" and "index": the three shares of 1 - recall. "project": lost by an exact search among the
        projected vectors; "code": lost on top of that by coding them; "index": lost on top by rescoring and by lists
        that were not read. With rescoring, the first two count a neighbour as kept when it is among the candidates. A
        share can be slightly below 0 when a later step happens to undo an earlier loss.
    fresh : bool
        Whether these queries had no part in choosing the recipe.
    front : bool
        Whether no other measured recipe has as few bytes and as much recall.
    """

    recipe: Recipe
    bytes: float
    scan_bytes: int
    recall: float
    lower: float
    upper: float
    n_queries: int
    k: int
    losses: dict[str, float] = field(default_factory=dict)
    fresh: bool = True
    front: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON can hold it; "recipe" is the name, "made" the recipe's fields."""
        return {
            "recipe": self.recipe.name,
            "made": self.recipe.to_dict(),
            **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "recipe"},
        }

    @classmethod
    def whole(cls, d: int, k: int) -> Self:
        """Return the certificate of the vectors as they are, which lose nothing by definition."""
        none = {"project": 0.0, "code": 0.0, "index": 0.0}
        return cls(Recipe(code="f32"), 4.0 * d, 4 * d, 1.0, 1.0, 1.0, 0, k, none)

    def __str__(self) -> str:
        return (
            f"{self.recipe.name}, {self.bytes:,.0f} bytes: recall@{self.k} {self.recall:.3f} "
            f"[{self.lower:.3f}, {self.upper:.3f}] on {self.n_queries} {'held-out' if self.fresh else 'tuning'} queries"
        )


def certify(
    fitted: FittedRecipe,
    X: Any,
    *,
    k: int = 10,
    queries: Ints | None = None,
    n_queries: int = QUERIES,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Certificate:
    """Measure a fitted recipe on held-out rows of the space it has encoded.

    Parameters
    ----------
    fitted : FittedRecipe
        With every row of X encoded, in order.
    X : array-like of shape (n_samples, n_features)
        The vectors before compression.
    k : int, default=10
        Neighbours that count.
    queries : ndarray of int, default=None
        Rows that are the queries, none of them used in the fit. None draws `n_queries` of the rows that it did not
        learn from.
    n_queries : int, default=1000
        Fewer when there are not as many.
    confidence : float, default=0.95
        Of the interval from lower to upper.
    random_state : int, default=0
        Seed of the draw and of the bound.

    Returns
    -------
    Certificate
        Valid for queries that are like the rows of X.

    Raises
    ------
    UserError
        When X is not what was encoded, or no row was held out.
    """
    if len(fitted) != X.shape[0]:
        raise UserError(
            f"{len(fitted)} rows are encoded and X has {X.shape[0]}.", needed="the same rows", todo="fitted.encode(X)"
        )
    if queries is None:
        if fitted.train is None:
            raise UserError("Which rows this was fitted on is not known.", todo="certify(..., queries=held_out_rows)")
        rest = np.setdiff1d(np.arange(X.shape[0]), fitted.train)
        queries = np.random.default_rng(random_state).permutation(rest)[:n_queries]
        if not len(queries):
            raise UserError("No row was held out of the fit.", todo="recipe.fit(X, train=some_of_the_rows)")
    return measure(fitted, Judge(X, queries, k), confidence=confidence, random_state=random_state)


def query_recalls(fitted: FittedRecipe, judge: Judge) -> NDArray[np.float64]:
    """Recall of each of the judge's queries."""
    ask = min(judge.k + 1, len(fitted))  # one more, for the query's own row
    return judge.recalls(drop_own(fitted.search(judge.Q, ask)[1], judge.rows, judge.k))


def measure(
    fitted: FittedRecipe,
    judge: Judge,
    *,
    confidence: float = 0.95,
    random_state: int = 0,
    found: NDArray[np.float64] | None = None,
    projected: dict[Any, float] | None = None,
) -> Certificate:
    """Measure with a judge; `found` is from `query_recalls`, `projected` caches exact searches of projected rows."""
    k, n, recipe = judge.k, len(fitted), fitted.recipe
    deep = min((k + 1) * (1 if recipe.rescore == "none" else recipe.depth), n) - 1
    found = query_recalls(fitted, judge) if found is None else found
    recall = float(found.mean())
    after_code = recall
    if recipe.rescore != "none":
        after_code = float(judge.recalls(drop_own(fitted.candidates(judge.Q, deep + 1), judge.rows, deep)).mean())
    after_project = 1.0
    if recipe.project != "none":
        cache = {} if projected is None else projected
        codes_for = recipe.code if recipe.project == "opq" else ""
        key = recipe.project, recipe.width, codes_for, deep, len(judge.rows), int(judge.rows[0])
        if key not in cache:
            rows = exact_top(judge.X, judge.Q, deep, own=judge.rows, project=fitted.project)[1]
            cache[key] = float(judge.recalls(rows).mean())
        after_project = cache[key]
    lower, upper = bounds(found, confidence=confidence, random_state=random_state)
    losses = {"project": 1 - after_project, "code": after_project - after_code, "index": after_code - recall}
    return Certificate(
        recipe, fitted.bytes_per_vector, fitted.scan_bytes, recall, lower, upper, len(judge.rows), k, losses
    )
