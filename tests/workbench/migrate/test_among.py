"""The recall that a migration decides on is that among all rows of the space, not among those it tested with."""

import numpy as np
import pytest

from codomain.align import BRIDGES
from codomain.core import unit_rows
from codomain.data import frozen_docstrings
from codomain.encode import resolve
from codomain.workbench.migrate.among import extrapolate, pool_recalls
from codomain.workbench.migrate.figures import measure

ROWS, PAIRS = 2400, 400


@pytest.fixture(scope="module")
def spaces() -> tuple[np.ndarray, np.ndarray]:
    """Docstrings by an encoder that reads their first words alone and roughly, and by one that reads them whole."""
    texts = list(dict.fromkeys(frozen_docstrings().column("text").to_pylist()))[:ROWS]
    encoder, rng = resolve("static:wordllama"), np.random.default_rng(0)
    short = encoder.encode([text[:120] for text in texts]) @ rng.standard_normal((256, 64)) / 16
    return (short + 0.03 * rng.standard_normal(short.shape)).astype(np.float32), encoder.encode(texts)


def found(Q: np.ndarray, X: np.ndarray, k: int) -> list[set[int]]:
    """The k nearest rows of X for each row of Q, itself left out, by sorting all cosines."""
    cosines = unit_rows(Q) @ unit_rows(X).T
    np.fill_diagonal(cosines, -9)
    return [set(row) for row in np.argsort(-cosines, axis=1)[:, :k].tolist()]


def test_the_figure_printed_is_the_recall_among_all_rows_within_its_interval(
    spaces: tuple[np.ndarray, np.ndarray],
) -> None:
    A, B = spaces
    truth, mine = found(B, B, 10), found(A, A, 10)
    stay = np.mean([len(one & two) / 10 for one, two in zip(mine, truth, strict=True)])
    for seed in range(2):
        rows = np.sort(np.random.default_rng(seed).choice(ROWS, PAIRS, replace=False))
        measured = measure(A[rows], B[rows], rows=ROWS, random_state=seed)
        kind = next(kind for kind in BRIDGES if kind.name == measured.chosen.name)
        moved = kind(measured.chosen.stretch).fit(A[rows], B[rows]).transform(A)
        unseen = np.setdiff1d(np.arange(ROWS), rows)
        lists = found(B, moved, 10)
        recall = np.mean([len(lists[row] & truth[row]) / 10 for row in unseen])
        assert measured.among_all.low <= recall <= measured.among_all.high
        assert measured.among_all.high - measured.among_all.low < 0.25
        assert measured.chosen.recall.low > recall  # among the rows tested with alone it would have misled
        assert measured.stay.low <= stay <= measured.stay.high


def test_where_every_row_has_a_pair_nothing_is_carried_on() -> None:
    rng = np.random.default_rng(0)
    B = rng.normal(size=(300, 8))
    mapped = B + rng.normal(size=B.shape)
    pools = pool_recalls(B, mapped, 5, rng)
    recall = np.mean([len(one & two) / 5 for one, two in zip(found(B, mapped, 5), found(B, B, 5), strict=True)])
    value, low, high = extrapolate(pools, 300, rng)
    assert [size for size, _ in pools] == [75, 150, 300]
    assert value == pytest.approx(recall) and low < value < high


def test_recall_falls_on_at_worst_as_it_did_and_at_best_regains_a_doubling() -> None:
    pools = [(100, np.full(50, 0.6)), (200, np.full(50, 0.55)), (400, np.full(50, 0.5))]
    value, low, high = extrapolate(pools, 1600, np.random.default_rng(0))
    steps = np.log(1.5) * np.array([1, 0.5, 0])  # log-odds about .41, .20 and 0: two doublings more take as much
    worst = 1 / (1 + 1.5)
    assert np.log(0.55 / 0.45) == pytest.approx(steps[1], abs=0.003)
    assert value == pytest.approx((0.5 + worst) / 2, abs=1e-3)
    assert low == pytest.approx(worst, abs=1e-3) and high == pytest.approx(0.55, abs=2e-3)
