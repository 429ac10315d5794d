import numpy as np

from codomain.cluster import groups
from codomain.encode import resolve
from codomain.search import neighbors


def test_groups_of_an_array_are_those_of_its_lists(docstrings):
    X = resolve("static:wordllama").encode(docstrings["text"].to_pylist())
    found, expected = groups(X), groups(neighbors(X))
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.stability, expected.stability)
