"""What is true of an orthogonal layer that aligns a wider net with an old one and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from sklearn.neighbors import KNeighborsClassifier

from codomain.align import OCA
from codomain.align.shared.compatible import rotation
from codomain.core import unit_rows
from codomain.core.maths.means import class_means


def scene(seed=0, n=240, classes=6):
    """Clumps on a plane, and what an old net says of them: a bent, turned and noisy view in four columns."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    X = np.random.default_rng(99).normal(scale=4, size=(classes, 5))[y] + rng.normal(size=(n, 5))
    return X, y, np.tanh(X @ np.random.default_rng(98).normal(size=(5, 4)) / 4)


def test_its_leading_columns_find_their_class_among_old_features_and_the_others_cannot():
    X, y, old = scene()
    Z = OCA(4, random_state=0).fit(X[:160], y[:160], old=old[:160]).transform(X[160:])
    gallery = KNeighborsClassifier(5, metric="cosine").fit(old[:160], y[:160])
    assert gallery.score(Z[:, :4], y[160:]) > 0.9
    assert gallery.score(Z[:, 4:8], y[160:]) < 0.6


def test_without_old_features_it_gives_the_new_ones_at_length_1():
    X, y, _ = scene()
    fitted = OCA(3, epochs=1, random_state=0).fit(X, y)
    np.testing.assert_allclose(fitted.transform(X), unit_rows(X))
    np.testing.assert_allclose(fitted.rotation_, np.eye(5))
    assert fitted.n_features_old_ == 0


def test_training_begins_at_the_new_features_themselves():
    X, y, old = scene()
    Z = OCA(3, epochs=1, learning_rate=1e-6, random_state=0).fit(X, y, old=old).transform(X)
    np.testing.assert_allclose(Z, np.pad(unit_rows(X), ((0, 0), (0, 3))), atol=1e-3)


def test_without_weight_on_the_base_the_old_features_teach_nothing():
    X, y, old = scene()
    one, two = (
        OCA(2, weight_of_base=0.0, epochs=5, random_state=0).fit(X, y, old=Z).transform(X) for Z in (old, old[::-1])
    )
    np.testing.assert_allclose(one, two, atol=1e-12)


def test_the_layer_keeps_every_inner_product_of_the_net():
    X, y, old = scene()
    fitted = OCA(3, epochs=10, random_state=0).fit(X, y, old=old)
    np.testing.assert_allclose(fitted.rotation_ @ fitted.rotation_.T, np.eye(8), atol=1e-9)
    assert np.abs(fitted.rotation_ - np.eye(8)).max() > 0.01  # and it has moved


@given(seed=st.integers(0, 100), length=st.floats(0.1, 10))
@settings(max_examples=10)
def test_lengths_of_old_features_do_not_matter(seed, length):
    X, y, old = scene(seed, n=40)
    one, two = (OCA(2, epochs=2, random_state=0).fit(X, y, old=Z).transform(X) for Z in (old, length * old))
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_first_loss_is_both_cross_entropies_and_the_distance_to_the_class_written_out():
    X, y, old = scene(n=60)
    one, two, mix = (
        OCA(2, weight_of_base=w, epochs=1, learning_rate=1e-6, random_state=0).fit(X, y, old=old) for w in (0, 1, 0.25)
    )
    assert mix.losses_[0] == pytest.approx(0.75 * one.losses_[0] + 0.25 * two.losses_[0], rel=1e-4)
    lead = unit_rows(two.transform(X)[:, :4])
    old = old / np.linalg.norm(old, axis=1, keepdims=True)
    means = np.array([old[y == c].mean(axis=0) for c in range(6)])
    np.testing.assert_allclose(class_means(old, y), means)
    chance = np.exp(lead @ means.T) / np.exp(lead @ means.T).sum(axis=1, keepdims=True)
    apart = 1 - (lead * unit_rows(means)[y]).sum(axis=1).mean()
    expected = 2 / 3 * -np.log(chance[np.arange(60), y]).mean() + 1 / 3 * apart
    assert two.losses_[0] == pytest.approx(expected, rel=1e-3)


def test_the_exponential_is_scipys_and_a_rotation():
    torch = pytest.importorskip("torch")
    some = np.random.default_rng(0).normal(size=(5, 5))
    found = rotation(torch.from_numpy(some)).numpy()
    np.testing.assert_allclose(found, expm(some - some.T), atol=1e-12)


def test_old_features_of_other_rows_are_refused():
    X, y, old = scene()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        OCA(2, epochs=1).fit(X, y, old=old[:-1])


def test_it_leaves_torchs_own_random_numbers_alone():
    torch = pytest.importorskip("torch")
    torch.manual_seed(7)
    before = torch.get_rng_state()
    X, y, old = scene(n=20)
    OCA(2, epochs=1, random_state=0).fit(X, y, old=old)
    assert torch.equal(before, torch.get_rng_state())
