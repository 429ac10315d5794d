"""The base of all methods."""

from typing import ClassVar

import pytest
from sklearn.base import clone

from codomain.core import Int, Method, OneOf, UserError


class Toy(Method):
    rules: ClassVar = {"size": Int(1), "metric": OneOf("cosine", "euclidean")}

    def __init__(self, size=3, *, metric="cosine"):
        self.size = size
        self.metric = metric


def test_parameters_that_obey_pass():
    Toy()._check_params()
    Toy(1, metric="euclidean")._check_params()


def test_the_error_names_the_method_the_parameter_the_value_and_what_is_allowed():
    with pytest.raises(
        UserError, match=r"Toy: size=0 cannot be used\.\nNeeded: size must be a whole number of at least 1"
    ):
        Toy(0)._check_params()


def test_it_is_refused_only_when_used_as_scikit_learn_wants():
    assert clone(Toy(0)).size == 0


def test_an_error_of_a_rule_is_a_value_error():
    with pytest.raises(ValueError, match="'cosine', 'euclidean'"):
        Toy(metric="manhattan")._check_params()


def test_a_method_has_no_excuses_of_its_own_accord():
    assert Toy.excused == {}
