"""How much of lists, heads, groups and alerts a bridge keeps on rows that it has not seen."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from codomain.align import Bridge
from codomain.core import unit_rows
from codomain.workbench.migrate.measured import Figure

Rows = NDArray[np.int64]
_DRAWS = 1000


def lists(Q: NDArray[Any], X: NDArray[Any], k: int) -> Rows:
    """Nearest k rows of X for each row of Q by cosine, row i of X left out of list i."""
    scores = unit_rows(np.asarray(Q, np.float32)) @ unit_rows(np.asarray(X, np.float32)).T
    np.fill_diagonal(scores, -np.inf)
    return np.argpartition(-scores, k, axis=1)[:, :k]


def share_found(found: Rows, truth: Rows) -> NDArray[np.float64]:
    """Share of each list of `truth` that is in `found`, 0 to 1."""
    return (found[:, :, None] == truth[:, None, :]).any(axis=1).mean(axis=1)


def recall_of(B: NDArray[Any], mapped: NDArray[Any], k: int) -> float:
    """Mean share of the lists among true rows that is found among bridged ones, 0 to 1."""
    return float(share_found(lists(B, mapped, k), lists(B, B, k)).mean())


def figure(name: str, says: str, values: NDArray[Any], rng: Generator, own: NDArray[Any] | None = None) -> Figure:
    """Mean of the rows' values, and where it lies in 95 of 100 resamples."""
    drawn = values[rng.integers(len(values), size=(_DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(
        name,
        says,
        float(values.mean()),
        float(low),
        float(high),
        None if own is None else float(own.mean()),
        len(values),
    )


def own_first_share(B: NDArray[Any], mapped: NDArray[Any]) -> float:
    """Share of rows that their own new vector finds first among the bridged ones."""
    scores = unit_rows(np.asarray(B, np.float32)) @ unit_rows(np.asarray(mapped, np.float32)).T
    return float(np.mean(scores.argmax(axis=1) == np.arange(len(B))))


def _centres(X: NDArray[Any], y: NDArray[Any], n: int) -> NDArray[Any]:
    """Mean direction of each class."""
    sums = np.zeros((n, X.shape[1]))
    np.add.at(sums, y, unit_rows(X))
    return unit_rows(sums)


def head(
    A: NDArray[Any],
    B: NDArray[Any],
    learn: Rows,
    test: Rows,
    bridge: Bridge,
    labels: list[Any] | None,
    rng: Generator,
) -> Figure | None:
    """Accuracy of a nearest-class head that learned from bridged rows, on rows encoded again."""
    if labels is None:
        return None
    names, codes = np.unique([str(label) for label in labels], return_inverse=True)
    given = np.array([label is not None and str(label).strip() != "" for label in labels])
    learn, test = learn[given[learn]], test[given[test]]
    if len(set(codes[learn])) < 2 or len(test) < 20:
        return None
    right = [
        (unit_rows(B[test]) @ _centres(X, codes[learn], len(names)).T).argmax(axis=1) == codes[test]
        for X in (bridge.transform(A[learn]), B[learn])
    ]
    return figure(
        "head", "accuracy on re-encoded rows of a head that learned from bridged rows", right[0], rng, right[1]
    )


def group_agreement(
    A: NDArray[Any],
    B: NDArray[Any],
    learn: Rows,
    test: Rows,
    bridge: Bridge,
    groups: NDArray[Any] | None,
    rng: Generator,
) -> Figure | None:
    """Share of rows whose nearest group is the same before and after."""
    if groups is None:
        return None
    learn = learn[groups[learn] >= 0]
    names, codes = np.unique(groups[learn], return_inverse=True)
    if len(names) < 2:
        return None
    near: Callable[[Any, Any], Any] = lambda Q, X: (unit_rows(Q) @ _centres(X, codes, len(names)).T).argmax(axis=1)  # noqa: E731
    before = near(A[test], A[learn])
    kept, own = (near(B[test], X) == before for X in (bridge.transform(A[learn]), B[learn]))
    return figure("groups", "of re-encoded rows, nearest to the group they were nearest to before", kept, rng, own)


def alerts(B: NDArray[Any], mapped: NDArray[Any], k: int, rng: Generator) -> Figure:
    """Of the oddest twentieth of bridged rows, share that is among the oddest tenth of the re-encoded ones."""
    odd = []
    for X in (B, mapped):
        rows = unit_rows(np.asarray(X, np.float32))
        scores = rows @ rows.T
        np.fill_diagonal(scores, -np.inf)
        odd.append(-np.sort(scores, axis=1)[:, -k:].mean(axis=1))
    alerts = np.argsort(-odd[1])[: max(len(B) // 20, 3)]
    return figure(
        "alerts",
        "of the 5 % oddest rows, among the 10 % oddest by the new encoder",
        odd[0][alerts] >= np.quantile(odd[0], 0.9),
        rng,
    )


def gains(
    A: NDArray[Any],
    B: NDArray[Any],
    mapped: NDArray[Any],
    doubt: NDArray[Any],
    truth: Rows,
    k: int,
    rng: Generator,
) -> tuple[float, float]:
    """Recall won by encoding again the worst tenth by doubt, and any tenth (the mean of ten draws)."""
    tenth, before = max(1, len(B) // 10), share_found(lists(B, mapped, k), truth).mean()

    def gain(rows: Rows) -> float:
        mixed = unit_rows(mapped)
        mixed[rows] = unit_rows(B[rows])
        return float(share_found(lists(B, mixed, k), truth).mean() - before)

    listed = np.bincount(lists(A, A, k).ravel(), minlength=len(A))
    worst = np.argsort(-urgency(doubt, listed))[:tenth]
    return gain(worst), float(np.mean([gain(rng.choice(len(B), tenth, replace=False)) for _ in range(10)]))


def urgency(doubt: NDArray[Any], listed: NDArray[Any] | None) -> NDArray[Any]:
    """Order in which to encode rows again: doubtful ones first, more so when many rows have them as neighbours."""
    return doubt if listed is None else doubt * (1 + listed)


def rank(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Spearman's rank correlation; 0 where one of the two never changes."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0
