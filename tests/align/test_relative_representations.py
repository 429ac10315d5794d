"""What is true of relative representations and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import ortho_group

from codomain.align import RelativeRepresentation


def cloud(seed, n=30, d=4):
    return np.random.default_rng(seed).normal(size=(n, d))


def test_a_case_by_hand():
    fitted = RelativeRepresentation(2, random_state=0).fit([[2.0, 0.0], [0.0, 5.0]])
    columns = np.argsort(fitted.anchor_rows_)
    np.testing.assert_allclose(
        fitted.transform([[3.0, 4.0], [-1.0, 0.0]])[:, columns], [[0.6, 0.8], [-1, 0]], atol=1e-12
    )


@given(seed=st.integers(0, 1000), size=st.floats(1e-3, 1e3))
def test_no_rotation_and_no_rescaling_changes_it(seed, size):
    X = cloud(seed)
    moved = size * X @ ortho_group.rvs(4, random_state=seed)
    one, two = (RelativeRepresentation(5, random_state=seed).fit_transform(Z) for Z in (X, moved))
    np.testing.assert_allclose(one, two, atol=1e-9)


def test_it_is_the_cosine_that_scipy_computes():
    X = cloud(0)
    fitted = RelativeRepresentation(6, random_state=1).fit(X)
    np.testing.assert_allclose(fitted.transform(X), 1 - cdist(X, X[fitted.anchor_rows_], "cosine"), atol=1e-12)


def test_the_same_seed_takes_the_same_items_as_anchors_in_a_space_of_another_width():
    one = RelativeRepresentation(5, random_state=3).fit(cloud(0))
    two = RelativeRepresentation(5, random_state=3).fit(cloud(1, d=9))
    np.testing.assert_array_equal(one.anchor_rows_, two.anchor_rows_)
    assert len(set(one.anchor_rows_)) == 5


def test_an_anchor_is_at_cosine_one_from_itself():
    X = cloud(0)
    fitted = RelativeRepresentation(5, random_state=3).fit(X)
    np.testing.assert_allclose(np.diag(fitted.transform(X[fitted.anchor_rows_])), 1)


def test_more_anchors_than_rows_are_refused():
    with pytest.raises(ValueError, match=r"n_anchors=4 with n_samples=3.*\n.*lower n_anchors|more rows"):
        RelativeRepresentation(4).fit(np.eye(3))


def test_a_row_of_zeros_is_at_cosine_zero_from_everything():
    assert not RelativeRepresentation(2, random_state=0).fit(np.eye(3)).transform(np.zeros((1, 3))).any()
