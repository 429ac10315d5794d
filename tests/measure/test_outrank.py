"""What is true of the ranking minus the noise and of nothing else."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from codomain.core import UserError
from codomain.measure import OutRank


def table(seed=0, n=300):
    """A column that is the label with errors, its copy, an identifier and a coin."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    good = np.where(rng.random(n) < 0.2, 1 - y, y)
    return np.stack([good, good, np.arange(n), rng.integers(0, 2, n)], axis=1), y


def test_a_case_by_hand():
    # The label takes 2 values equally often, so a column that equals it says log 2, and so does an identifier;
    # a shuffled identifier still says log 2, which leaves nothing.
    y = np.repeat([0, 1], 50)
    fitted = OutRank(random_state=0, n_repeats=200).fit(np.stack([y, np.arange(100)], axis=1), y)
    assert fitted.relevance_[1] == pytest.approx(0, abs=1e-12)
    assert fitted.noise_[1] == pytest.approx(np.log(2))
    assert fitted.relevance_[0] + fitted.noise_[0] == pytest.approx(np.log(2))


@given(seed=st.integers(0, 500))
@settings(max_examples=20)
def test_relevance_and_noise_add_up_to_the_information_of_scikit_learn(seed):
    X, y = table(seed, 60)
    fitted = OutRank(random_state=seed).fit(X, y)
    wanted = [mutual_info_score(column, y) for column in X.T]
    np.testing.assert_allclose(fitted.relevance_ + fitted.noise_, wanted, atol=1e-12)


def test_the_noise_comes_to_the_expected_information_of_a_random_permutation():
    X, y = np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 0, 0, 1, 1, 1, 1])
    orders = set(permutations(X.tolist()))  # each of them stands for equally many of the 5,040 permutations
    every = np.mean([mutual_info_score(order, y) for order in orders])
    closed = expected_mutual_information(contingency_matrix(X, y, sparse=True), 7)
    fitted = OutRank(random_state=0, n_repeats=4000).fit(X[:, None], y)
    assert every == pytest.approx(closed)
    assert fitted.noise_[0] == pytest.approx(every, abs=0.01)


@given(seed=st.integers(0, 200))
@settings(max_examples=20)
def test_names_of_the_categories_do_not_matter(seed):
    X, y = table(seed)
    renamed = np.random.default_rng(seed).permutation(1000)[X]
    one, two = OutRank(random_state=0).fit(X, y), OutRank(random_state=0).fit(renamed, 1 - y)
    np.testing.assert_allclose(one.relevance_, two.relevance_, atol=1e-12)


def test_what_overlaps_with_a_taken_column_moves_back():
    X, y = table()
    weak = np.where(np.random.default_rng(1).random(len(y)) < 0.35, 1 - y, y)
    X[:, 3] = weak
    assert OutRank(random_state=0).fit(X, y).ranking_.tolist() == [0, 1, 3, 2]
    assert OutRank(weight_of_overlap=1.0, random_state=0).fit(X, y).ranking_[:2].tolist() == [0, 3]


def test_two_halves_of_an_exclusive_or_are_found_together_only():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (2000, 6))
    y = np.where(rng.random(2000) < 0.1, 0, X[:, 0] ^ X[:, 4])
    X[:, 2] = np.where(rng.random(2000) < 0.4, X[:, 0], X[:, 2])
    X[:, 0] = np.where(y & (rng.random(2000) < 0.15), 1, X[:, 0])  # one half is visible by itself, and is taken first
    plain, paired = (OutRank(weight_of_pairs=weight, random_state=0).fit(X, y) for weight in (0.0, 1.0))
    assert plain.ranking_[0] == paired.ranking_[0] == 0
    assert paired.ranking_[1] == 4
    assert plain.relevance_[4] < 0.1 * plain.relevance_[0]


def test_without_a_number_those_above_noise_are_kept():
    X, y = table()
    fitted = OutRank(random_state=0).fit(X, y)
    np.testing.assert_array_equal(fitted.support_, fitted.relevance_ > 0)
    np.testing.assert_array_equal(fitted.transform(X), X[:, fitted.relevance_ > 0])
    assert fitted.support_[:2].all()


def test_more_columns_than_there_are_is_refused_in_words():
    with pytest.raises(UserError, match="n_components=5 of 4 columns"):
        OutRank(5).fit(*table())
