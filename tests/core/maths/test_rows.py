"""Rows of length 1."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codomain.core import unit_rows

matrices = arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(-1e150, 1e150))


@given(matrices)
def test_every_row_has_length_one_or_was_zero(X):
    for row, was in zip(unit_rows(X), X, strict=True):
        assert math.hypot(*row) == pytest.approx(0 if not was.any() else 1)


@given(matrices)
def test_a_row_keeps_its_direction(X):
    for row, was in zip(unit_rows(X), X, strict=True):
        length = math.hypot(*was)
        np.testing.assert_allclose(row, [entry / length for entry in was] if length else was, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("size", [1e-38, 1e-20, 1.0, 1e20, 1e38])
def test_very_small_and_very_large_rows_keep_their_length_in_float32(size):
    X = np.full((1, 4), size, dtype=np.float32)
    np.testing.assert_allclose(unit_rows(X), 0.5, rtol=1e-6)


def test_the_type_is_kept_and_the_input_is_not_written_to():
    for kind in (np.float32, np.float64):
        X = np.array([[3.0, 4.0], [0.0, 0.0]], dtype=kind)
        X.flags.writeable = False
        np.testing.assert_allclose(unit_rows(X), [[0.6, 0.8], [0, 0]], rtol=1e-6)
        assert unit_rows(X).dtype == kind


def test_no_rows_give_no_rows():
    assert unit_rows(np.empty((0, 3), dtype=np.float32)).shape == (0, 3)
