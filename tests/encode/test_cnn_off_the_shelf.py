"""What is true of off-the-shelf features and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer
from sklearn.svm import LinearSVC

from codomain.encode import OffTheShelf
from codomain.encode.cnn_off_the_shelf import root_unit_rows

X, Y = load_digits(return_X_y=True)


def test_a_case_by_hand():
    # Roots are (2, 1) and (2, -1), whose lengths are both the root of 5.
    np.testing.assert_allclose(
        root_unit_rows(np.array([[4.0, 1.0], [4.0, -1.0]]), 0.5), np.array([[2, 1], [2, -1]]) / 5**0.5
    )


def test_a_power_of_one_only_scales_to_length_one():
    np.testing.assert_allclose(root_unit_rows(np.array([[3.0, -4.0]]), 1.0), [[0.6, -0.8]])


@given(size=st.floats(1e-20, 1e20), power=st.floats(0.1, 1))
def test_the_length_of_a_row_does_not_matter(size, power):
    row = np.array([[1.0, -2.0, 0.5]])
    np.testing.assert_allclose(root_unit_rows(size * row, power), root_unit_rows(row, power), rtol=1e-9)


def test_without_jitter_it_is_a_pipeline_of_scikit_learn():
    rooted = FunctionTransformer(lambda Z: np.sqrt(Z))  # digits have no negative entry
    theirs = make_pipeline(rooted, Normalizer(), LinearSVC(max_iter=10_000, random_state=0)).fit(X[:500], Y[:500])
    ours = OffTheShelf(random_state=0).fit(X[:500], Y[:500])
    # The solver visits rows in another order, so margins agree to its tolerance and labels nearly always.
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=0.02)
    assert np.mean(ours.predict(X) == theirs.predict(X)) > 0.995


def test_two_classes_have_one_margin_whose_sign_is_the_answer():
    two = Y < 2
    fitted = OffTheShelf(random_state=0).fit(X[two], np.array(["nought", "one"])[Y[two]])
    margins = fitted.decision_function(X[two])
    assert margins.shape == (two.sum(),)
    np.testing.assert_array_equal(fitted.predict(X[two]) == "one", margins > 0)


def test_jittered_copies_of_no_length_change_nothing_but_the_weight_of_errors():
    plain = OffTheShelf(3.0, random_state=0).fit(X[:300], Y[:300])
    copied = OffTheShelf(1.0, n_jitters=2, jitter=0.0, random_state=0).fit(X[:300], Y[:300])
    np.testing.assert_allclose(plain.decision_function(X), copied.decision_function(X), atol=0.05)


def test_jitter_draws_the_machine_towards_a_smaller_slope():
    sizes = [np.linalg.norm(OffTheShelf(n_jitters=3, jitter=jitter, random_state=0).fit(X[:300], Y[:300]).coef_)
             for jitter in (0.0, 1.0)]  # fmt: skip
    assert sizes[1] < sizes[0]


def test_a_single_class_is_refused():
    with pytest.raises(ValueError, match="class"):
        OffTheShelf().fit(X[:5], np.zeros(5, dtype=int))
