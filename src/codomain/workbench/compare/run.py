"""Are two spaces the same space? With what chance would give, and which rows and groups differ most."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderMismatch, UserError
from codomain.measure import Measures, agreements, mutual_neighbors
from codomain.search import neighbors
from codomain.workbench.compare.differ import row_changes
from codomain.workbench.compare.join import Pairing, Picked, Side, Source, pair, side
from codomain.workbench.compare.shown import Compared
from codomain.workbench.compare.verdict import SAME_OVERLAP, is_turned, judge

MOST_ROWS = 20_000  # compared row by row; more are drawn at random
NEIGHBORS = 10


def compare_spaces(A: Source, B: Source, *, n_neighbors: int = NEIGHBORS, random_state: int = 0) -> Compared:
    """Compare two spaces of the same items.

    Parameters
    ----------
    A, B : Space, str, Path or array-like
        A space, a file of vectors, or an array. Rows are paired by id where both have ids, else by row number.
    n_neighbors : int, default=10
        Length of the lists of nearest rows.
    random_state : int, default=0
        Seed of the draw when there are more than 20,000 pairs, and of the nulls.

    Returns
    -------
    Compared
        It prints itself; `write` makes the page with both maps.

    Raises
    ------
    UserError
        When rows cannot be paired, fewer than 20 pair, or a space holds a value that is not finite or only equal rows.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((300, 8))
    >>> compare_spaces(A, 2 * A[:, ::-1]).verdict
    'the same space up to a rotation'
    """
    one, two = side(A, "A"), side(B, "B")
    pairing = pair(one, two)
    chosen = [_pick_rows(one.vectors, pairing.rows_a), _pick_rows(two.vectors, pairing.rows_b)]
    found, refused = agreements(*chosen, random_state=random_state, only_meaningful=True, progress=True)
    rows = np.arange(len(pairing))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(random_state).choice(len(rows), MOST_ROWS, replace=False))
    some = [np.asarray(vectors[rows], np.float32) for vectors in chosen]
    if n_neighbors >= len(rows):
        raise UserError(f"n_neighbors={n_neighbors} among {len(rows)} pairs.", needed="fewer neighbours than pairs")
    lists = [neighbors(x, n_neighbors, progress=True).indices for x in some]
    kept = mutual_neighbors(*some, n_neighbors=n_neighbors, lists=(lists[0], lists[1]), random_state=random_state)
    measures = [kept, *(one for one in found if one.name != "biased_cka")]  # that one is for printed numbers
    refused.pop("biased_cka", None)
    by, centred = {measure.name: measure for measure in measures}, None
    if is_turned(by.get("procrustes_distance")) and (kept.low or 0) < SAME_OVERLAP:
        level = [x - x.mean(axis=0, dtype=np.float64).astype(np.float32) for x in some]
        again = [neighbors(x, n_neighbors).indices for x in level]
        centred = mutual_neighbors(*level, n_neighbors=n_neighbors, lists=(again[0], again[1]))
    verdict, why = judge(by, centred)
    notes = [*pairing.lines(one.name, two.name), _encoders(one, two)]
    if len(rows) < len(pairing):
        notes.append(f"rows, groups and maps are of {len(rows):,} pairs drawn at random, and neighbours among those")
    notes += _doubts(one, two, pairing, rows, some)
    changes = row_changes(*some, *lists)
    return Compared(
        one, two, pairing, Measures(measures), refused, verdict, why, notes, rows, (lists[0], lists[1]), changes,
        random_state,
    )  # fmt: skip


def _pick_rows(vectors: Any, rows: NDArray[np.int64]) -> Any:
    """Return the vectors themselves when the rows are all of them in order, which is faster to read."""
    whole = len(rows) == vectors.shape[0] and bool((np.diff(rows) == 1).all())
    return vectors if whole else Picked(vectors, rows)


def _encoders(A: Side, B: Side) -> str:
    if not (A.encoder.sha256 and B.encoder.sha256):
        return "vectors came without an encoder, so whether both have the same one is not known"
    try:
        A.encoder.check_same(B.encoder)
    except EncoderMismatch:
        return f"different encoders: {A.encoder.describe()} and {B.encoder.describe()}"
    return f"the same encoder: {A.encoder.describe()}"


def _doubts(A: Side, B: Side, pairing: Pairing, rows: NDArray[np.int64], some: list[NDArray[Any]]) -> list[str]:
    """Say what makes the answer less than it seems: other texts under one id, features that never move."""
    doubts = []
    if A.texts and B.texts:
        one, two = A.texts(pairing.rows_a[rows]), B.texts(pairing.rows_b[rows])
        differ = sum(a != b for a, b in zip(one, two, strict=True)) / len(rows)
        if differ:
            doubts.append(f"{differ:.0%} of the pairs have another text in {B.name}: are these the same rows?")
    for side_, x in zip((A, B), some, strict=True):
        still = int((x == x[0]).all(axis=0).sum())
        if still:
            doubts.append(f"{still} of {x.shape[1]} features of {side_.name} never move; they change nothing here")
    return doubts
