"""What is true of classification by description and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import ByDescription


def described(seed, n=30, d=5, n_classes=4):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)])
    return rng.normal(size=(n, d)), y, rng.normal(size=(50, d))


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@given(seed=st.integers(0, 1000))
def test_a_score_is_the_mean_of_the_cosines_to_the_descriptions_of_the_class(seed):
    X, y, Z = described(seed)
    head = ByDescription().fit(X, y)
    scores = head.decision_function(Z)
    for row, predicted, score in zip(Z[:5], head.predict(Z), scores, strict=False):
        means = [np.mean([cosine(row, text) for text in X[y == label]]) for label in head.classes_]
        np.testing.assert_allclose(score, means, atol=1e-12)
        assert predicted == np.argmax(means)


def test_the_explanation_is_made_of_what_the_score_averages():
    X, y, Z = described(0)
    head = ByDescription().fit(X, y)
    cosines = head.explain(Z)
    assert cosines.shape == (50, 30)
    for label in range(4):
        np.testing.assert_allclose(
            cosines[:, head.description_classes_ == label].mean(axis=1), head.decision_function(Z)[:, label]
        )


def test_dropping_descriptions_is_fitting_without_them():
    X, y, Z = described(1)
    head = ByDescription().fit(X, y)
    before = head.decision_function(Z)
    left = np.setdiff1d(np.arange(30), [7, 9, 20])
    head.drop([7, 20]).drop([8])  # 9 before
    np.testing.assert_allclose(head.decision_function(Z), ByDescription().fit(X[left], y[left]).decision_function(Z))
    assert np.abs(head.decision_function(Z) - before).max() > 0.01


def test_an_edit_takes_away_a_bias():
    # "water" is told of waterbirds alone; a land bird over water is taken for one until that word is dropped.
    water, webbed, claws = np.eye(3)
    head = ByDescription().fit([water, webbed, claws], ["waterbird", "waterbird", "landbird"])
    land_bird_over_water = [0.9 * water + 0.4 * claws]
    assert head.predict(land_bird_over_water) == ["waterbird"]
    assert head.drop([0]).predict(land_bird_over_water) == ["landbird"]


def test_the_last_description_of_a_class_stays():
    X, y = np.eye(3), ["a", "a", "b"]
    with pytest.raises(ValueError, match="class 'b' would have no description"):
        ByDescription().fit(X, y).drop([2])


def test_normalised_means_are_the_nearest_centroid_by_cosine():
    from sklearn.metrics.pairwise import cosine_similarity

    X, y, Z = described(2)
    units = X / np.linalg.norm(X, axis=1, keepdims=True)
    centroids = np.array([units[y == label].mean(axis=0) for label in range(4)])
    head = ByDescription(normalise=True).fit(X, y)
    np.testing.assert_allclose(head.decision_function(Z), cosine_similarity(Z, centroids), atol=1e-12)
    assert np.any(head.predict(Z) != ByDescription().fit(X, y).predict(Z))
