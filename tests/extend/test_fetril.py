"""What is true of translated pseudo-features and of nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from codomain.extend import FeTrIL


def clumps(seed, classes, n=20, d=5, apart=3.0):
    rng = np.random.default_rng(seed)
    y = np.repeat(classes, n)
    centres = apart * np.random.default_rng(99).normal(size=(20, d))
    return rng.normal(size=(len(y), d)) + centres[y], y


def test_a_case_by_hand():
    head = FeTrIL(normalise=False).fit([[4.0, 0.0], [6.0, 0.0]], [0, 0])
    head.partial_fit([[1.0, 9.0], [3.0, 11.0], [7.0, 1.0], [9.0, 1.0]], [1, 1, 2, 2])
    # Class 0, mean (5, 0), is more alike to class 2, mean (8, 1), than to class 1, mean (2, 10): it lends 2's rows.
    X, y = np.array([[1.0, 9], [3, 11], [7, 1], [9, 1]]), np.array([1, 1, 2, 2])
    Z, classes = head._add_pseudo_features(X, y)
    np.testing.assert_allclose(Z, [[1, 9], [3, 11], [7, 1], [9, 1], [4, 0], [6, 0]])
    np.testing.assert_array_equal(classes, [1, 1, 2, 2, 0, 0])


@given(seed=st.integers(0, 1000))
def test_pseudo_features_have_the_mean_of_the_old_class_and_the_shape_of_the_new(seed):
    old, new = clumps(seed, [0, 1, 2]), clumps(seed + 1, [3, 4])
    head = FeTrIL(normalise=False).fit(*old).partial_fit(*new)
    Z, classes = head._add_pseudo_features(*new)
    shapes = [np.cov(new[0][new[1] == c].T) for c in (3, 4)]
    for c in (0, 1, 2):
        part = Z[classes == c]
        np.testing.assert_allclose(part.mean(axis=0), old[0][old[1] == c].mean(axis=0), atol=1e-9)
        assert min(np.abs(np.cov(part.T) - shape).max() for shape in shapes) < 1e-9


def test_the_first_step_is_scikit_learns_linear_machine():
    X, y = clumps(0, [0, 1, 2], apart=0.7)
    peer = LinearSVC(dual=False).fit(X / np.linalg.norm(X, axis=1)[:, None], y)
    Q, _ = clumps(1, [0, 1, 2], apart=0.7)
    np.testing.assert_array_equal(FeTrIL().fit(X, y).predict(Q), peer.predict(Q / np.linalg.norm(Q, axis=1)[:, None]))


def test_where_classes_are_translations_of_each_other_nothing_is_lost():
    shape = np.random.default_rng(0).normal(size=(30, 4))
    centres = 4 * np.random.default_rng(1).normal(size=(5, 4))
    batches = [(shape + centres[c], np.full(30, c)) for c in range(5)]
    head = FeTrIL(normalise=False)
    for X, y in batches:
        head.partial_fit(X, y)
    X, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    joint = LinearSVC(dual=False).fit(X, y)
    np.testing.assert_allclose(head.head_.coef_, joint.coef_, atol=1e-3)


def test_old_classes_are_found_after_steps_that_do_not_show_them():
    head = FeTrIL()
    for classes in ([0, 1, 2, 3], [4, 5], [6, 7]):
        head.partial_fit(*clumps(0, classes))
    Q, truth = clumps(5, [0, 1, 2, 3])
    assert head.score(Q, truth) > 0.9
    assert np.all(np.isin(head.predict(clumps(6, [6, 7])[0]), head.classes_))


def test_one_class_is_all_there_is_to_say():
    assert FeTrIL().fit([[1.0, 2.0]], ["cat"]).predict(np.eye(2)).tolist() == ["cat", "cat"]


def test_memory_is_means_counts_and_weights():
    X, y = clumps(0, [0, 1, 2])
    head = FeTrIL().fit(X, y)
    assert head.memory_bytes_ == 3 * 5 * 8 + 3 * 8 + 3 * 5 * 8 + 3 * 8
