"""The dimension around a row: by its definition, and on rows whose dimension is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import inverse_dimensions


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_it_is_the_mean_of_the_logarithms_and_no_unit_changes_it(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.random((5, 7)) + 0.1
    found = inverse_dimensions(distances)
    for row, value in zip(distances, found, strict=True):
        nearer = sorted(row)[:-1]
        assert value == pytest.approx(sum(np.log(max(row) / r) for r in nearer) / len(nearer))
    np.testing.assert_allclose(inverse_dimensions(unit * distances[:, ::-1]), found, rtol=1e-9)
    np.testing.assert_allclose(inverse_dimensions(distances, count_farthest=True), found * 6 / 7)


@pytest.mark.parametrize("dimension", [1, 3, 6])
def test_even_rows_have_their_dimension(dimension: int) -> None:
    # The distance of row i of n even rows in a ball is the i-th smallest of n uniform numbers, to the power 1 / D.
    nearest = np.sort(np.random.default_rng(0).random((4000, 50)), axis=1)[:, :20] ** (1 / dimension)
    assert 1 / inverse_dimensions(nearest).mean() == pytest.approx(dimension, rel=0.02)


def test_copies_and_unknown_distances_are_left_out() -> None:
    whole = np.array([[1.0, 2.0, 4.0]], np.float32)
    gaps = np.array([[0.0, 1.0, np.nan, 2.0, 4.0], [0.0, 0, 0, 0, np.nan], [0.0, 0, 0, 0, 3], [2.0, 2, 2, 2, 2]])
    found = inverse_dimensions(gaps)
    assert found[0] == pytest.approx(inverse_dimensions(whole)[0]) and found[3] == 0
    assert np.isnan(found[1:3]).all()
    assert inverse_dimensions(gaps, count_farthest=True)[2] == 0
    assert inverse_dimensions(whole).dtype == np.float32
