"""Find the recipe with the fewest bytes whose recall is proved to meet a target."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from codomain.core import Neighbors, UserError, bar
from codomain.core.maths.rows import finite_unit_rows
from codomain.shrink.index.certificate import (
    QUERIES,
    Certificate,
    Judge,
    bounds,
    measure,
    queries_needed,
    query_recalls,
)
from codomain.shrink.index.front import Front, refusal
from codomain.shrink.index.grid import grid, list_count, reason_to_skip
from codomain.shrink.index.kinds import index_of
from codomain.shrink.index.learn import axes_of
from codomain.shrink.index.recipe import TRAIN_ROWS, FittedRecipe, Recipe

TUNING = 300  # queries for the choice
PILOT_ROWS = 20_000


@dataclass(frozen=True)
class _PilotResult:
    """Result of a recipe in the pilot, and the learned recipe without rows."""

    recipe: Recipe
    bytes: float
    scan: int
    recall: float
    empty: Any


def cheapest(
    X: Any,
    *,
    target: float = 0.95,
    k: int = 10,
    random_state: int = 0,
    budget_bytes: float | None = None,
    neighbors: Neighbors | None = None,
    fewest: Literal["bytes", "scan_bytes"] = "bytes",
    progress: bool = False,
) -> Front:
    """Find the recipe with the fewest bytes that is proved to keep a share of the nearest rows.

    Recipes learn from up to 20,000 rows. All of them are tried on (up to) 20,000 rows; those that no other beats
    are then measured on every row with the same tuning queries. From the fewest bytes up, each one that meets the
    target there is measured again on fresh, unused queries, and the first whose lower bound meets the target wins.
    More tries mean more chances to win by luck, so the first bound may fail in 2.5 of 100 samples, the second in half
    of that, and so on: all tries together in less than 5 of 100.

    Memory: a block of rows, 20,000 rows in float32 twice, and one index at a time (at most 2 bytes a column and row).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Array, memory map or a space's vectors; compared by cosine.
    target : float, default=0.95
        Recall wanted, above 0 and below 1.
    k : int, default=10
        Neighbours that count; lowered to n_samples - 1 when there are fewer.
    random_state : int, default=0
        Seed of every draw.
    budget_bytes : float, default=None
        Bytes for each vector that must not be exceeded.
    neighbors : Neighbors, default=None
        Exact cosines of each row's nearest rows, shape (n_samples, at least k), where they are known already: saves
        one pass over all rows.
    fewest : {"bytes", "scan_bytes"}, default="bytes"
        What to minimise: all bytes, or those that a search reads for each row, on which its speed depends; then
        recipes with lists are tried too, from 10,000 rows.
    progress : bool, default=False
        Whether to draw bars.

    Returns
    -------
    Front
        With the winner, or with the reason why there is none.

    Raises
    ------
    UserError
        When the target is not between 0 and 1.
    """
    n, d = X.shape
    if not 0 < target < 1:
        raise UserError(f"target={target}", needed="a recall above 0 and below 1, such as 0.95")
    front = Front(target, min(k, n - 1), chosen_among=n, fewest=fewest)
    needed = queries_needed(target)
    if n < 12:
        front.certificates = [replace(Certificate.whole(d, front.k), front=True)]
        front.refusal = (
            f"{n} rows are too few to measure anything; a recall of {target:g} needs at least {3 * needed} rows."
        )
        return front

    rng = np.random.default_rng(random_state)
    order = rng.permutation(n)
    n_fresh, n_tune = min(max(QUERIES, 2 * needed), n // 3), min(TUNING, n // 6)
    fresh_rows, tune_rows, pool = np.split(order, [n_fresh, n_fresh + n_tune])
    train = np.sort(pool[:TRAIN_ROWS])
    sample = finite_unit_rows(X[train])
    axes = axes_of(sample)
    judge = Judge(X, np.concatenate([tune_rows, fresh_rows]), k, scores=getattr(neighbors, "scores", None))
    tune, fresh = judge.part(slice(n_tune)), judge.part(slice(n_tune, None))

    # The pilot: every recipe, on a base small enough to be quick.
    pilot, pilot_judge = (finite_unit_rows(X[np.arange(n)]), tune) if n <= PILOT_ROWS else (None, None)
    if pilot is None or pilot_judge is None:
        pilot = finite_unit_rows(X[np.concatenate([tune_rows, pool[n_tune - PILOT_ROWS :]])])
        pilot_judge = Judge(pilot, np.arange(n_tune), k)
    pilots: list[_PilotResult] = []
    recipes = grid(d, list_count(n) if fewest == "scan_bytes" else 0)
    with _bar(progress, "try recipes", len(recipes)) as tick:
        for recipe in recipes:
            tick(1)
            if why := reason_to_skip(recipe, {one.recipe: one.recall for one in pilots}, target):
                front.skipped.append((recipe.name, why))
                continue
            try:
                fitted = recipe.learn(sample, np.random.default_rng(random_state), train=train, axes=axes)
            except UserError as error:
                front.skipped.append((recipe.name, error.came))
                continue
            empty = fitted.index.to_bytes()
            recall = float(query_recalls(fitted.encode(pilot), pilot_judge).mean())
            # Bytes that do not grow with the rows are divided by all rows, not by the pilot's.
            size = fitted.bytes_per_vector + len(empty) * (1 / n - 1 / len(pilot))
            pilots.append(_PilotResult(recipe, size, fitted.scan_bytes, recall, empty))
    finalists = []
    for one in sorted(pilots, key=lambda one: one.bytes):
        better = [o for o in pilots if o.bytes <= one.bytes and o.scan <= one.scan and o.recall > one.recall + 0.002]
        if better:
            best = max(better, key=lambda o: o.recall)
            why = f"{best.recipe.name} keeps more for no more bytes: {best.recall:.3f} against {one.recall:.3f}"
            front.skipped.append((one.recipe.name, f"{why} on {len(pilot):,} rows"))
        elif budget_bytes is not None and one.bytes > budget_bytes:
            front.skipped.append((one.recipe.name, f"{one.bytes:,.0f} bytes, over the budget of {budget_bytes:,.0f}"))
        else:
            finalists.append(one)
    del pilot, sample

    # The proof: the finalists on every row, fewest bytes first.
    projected: dict[Any, float] = {}
    tail, failed, rows = 0.05, [], []
    with _bar(progress, "prove", len(finalists)) as tick:
        for one in sorted(finalists, key=lambda one: one.scan if fewest == "scan_bytes" else one.bytes):
            fitted = FittedRecipe(one.recipe, index_of(one.empty), train).encode(X)
            found = query_recalls(fitted, tune)
            row = replace(
                measure(fitted, tune, found=found, projected=projected, random_state=random_state), fresh=False
            )
            tuning_recall = row.recall
            # What as many fresh queries with these recalls would prove: a hopeless try would only cost confidence.
            recalls = np.quantile(found, (np.arange(n_fresh) + 0.5) / n_fresh, method="nearest")
            if front.winner is None and bounds(recalls, confidence=1 - tail, random_state=random_state)[0] >= target:
                tail /= 2
                proof = measure(fitted, fresh, confidence=1 - 2 * tail, projected=projected, random_state=random_state)
                if proof.lower >= target:
                    front.winner, front._fitted, row = proof, fitted, proof
                else:
                    failed.append(proof)
            rows.append((tuning_recall, row))
            tick(1)
    rows.sort(key=lambda pair: pair[1].bytes)
    for recall, row in rows:
        dominated = any(
            other.bytes <= row.bytes and other_recall >= recall and (other.bytes < row.bytes or other_recall > recall)
            for other_recall, other in rows
        )
        front.certificates.append(replace(row, front=not dominated))
        if row is front.winner:
            front.winner = front.certificates[-1]
    front.certificates.append(replace(Certificate.whole(d, front.k), front=True))
    if front.winner is None:
        front.refusal = refusal(front, failed, n_fresh, needed, budget_bytes)
    return front


@contextmanager
def _bar(wanted: bool, label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Draw a progress bar when wanted."""
    if not wanted:
        yield lambda done: None
        return
    with bar(label, total=total, unit="recipes") as tick:
        yield tick
