"""Fit every bridge, choose one, and measure what it keeps on pairs that none of this has seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.align import BRIDGES, AsItIs, Bridge, Doubt, cosine_error
from codomain.core import bar, unit_rows
from codomain.workbench.migrate.among import bridge_unseen, pool_recalls, recall_among
from codomain.workbench.migrate.kept import (
    alerts,
    figure,
    gains,
    group_agreement,
    head,
    lists,
    own_first_share,
    rank,
    recall_of,
    share_found,
)
from codomain.workbench.migrate.measured import Candidate, Measured

_STRETCHES = (1.0, 1.25, 1.5, 2.0, 3.0)
_TESTED = 3000  # rows: lists among more of them would need blocks, and the interval is narrow already


def measure(
    A: NDArray[Any], B: NDArray[Any], *, rows: int | None = None, labels: list[Any] | None = None,
    groups: NDArray[Any] | None = None, k: int = 10, random_state: int = 0,
) -> Measured:  # fmt: skip
    """Fit every bridge on half of the pairs, choose by some, and measure on the rest.

    Parameters
    ----------
    A, B : ndarray of shape (n_pairs, d)
        Row i of one is row i of the other.
    rows : int, optional
        Rows of the space that the pairs are drawn from; as many as pairs when left out.
    labels : list, optional
        One a pair; None where there is none.
    groups : ndarray of int, optional
        Group of each pair, -1 for none.
    k : int, default=10
        Length of the lists.
    random_state : int, default=0
        Seed of the split and of the bootstrap.

    Returns
    -------
    Measured
        Figures of bridges fitted on 65 % of the pairs.
    """
    rng = np.random.default_rng(random_state)
    order = rng.permutation(len(A))
    fit, choose, test = np.split(order, [int(0.5 * len(A)), int(0.65 * len(A))])
    test, learn = test[:_TESTED], np.concatenate([fit, choose])
    k = max(1, min(k, len(choose) // 4))
    kinds = [kind for kind in BRIDGES if kind.name != "as it is" or A.shape[1] == B.shape[1]]
    truth, candidates, fitted = lists(B[test], B[test], k), [], {}
    with bar("bridges", total=len(kinds) + 5, unit="fits") as tick:
        for kind in kinds:
            early, middle = kind().fit(A[fit], B[fit]).transform(A[choose]), B[fit].mean(axis=0)
            tried = {g: _choice(B[choose], middle + g * (early - middle), k) for g in _stretches(kind)}
            stretch = max(tried, key=lambda g: tried[g])
            fitted[kind.name] = kind(stretch).fit(A[learn], B[learn])
            mapped = fitted[kind.name].transform(A[test])
            kept = figure(
                "recall", f"of the {k} nearest by the new encoder, found",
                share_found(lists(B[test], mapped, k), truth), rng,
            )  # fmt: skip
            own_first, off = own_first_share(B[test], mapped), float(cosine_error(mapped, B[test]).mean())
            candidates.append(Candidate(kind.name, stretch, tried[stretch], kept, own_first, off))
            tick(1)
        candidates.sort(key=lambda one: -one.choice)
        bridge = fitted[candidates[0].name]
        curve = []
        for count in (len(learn) // 8, len(learn) // 4, len(learn) // 2):
            some = type(bridge)(bridge.stretch).fit(A[learn[:count]], B[learn[:count]])
            curve.append((count, recall_of(B[test], some.transform(A[test]), k)))
            tick(1)
        mapped = bridge.transform(A[test])
        doubt = Doubt(random_state).fit(A[learn], B[learn], bridge).score(A[test], mapped)
        tick(1)
        pools = pool_recalls(B, bridge_unseen(type(bridge), bridge.stretch, A, B, rng), k, rng)
        tick(1)
    figures = [
        head(A, B, learn, test, bridge, labels, rng),
        group_agreement(A, B, learn, test, bridge, groups, rng),
        alerts(B[test], mapped, k, rng),
    ]
    worst, anyone = gains(A[test], B[test], mapped, doubt, truth, k, rng)
    rows = max(rows or 0, len(A))
    among_all = recall_among(
        "among_all", f"of the {k} nearest by the new encoder among all rows, found", pools, rows, rng
    )
    stay = recall_among(
        "stay", "of the new encoder's lists among all rows, found by the old encoder's own",
        pool_recalls(B, A, k, rng, queries=A), rows, rng,
    )  # fmt: skip
    return Measured(
        k, len(learn), len(choose), len(test), candidates, rows, among_all, stay,
        [one for one in figures if one], [*curve, (len(learn), candidates[0].recall.value)],
        [(size, float(recalls.mean())) for size, recalls in pools],
        rank(doubt, cosine_error(mapped, B[test])), worst, anyone,
    )  # fmt: skip


def _stretches(kind: type[Bridge]) -> tuple[float, ...]:
    return (1.0,) if kind is AsItIs else _STRETCHES


def _choice(B: NDArray[Any], mapped: NDArray[Any], k: int) -> float:
    """Mean of the recall among bridged rows and of that when every tenth row has its true vector, as some will have."""
    mixed = unit_rows(mapped)
    mixed[::10] = unit_rows(B[::10])
    return (recall_of(B, mapped, k) + recall_of(B, mixed, k)) / 2
