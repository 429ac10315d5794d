"""What is true of nets that scale with their width and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from codomain.measure import FeatureLearning
from codomain.measure.tp4_feature_learning import SCALINGS, Exponents, regime

torch = pytest.importorskip("torch")

DIGITS = load_digits(return_X_y=True)
X, y = DIGITS[0][:300].astype(np.float32), DIGITS[1][:300]


def test_known_scalings_are_where_the_paper_puts_them():
    regimes = {name: regime(scaling, 3) for name, scaling in SCALINGS.items()}
    assert regimes == {
        "standard": "unstable",
        "slow-standard": "kernel",
        "ntk": "kernel",
        "maximal-update": "features",
    }
    mean_field = Exponents((0, 0, 1), (0, 0, 0), -1)  # one hidden layer only
    assert regime(mean_field, 1) == "features"
    assert regime(Exponents((0, 0.5, 0.5), (0, 0, 0), 1), 3) == "trivial"  # NTK with a rate that vanishes


@given(st.sampled_from(sorted(SCALINGS)), st.lists(st.integers(-4, 4), min_size=1, max_size=1), st.integers(1, 5))
def test_moving_scale_from_multiplier_to_weights_changes_nothing(name, shift, n_layers):
    # a + t, b - t, c - 2t is the same net; quarters are exact in binary.
    t, (a, b, c) = shift[0] / 4, SCALINGS[name]
    moved = Exponents(tuple(one + t for one in a), tuple(one - t for one in b), c - 2 * t)
    assert regime(moved, n_layers) == regime(SCALINGS[name], n_layers)


@pytest.mark.parametrize("scaling", sorted(SCALINGS))
def test_training_is_that_of_torch_on_separate_multipliers(scaling):
    """One full step on w, with the multiplier m^-a in front, as the paper writes it."""
    few, labels = X[:40].astype(float), y[:40]
    start = FeatureLearning(scaling, n_hidden=32, n_hidden_base=8, max_steps=1, learning_rate=1e-12, random_state=0)
    ours = FeatureLearning(scaling, n_hidden=32, n_hidden_base=8, max_steps=1, random_state=0).fit(few, labels)
    a, _, c = SCALINGS[scaling]
    rows = torch.from_numpy(few / ours.scale_)
    w = [
        torch.tensor(W * 4.0**power, requires_grad=True)
        for W, power in zip(start.fit(few, labels).weights_, a, strict=True)
    ]
    layer = rows
    for which, (part, power) in enumerate(zip(w, a, strict=True)):
        layer = layer @ (4.0**-power * part)
        layer = layer.relu() if which < 2 else layer
    loss = torch.nn.functional.cross_entropy(layer, torch.from_numpy(np.searchsorted(ours.classes_, labels)))
    loss.backward()
    assert ours.losses_[0] == pytest.approx(loss.item(), rel=1e-6)
    for W, part, power in zip(ours.weights_, w, a, strict=True):
        wanted = 4.0**-power * (part - 0.1 * 4.0**-c * part.grad).detach().numpy()
        np.testing.assert_allclose(W, wanted, atol=1e-9)


def test_at_the_base_width_all_scalings_are_the_same_net():
    nets = [FeatureLearning(name, n_hidden=64, max_steps=5, random_state=0).fit(X, y) for name in SCALINGS]
    for net in nets[1:]:
        np.testing.assert_array_equal(net.transform(X), nets[0].transform(X))


def test_features_stop_moving_with_width_in_the_kernel_regime_only():
    def change(scaling, width):
        return FeatureLearning(scaling, n_hidden=width, n_layers=1, max_steps=30, random_state=0).fit(X, y).change_

    for scaling in ("ntk", "slow-standard"):  # 16 times the width: a quarter of the change, or less
        assert change(scaling, 1024) < 0.4 * change(scaling, 64)
    assert change("maximal-update", 1024) > 0.6 * change("maximal-update", 64)


def test_change_is_measured_from_the_untrained_net():
    settings = {"n_hidden": 32, "random_state": 3}
    before = FeatureLearning(max_steps=1, learning_rate=1e-12, **settings).fit(X, y).transform(X)
    net = FeatureLearning(max_steps=20, **settings).fit(X, y)
    assert net.change_ == pytest.approx(np.linalg.norm(net.transform(X) - before) / np.linalg.norm(before), rel=1e-4)
    assert net.losses_[-5:].mean() < net.losses_[:5].mean()


def test_an_explosion_is_told_in_words():
    with pytest.raises(ValueError, match="lower learning_rate"):
        FeatureLearning("standard", n_hidden=256, learning_rate=1e6, random_state=0).fit(X, y)
