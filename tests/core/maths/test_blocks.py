"""Blocks of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError, unit_rows
from codomain.core.maths.blocks import slices, unit_blocks
from codomain.core.maths.rows import finite_unit_rows


@given(n=st.integers(0, 60), step=st.integers(1, 20))
def test_blocks_hold_every_row_once_in_order_and_only_the_last_is_short(n, step):
    rows = [list(range(n))[block] for block in slices(n, step)]
    assert [row for block in rows for row in block] == list(range(n))
    assert all(len(block) == step for block in rows[:-1]) and all(rows)
    assert [(block.start, block.stop) for block in slices(n, step)] == [(r[0], r[-1] + 1) for r in rows]


@given(n=st.integers(1, 30), step=st.integers(1, 9), seed=st.integers(0, 99))
def test_unit_blocks_are_the_unit_rows_of_all(n, step, seed):
    X = np.random.default_rng(seed).standard_normal((n, 3))
    starts, blocks = zip(*unit_blocks(X, step), strict=True)
    assert list(starts) == list(range(0, n, step))
    np.testing.assert_array_equal(np.concatenate(blocks), unit_rows(X.astype(np.float32)))


def test_rows_that_have_length_one_are_not_copied_again():
    X = np.eye(4, dtype=np.float32)
    assert finite_unit_rows(X) is X
    assert finite_unit_rows(2 * X) is not X


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_refused(bad):
    with pytest.raises(UserError, match="NaN or infinity"):
        finite_unit_rows(np.array([[1.0, 0.0], [bad, 1.0]]))


def test_finite_rows_whose_squares_are_not_get_length_one():
    np.testing.assert_allclose(finite_unit_rows(np.full((1, 4), 1e30, np.float32)), 0.5, rtol=1e-6)
