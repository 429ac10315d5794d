"""What is true of an alignment in shared directions and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.cross_decomposition import CCA

from codomain.align import SubspaceAlignment


def pair(seed=0, n=400, shared=3):
    """Two spaces with a few shared directions of small variance under large ones that are each space's own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, shared))
    spaces = (np.hstack([common, 5 * rng.normal(size=(n, 6))]) for _ in range(2))
    return [Z @ ortho_group.rvs(shared + 6, random_state=seed + i) for i, Z in enumerate(spaces)]


def test_a_case_by_hand():
    """One direction is shared, B = -A there; the other column of A is noise of its own."""
    A = np.array([[1.0, 5.0], [2.0, -5.0], [3.0, -5.0], [4.0, 5.0]])
    fitted = SubspaceAlignment(1, penalty=0).fit(A, -A[:, :1])
    np.testing.assert_allclose(fitted.correlations_, 1, atol=1e-9)
    here = fitted.transform([[2.5, 0.0], [3.5, 100.0]]).ravel()
    assert here[0] == pytest.approx(0, abs=1e-9)
    assert here[1] == pytest.approx(fitted.transform_other([[-3.5]]).item(), rel=2e-3)


def test_correlations_are_those_of_scikit_learns_cca():
    A, B = pair()
    ours = SubspaceAlignment(2, penalty=0).fit(A, B)
    left, right = CCA(2, max_iter=5000, tol=1e-12).fit_transform(A, B)
    theirs = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(2)]
    np.testing.assert_allclose(ours.correlations_, theirs, atol=1e-3)


@pytest.mark.parametrize("matching", ["affine", "kernel"])
def test_it_matches_new_rows_where_all_directions_together_do_not(matching):
    A, B = pair()
    fitted = SubspaceAlignment(3, matching=matching, penalty=0).fit(A[:300], B[:300])
    # Three numbers without noise name each of a hundred rows; the kernel turns lengths away and keeps the angle.
    assert np.mean(fitted.match(A[300:], B[300:]) == np.arange(100)) > 0.9
    whole = SubspaceAlignment(9, matching=matching, penalty=0).fit(A[:300], B[:300])
    assert np.mean(whole.match(A[300:], B[300:]) == np.arange(100)) < 0.5


@given(seed=st.integers(0, 200), size=st.floats(0.01, 100))
def test_turning_or_rescaling_either_space_changes_no_match(seed, size):
    A, B = pair(seed, n=60)
    rotated = size * A @ ortho_group.rvs(9, random_state=seed + 5)
    one = SubspaceAlignment(3).fit(A, B).scores(A, B)
    two = SubspaceAlignment(3).fit(rotated, B).scores(rotated, B)
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_space_of_another_width_than_in_fit_is_refused():
    A, B = pair()
    with pytest.raises(ValueError, match=r"4 columns.*\n*.*9"):
        SubspaceAlignment(3).fit(A, B).transform_other(B[:, :4])


def test_directions_that_never_change_do_no_harm():
    A, B = pair()
    still = np.hstack([A, np.ones((len(A), 2))])
    one, two = (SubspaceAlignment(3, penalty=0).fit(Z, B).match(Z, B) for Z in (still, A))
    np.testing.assert_array_equal(one, two)
