"""What a method over pairs checks before it learns from them."""

from typing import ClassVar

import numpy as np
import pytest

from codomain.core import Int, Paired, UserError


class Sum(Paired):
    """Adds up both sides."""

    rules: ClassVar = {"times": Int(1)}
    partner = "the answers"

    def __init__(self, times: int = 1) -> None:
        self.times = times

    def fit(self, X, y, least=1):
        self.sides_ = self._pairs(X, y, least)
        return self


def test_a_single_column_on_the_other_side_becomes_a_matrix_of_one_column():
    _, other = Sum().fit([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]).sides_
    assert other.tolist() == [[5.0], [6.0]]


@pytest.mark.parametrize(("kind", "expected"), [("f4", "f4"), ("f8", "f8"), ("i8", "f8")])
def test_both_sides_come_back_in_the_float_type_of_x(kind, expected):
    X = np.arange(6, dtype=kind).reshape(3, 2)
    one, other = Sum().fit(X, X.astype("f8")[:, ::-1]).sides_
    assert one.dtype == other.dtype == np.dtype(expected)
    assert np.array_equal(other, X[:, ::-1])


def test_a_missing_side_is_asked_for_by_its_name():
    with pytest.raises(UserError, match="Sum: requires y to be passed, but the target y is None") as refused:
        Sum().fit([[1.0]], None)
    assert "the answers as y" in str(refused.value)


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        ([[1.0], [2.0]], [1.0], "inconsistent numbers of samples"),
        ([[1.0], [2.0]], [1.0, np.nan], "y contains NaN"),
        ([[1.0], [np.inf]], [1.0, 2.0], "X contains infinity"),
        ([[1.0]], [1.0], "minimum of 2 is required"),
    ],
)
def test_sides_that_do_not_fit_each_other_are_refused(X, y, said):
    with pytest.raises(ValueError, match=said):
        Sum().fit(X, y, least=2)


def test_a_broken_rule_is_told_before_the_data_are_looked_at():
    with pytest.raises(UserError, match="times"):
        Sum(times=0).fit(None, None)
