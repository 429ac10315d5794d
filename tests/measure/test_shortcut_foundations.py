"""What is true of the shortcut bias and its generator and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm
from sklearn.tree import DecisionTreeClassifier

from codomain.core import UserError
from codomain.measure import ShortcutBias
from codomain.measure.shortcut_foundations import draw_latents, embed_latents


def fitted(seed=0, predictivity=(0.9, 0.8)):
    return ShortcutBias().fit(*draw_latents(4000, predictivity, seed))


def test_a_case_by_hand():
    # Means are -2 and 2 in both columns: each alone answers by its sign, both together by the sign of the sum.
    Z = np.array([[-3, -2], [-1, -2], [-2, -1], [-2, -3], [3, 2], [1, 2], [2, 1], [2, 3.0]])
    measure = ShortcutBias().fit(Z, [0, 0, 0, 0, 1, 1, 1, 1])
    probes = np.array([[1.0, -3.0], [3.0, -1.0], [2.0, 2.0], [-1.0, 5.0]])
    # The optimum answers 0, 1, 1, 1: with the shortcut in 1, 3 and 4, with the core in 2 and 3.
    assert measure.predict(probes).tolist() == [0, 1, 1, 1]
    assert measure.reliance(probes, measure.predict(probes)) == 0.75 - 0.5
    assert measure.bias(probes, [0, 0, 1, 1]) == (1 - 0.25) - 0.25  # a model that knows only the shortcut
    assert measure.bias(probes, [1, 1, 1, 0]) == (0.25 - 1) - 0.25  # and one that knows only the core


@pytest.mark.parametrize("rate", [0.6, 0.85, 0.99])
def test_the_sign_of_a_latent_tells_the_label_as_often_as_asked(rate):
    Z, y = draw_latents(40_000, [rate, 0.5], 0)
    assert np.mean((Z[:, 0] > 0) == y) == pytest.approx(rate, abs=0.01)
    assert np.mean((Z[:, 1] > 0) == y) == pytest.approx(0.5, abs=0.01)


def test_the_optimum_answers_as_the_densities_do():
    measure, probes = fitted(), np.random.default_rng(1).uniform(-3, 3, (3000, 2))
    mean = norm.ppf([0.9, 0.8])
    wanted = multivariate_normal(mean).pdf(probes) > multivariate_normal(-mean).pdf(probes)
    assert np.mean(measure.predict(probes) == wanted) > 0.97


@given(seed=st.integers(0, 300))
@settings(max_examples=20)
def test_leaning_on_one_latent_alone_is_the_most_and_the_least(seed):
    measure, random = fitted(seed), np.random.default_rng(seed)
    probes = random.uniform(-3, 3, (200, 2))
    most, least = (measure.reliance(probes, alone.predict(probes[:, [k]]))
                   for k, alone in ((1, measure.shortcut_), (0, measure.core_)))  # fmt: skip
    assert most == -least
    assert least <= measure.reliance(probes, random.integers(0, 2, 200)) <= most


def test_a_more_telling_shortcut_is_relied_on_by_the_optimum_and_is_no_bias():
    probes = np.random.default_rng(0).uniform(-3, 3, (2000, 2))
    weak, strong = fitted(predictivity=(0.9, 0.6)), fitted(predictivity=(0.6, 0.9))
    assert weak.reliance(probes, weak.predict(probes)) < -0.3
    assert strong.reliance(probes, strong.predict(probes)) > 0.3
    assert strong.bias(probes, strong.predict(probes)) == 0


def test_amplification_scales_a_block_and_leaves_the_other():
    Z = draw_latents(30, [0.9, 0.8], 0)[0]
    one, ten = (embed_latents(Z, [size, 1.0], [0, 0], width=5, random_state=0) for size in (1.0, 10.0))
    np.testing.assert_allclose(ten[:, :5], 10 * one[:, :5])
    np.testing.assert_array_equal(ten[:, 5:], one[:, 5:])
    np.testing.assert_allclose(np.linalg.norm(one[:, :5], axis=1), np.abs(Z[:, 0]))


def test_without_nesting_a_latent_is_linear_in_its_block_and_with_it_is_not():
    Z = draw_latents(400, [0.9, 0.8], 0)[0]
    X = embed_latents(Z, [1.0, 1.0], [0, 2], width=5, random_state=0)
    assert np.linalg.matrix_rank(X[:, :5]) == 1
    assert np.linalg.matrix_rank(X[:, 5:]) > 1
    # Nested or not, a block depends on its own latent only.
    Z[:, 0] = 0
    np.testing.assert_array_equal(embed_latents(Z, [1.0, 1.0], [0, 2], width=5, random_state=0)[:, 5:], X[:, 5:])


def test_a_model_that_sees_the_shortcut_only_is_biased_and_one_that_sees_both_is_less_so():
    Z, y = draw_latents(4000, [0.9, 0.8], 0)
    measure, probes = ShortcutBias().fit(Z, y), np.random.default_rng(1).uniform(-3, 3, (2000, 2))
    tree = DecisionTreeClassifier(max_depth=6, min_samples_leaf=40, random_state=0)
    blind = measure.bias(probes, tree.fit(Z[:, 1:], y).predict(probes[:, 1:]))
    seeing = measure.bias(probes, tree.fit(Z, y).predict(probes))
    assert blind > 0.3 > abs(seeing)


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(UserError, match="one label for each"):
        fitted().bias(np.ones((4, 2)), [0, 1])
    with pytest.raises(UserError, match="one class"):
        ShortcutBias().fit(np.ones((4, 2)), np.zeros(4))
    with pytest.raises(UserError, match="strictly between"):
        draw_latents(5, [1.0, 0.8])
    with pytest.raises(UserError, match="one amplification"):
        embed_latents(np.ones((4, 2)), [1.0], [0, 0])
