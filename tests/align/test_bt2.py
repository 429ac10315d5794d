"""What is true of changes of basis that put an old net in front of a new one and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.neighbors import KNeighborsClassifier

from codomain.align import BT2
from codomain.align.bt2 import _assemble
from codomain.align.shared.compatible import run_net
from codomain.core import unit_rows


def scene(seed=0, n=240, classes=6):
    """Clumps on a plane, and what an old net says of them: a bent, turned and noisy view in four columns."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    X = np.random.default_rng(99).normal(scale=4, size=(classes, 5))[y] + rng.normal(size=(n, 5))
    return X, y, np.tanh(X @ np.random.default_rng(98).normal(size=(5, 4)) / 4)


def test_a_case_by_hand():
    """Both bases swap their two axes: the added 1 comes last among the leading ones, the new part is doubled."""
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = _assemble(np.array([[0.6, 0.8]]), np.array([[-7.0]]), swap, swap, unit_rows, np)
    # The new part, swapped and doubled, is (1.6, 1.2); in front of it -1; the first two of the three are swapped.
    np.testing.assert_allclose(found, [[1.6, -1.0, 1.2]])


def test_cosines_are_four_fifths_those_of_the_new_features_and_one_fifth_those_of_the_added_columns():
    X, y, old = scene(n=60)
    fitted = BT2(2, epochs=3, random_state=0).fit(X, y, old=old)
    new, added = unit_rows(X), unit_rows(run_net(fitted._net, unit_rows(X)))
    found = unit_rows(fitted.transform(X))
    np.testing.assert_allclose(found @ found.T, 0.8 * new @ new.T + 0.2 * added @ added.T, atol=1e-9)


@given(seed=st.integers(0, 500), n_extra=st.integers(1, 4), n_new=st.integers(4, 6))
def test_changes_of_basis_keep_inner_products_whatever_the_widths(seed, n_extra, n_new):
    rng = np.random.default_rng(seed)
    new, added = unit_rows(rng.normal(size=(7, n_new))), unit_rows(rng.normal(size=(7, n_extra)))
    turns = ortho_group.rvs(n_new, random_state=seed), ortho_group.rvs(4, random_state=seed)
    found = _assemble(new, added, *turns, unit_rows, np)
    np.testing.assert_allclose(found @ found.T, 4 * new @ new.T + added @ added.T, atol=1e-9)


def test_leading_columns_find_their_class_among_old_features_and_all_of_them_among_new_ones():
    X, y, old = scene()
    fitted = BT2(2, random_state=0).fit(X[:160], y[:160], old=old[:160])
    seen, Z = fitted.transform(X[:160]), fitted.transform(X[160:])
    for Q, gallery in ((Z[:, :4], old[:160]), (Z, seen)):
        assert KNeighborsClassifier(5, metric="cosine").fit(gallery, y[:160]).score(Q, y[160:]) > 0.9
    assert np.mean((unit_rows(Z[:, :4]) * unit_rows(old[160:])).sum(axis=1)) > 0.9


def test_both_changes_of_basis_are_orthogonal_and_have_moved():
    X, y, old = scene()
    turns = BT2(2, epochs=10, random_state=0).fit(X, y, old=old).rotations_
    assert [len(turn) for turn in turns] == [5, 4]
    for turn in turns:
        np.testing.assert_allclose(turn @ turn.T, np.eye(len(turn)), atol=1e-9)
        assert np.abs(turn - np.eye(len(turn))).max() > 0.01


def test_the_first_loss_is_both_parts_written_out():
    X, y, old = scene(n=60)
    fitted = BT2(2, epochs=1, learning_rate=1e-6, weight_of_classes=0.25, random_state=0).fit(X, y, old=old)
    old = old / np.linalg.norm(old, axis=1, keepdims=True)
    means = np.array([old[y == c].mean(axis=0) for c in range(6)])
    lead = unit_rows(fitted.transform(X)[:, :4])
    share = np.exp(lead @ means.T)
    named = -np.log(share[np.arange(60), y] / share.sum(axis=1)).mean()
    assert fitted.losses_[0] == pytest.approx(0.25 * named + 0.75 * (1 - (lead * old).sum(axis=1).mean()), rel=1e-3)


def test_without_old_features_it_gives_the_new_ones_at_length_1():
    X, y, old = scene()
    fitted = BT2(3, epochs=2, random_state=0).fit(X, y, old=old).fit(X, y)  # what it had learned is forgotten
    np.testing.assert_allclose(fitted.transform(X), unit_rows(X))
    assert fitted.n_features_old_ == 0
    assert fitted.losses_.size == 0
    assert fitted.rotations_ == ()


def test_more_added_columns_than_old_ones_are_refused():
    X, y, old = scene()
    with pytest.raises(ValueError, match="n_extra=5 and old is 4 wide"):
        BT2(5, epochs=1).fit(X, y, old=old)


def test_old_features_wider_than_the_output_are_refused():
    X, y, old = scene()
    with pytest.raises(ValueError, match="X is 5 wide, n_extra=1 and old is 8 wide"):
        BT2(1, epochs=1).fit(X, y, old=np.hstack([old, old]))
