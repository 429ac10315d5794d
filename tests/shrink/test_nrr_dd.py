"""What is true of refined rows with two distances and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from codomain.shrink import NRRDD, distance_student
from codomain.shrink.nrr_dd import class_loss
from codomain.shrink.nrr_dd.distances import halfway_rows


def blobs(seed=0, n=300, classes=3, wide=6):
    """Overlapping classes."""
    return make_blobs(n, n_features=wide, centers=classes, cluster_std=4, random_state=seed)


def teacher_of(X, y):
    """Give the teacher as scikit-learn has it, and what takes rows to its unit."""
    mean, unit = X.mean(axis=0), (X - X.mean(axis=0)).std()
    return LogisticRegression(max_iter=1000).fit((X - mean) / unit, y), lambda rows: (rows - mean) / unit


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_the_gradient_is_that_of_finite_differences(seed):
    rng = np.random.default_rng(seed)
    firsts, seconds, W, flat = (rng.normal(size=size) for size in ((3, 4), (3, 4), (3, 4), 24))
    rest = (firsts, seconds, W, rng.normal(size=3))
    error = check_grad(lambda x: class_loss(x, *rest)[0], lambda x: class_loss(x, *rest)[1], flat)
    assert error < 1e-4 * np.linalg.norm(class_loss(flat, *rest)[1])


def test_the_loss_in_a_case_by_hand():
    # One column, two classes of two rows, an undecided teacher: log 2 a class. Moments of 1, 3 are 2 and 5.
    loss, _ = class_loss(
        np.array([1.0, 3, 0, 0]), np.array([[2.0], [1]]), np.array([[4.0], [0]]), np.zeros((2, 1)), np.zeros(2)
    )
    assert loss == pytest.approx(1 + 1 + 2 * np.log(2))  # one off in a second moment, one in a first


@pytest.mark.parametrize("classes", [2, 3])
def test_critical_entries_are_the_largest_products_of_weight_and_input_and_stay(classes):
    X, y = blobs(classes=classes)
    few = NRRDD(4, share_kept=0.5, random_state=0).fit(X, y)
    teacher, scaled = teacher_of(X, y)
    W = teacher.coef_ if classes > 2 else np.vstack([-teacher.coef_, teacher.coef_])
    assert (y[few.starts_] == few.labels_).all() and len(set(few.starts_)) == 4 * classes
    for row, start, kept, label in zip(few.rows_, few.starts_, few.kept_, few.labels_, strict=True):
        product = np.abs(W[label] * scaled(X[start]))
        assert kept.sum() == 3 and product[kept].min() > product[~kept].max()
        np.testing.assert_array_equal(row[kept], X[start][kept])
        assert (row[~kept] != X[start][~kept]).any()


@pytest.mark.parametrize("classes", [2, 3])
def test_distances_are_minus_the_log_probability_that_the_teacher_gives_the_label(classes):
    X, y = blobs(classes=classes)
    few = NRRDD(2, random_state=0).fit(X, y)
    teacher, scaled = teacher_of(X, y)
    for place, (row, label) in enumerate(zip(few.rows_, few.labels_, strict=True)):
        copy = (row + few.rows_[(place + 2) % (2 * classes)]) / 2  # the same place in the next class
        wanted = -teacher.predict_log_proba(scaled(np.stack([row, copy])))[:, label]
        np.testing.assert_allclose(few.distances_[place], wanted, atol=1e-6)


def test_refining_brings_the_moments_of_each_class_nearer():
    X, y = blobs()
    few = NRRDD(4, share_kept=0.3, random_state=0).fit(X, y)

    def off(rows):
        """Sum the errors of the classes' means and mean squares."""
        Z = (rows - X.mean(axis=0)) / X.std()
        real = (X - X.mean(axis=0)) / X.std()
        return sum(
            ((Z[few.labels_ == c] ** power).mean(axis=0) - (real[y == c] ** power).mean(axis=0)) ** 2
            for c in range(3)
            for power in (1, 2)
        ).sum()

    assert off(few.rows_) < off(X[few.starts_]) / 2


def test_rows_stay_within_the_range_of_their_column_and_all_kept_means_the_real_rows():
    X, y = blobs()
    few = NRRDD(share_kept=0.0, random_state=0).fit(X, y)
    assert (few.rows_ >= X.min(axis=0)).all() and (few.rows_ <= X.max(axis=0)).all() and not few.kept_.any()
    same = NRRDD(share_kept=1.0, random_state=0).fit(X, y)
    np.testing.assert_array_equal(same.rows_, X[same.starts_])
    np.testing.assert_array_equal(same.starts_, few.starts_)


@settings(max_examples=10)
@given(power=st.integers(-8, 8))
def test_the_unit_of_the_rows_does_not_matter(power):
    X, y = blobs(n=60)
    one, two = (NRRDD(2, max_iter=5, random_state=0).fit(size * X, y) for size in (1.0, 2.0**power))
    np.testing.assert_allclose(one.rows_ * 2.0**power, two.rows_, rtol=1e-6)
    np.testing.assert_allclose(one.distances_, two.distances_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_student_says_of_the_rows_what_the_teacher_says_of_their_label(classes):
    X, y = blobs(classes=classes, wide=20)
    names = np.array(["one", "two", "three"])[y]
    few = NRRDD(5, random_state=0).fit(X, names)
    student = distance_student(few.rows_, few.labels_, few.distances_, penalty=1e-7)
    place = np.searchsorted(student.classes_, few.labels_)
    for rows, wanted in zip((few.rows_, halfway_rows(few.rows_, classes)), few.distances_.T, strict=True):
        log_losses = -student.predict_log_proba(rows)[np.arange(len(rows)), place]
        np.testing.assert_allclose(log_losses, wanted, atol=0.02)
    assert student.score(X, names) > 0.8


def test_distances_teach_more_than_the_labels_of_the_same_rows():
    ours, hard = [], []
    for seed in range(5):
        X, y = blobs(seed, n=600)
        few = NRRDD(share_kept=1.0, random_state=seed).fit(X, y)
        ours.append(distance_student(few.rows_, few.labels_, few.distances_).score(X, y))
        # A divergence of 0 is a bare label.
        hard.append(distance_student(few.rows_, few.labels_, np.zeros((15, 2))).score(X, y))
    assert np.mean(ours) > np.mean(hard)


def test_float32_comes_back_as_float32():
    X, y = blobs()
    few = NRRDD(2, random_state=0).fit(X.astype(np.float32), y)
    student = distance_student(few.rows_, few.labels_, few.distances_)
    assert {few.rows_.dtype, few.distances_.dtype, student.coef_.dtype, student.intercept_.dtype} == {np.dtype("f4")}


def test_what_does_not_fit_is_refused():
    X, y = blobs(n=9)
    with pytest.raises(ValueError, match="n_synthetic=5 with a class of 3 rows"):
        NRRDD().fit(X, y)
    with pytest.raises(ValueError, match="1 class in y"):
        NRRDD(1).fit(X, np.zeros(9))
    few = NRRDD(2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="class after class"):
        distance_student(few.rows_, few.labels_[[0, 2, 1, 3, 4, 5]], few.distances_)
    with pytest.raises(ValueError, match=r"distances of shape \(6, 1\)"):
        distance_student(few.rows_, few.labels_, few.distances_[:, :1])
    with pytest.raises(ValueError, match="penalty"):
        distance_student(few.rows_, few.labels_, few.distances_, penalty=0)
