"""What is true of the Procrustes map and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.stats import ortho_group

from codomain.align import Procrustes


def cloud(seed, n=30, d=4):
    return np.random.default_rng(seed).normal(size=(n, d))


@given(seed=st.integers(0, 1000), size=st.floats(0.01, 100))
def test_a_turned_scaled_and_shifted_space_is_brought_back_exactly(seed, size):
    X = cloud(seed)
    target = size * X @ ortho_group.rvs(4, random_state=seed) + 7
    np.testing.assert_allclose(Procrustes().fit(X, target).transform(X), target, atol=1e-8 * max(size, 1))


def test_it_leaves_the_same_disparity_as_scipy():
    A, B = cloud(0), cloud(1)
    left = np.square(Procrustes().fit(A, B).transform(A) - B).sum()
    # scipy also lets the scale be free: with s the sum of singular values, ours leaves 2 - 2s and scipy 1 - s².
    disparity = procrustes(B, A)[2]
    spread = np.square(B - B.mean(axis=0)).sum()
    assert left / spread == pytest.approx(2 - 2 * np.sqrt(1 - disparity))


def test_no_other_rotation_fits_better():
    A, B = cloud(0), cloud(1)
    A, B = A - A.mean(axis=0), B - B.mean(axis=0)
    ours = np.linalg.norm(Procrustes(scale=False).fit(A, B).transform(A) - B)
    others = [np.linalg.norm(A @ ortho_group.rvs(4, random_state=seed) - B) for seed in range(200)]
    assert ours < min(others)


def test_without_scale_distances_stay():
    A, B = cloud(0), 5 * cloud(1)
    moved = Procrustes(scale=False).fit(A, B).transform(A)
    np.testing.assert_allclose(np.linalg.norm(moved[0] - moved[1]), np.linalg.norm(A[0] - A[1]))


@pytest.mark.parametrize(("narrow", "wide"), [(3, 5), (5, 3)])
def test_spaces_of_different_width_meet(narrow, wide):
    X = cloud(0, d=min(narrow, wide))
    turn = ortho_group.rvs(5, random_state=0)
    A, B = (np.pad(X, ((0, 0), (0, 5 - X.shape[1])))[:, :narrow], (X @ turn[: X.shape[1]])[:, :wide])
    moved = Procrustes().fit(A, B).transform(A)
    assert moved.shape == (30, wide)
    if wide == 5:
        np.testing.assert_allclose(moved, B, atol=1e-9)


def test_without_the_other_space_it_is_refused():
    with pytest.raises(ValueError, match="requires y"):
        Procrustes().fit(cloud(0), None)


def test_spaces_of_different_length_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        Procrustes().fit(cloud(0), cloud(0)[:-1])


def test_a_space_that_is_one_point_maps_to_the_other_spaces_mean():
    A, B = np.ones((5, 2)), cloud(0, n=5, d=2)
    np.testing.assert_allclose(Procrustes().fit(A, B).transform(A), np.tile(B.mean(axis=0), (5, 1)))
