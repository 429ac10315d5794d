"""The best rows by inner product."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import unit_rows
from codomain.core.maths import blocks
from codomain.core.maths.top import drop_own, exact_top, keep_best


@given(n=st.integers(2, 40), k=st.integers(1, 6), step=st.integers(1, 12), seed=st.integers(0, 999))
def test_blocks_that_are_merged_give_the_best_of_a_sorted_list(n, k, step, seed):
    S = np.random.default_rng(seed).integers(-3, 4, size=(2, n)).astype(np.float32)  # with many ties
    scores, rows = np.full((2, k), -np.inf, np.float32), np.full((2, k), -1)
    for block in blocks.slices(n, step):
        scores, rows = keep_best(scores, rows, S[:, block], block.start)
    for line, best, score in zip(S.tolist(), rows.tolist(), scores.tolist(), strict=True):
        expected = sorted(range(n), key=lambda row: (-line[row], row))[:k]
        assert best == expected + [-1] * (k - len(expected))
        assert score == [line[row] for row in expected] + [-np.inf] * (k - len(expected))


def test_a_query_that_is_a_row_does_not_find_itself():
    X = unit_rows(np.random.default_rng(0).standard_normal((30, 5)).astype(np.float32))
    scores, rows = exact_top(X, X[[3, 7]], 29, own=np.array([3, -1]))
    assert 3 not in rows[0] and rows[1, 0] == 7
    np.testing.assert_allclose(scores[1], np.sort(X @ X[7])[::-1][:29], rtol=1e-5)


def test_a_list_without_its_own_row_loses_its_last():
    found = drop_own(np.array([[5, 1, 2], [5, 1, 2]]), np.array([1, 9]), 2)
    assert found.tolist() == [[5, 2], [5, 1]]
