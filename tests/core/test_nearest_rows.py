import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from codomain.core import UserError, nearest_rows


def test_the_lists_are_those_of_another_library():
    X = np.random.default_rng(0).standard_normal((5000, 6))
    found = nearest_rows(X, 4)
    far, rows = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(X).kneighbors(X)
    assert found.indices.dtype == np.int32 and found.scores.dtype == np.float32
    assert np.mean(found.indices == rows[:, 1:]) > 0.999
    np.testing.assert_allclose(found.scores, 1 - far[:, 1:], atol=1e-5)


def test_few_rows_have_lists_of_all_the_others():
    found = nearest_rows([[1, 0], [0, 1], [1, 1]])
    assert found.indices.tolist() == [[2, 1], [2, 0], [0, 1]]


def test_a_row_is_never_in_its_own_list_also_where_it_has_copies():
    found = nearest_rows(np.repeat(np.eye(4), 3, axis=0), 2)
    assert [sorted(row) for row in found.indices[:3].tolist()] == [[1, 2], [0, 2], [0, 1]]


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.ones(3), r"shape \(3,\)"), (np.ones((1, 3)), "X has 1 row"), (np.array([["a"]]), "type <U1"),
        (np.array([[1.0, np.nan], [1, 1]]), "NaN or infinity"),
    ],
)  # fmt: skip
def test_what_is_no_array_of_vectors_is_refused(X, words):
    with pytest.raises(UserError, match=words):
        nearest_rows(X)
