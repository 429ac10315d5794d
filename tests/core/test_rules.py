"""Rules allow what they say, refuse what they promise, and say so in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import Flag, Int, OneOf, Real, Seed, UserError

RULES = [
    Int(), Int(1), Int(0, 5), Int(2, none=True), Real(), Real(0), Real(0, 1, above=True), Real(0, none=True),
    OneOf("cosine", "euclidean"), OneOf(1, 2), Flag(), Seed(),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.words)
def test_a_rule_refuses_what_it_promises_to_refuse(rule):
    assert rule.refuses
    for value in rule.refuses:
        with pytest.raises(UserError, match="size must be") as caught:
            rule.check("Thing", "size", value)
        assert rule.words in str(caught.value)
        assert repr(value) in str(caught.value)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.words)
def test_the_lowest_value_is_allowed(rule):
    assert rule.lowest is None or rule.allows(rule.lowest)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Int(1), "a whole number of at least 1"),
        (Int(0, 5), "a whole number of at least 0 and at most 5"),
        (Int(high=5), "a whole number of at most 5"),
        (Int(2, none=True), "a whole number of at least 2 or None"),
        (Real(0, 1, above=True), "a finite number above 0 and at most 1"),
        (OneOf("a", "b"), "one of 'a', 'b'"),
    ],
)
def test_a_rule_reads_as_english(rule, words):
    assert rule.words == words


@given(low=st.integers(-50, 50), width=st.integers(0, 50), value=st.integers(-200, 200))
def test_a_whole_number_is_allowed_exactly_inside_its_range(low, width, value):
    assert Int(low, low + width).allows(value) == (value in range(low, low + width + 1))


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_is_allowed_exactly_when_finite_and_inside(value):
    assert Real(0, 1).allows(value) == (0 <= value <= 1)
    assert Real(0, 1, above=True).allows(value) == (0 < value <= 1)


def test_numpy_numbers_count_as_numbers():
    assert Int(1).allows(np.int32(3))
    assert Real(0).allows(np.float32(0.5))
    assert Flag().allows(np.bool_(True))
    assert Seed().allows(np.random.RandomState(0))


def test_one_is_not_true():
    assert not OneOf(1, 2).allows(True)
    assert not Int(0).allows(True)


def test_none_is_allowed_only_when_said():
    assert Int(1, none=True).allows(None)
    assert Real(1, none=True).allows(None)
    assert not Int(1).allows(None)
