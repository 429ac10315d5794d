"""What is true of scale and margin set by each minibatch and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.datasets import load_digits

from codomain.core import UserError
from codomain.search import CFCD
from codomain.search.cfcd.margins import margin_loss, scale_and_margin

torch = pytest.importorskip("torch")


def draw_cosines(seed, n=9, n_classes=5, gain=0.5):
    """Cosines of a minibatch of odd size, those of the right class higher."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    cosines = rng.uniform(-0.3, 0.3, (n, n_classes))
    cosines[np.arange(n), labels] += gain
    return torch.tensor(cosines), torch.tensor(labels)


@given(seed=st.integers(0, 1000), probability=st.sampled_from([0.05, 0.1, 0.5]))
def test_the_middle_row_gets_the_probability_and_a_perfect_row_odds_of_ten_million(seed, probability):
    cosines, labels = draw_cosines(seed)
    scale, margin = scale_and_margin(cosines, labels, probability)
    rows = np.arange(9)
    right = cosines.numpy()[rows, labels]
    middle = np.argsort(right)[4]
    logits = cosines.numpy().copy()
    logits[rows, labels] -= margin.item()
    logits = scale.item() * logits[middle]
    held = softmax(logits)[labels[middle]]
    if margin > 0 and scale > 32:
        assert held == pytest.approx(probability)
        logits[labels[middle]] = scale.item() * (1 - margin.item())
        assert softmax(logits)[labels[middle]] == pytest.approx(1e7 / (1e7 + 1))
    elif margin > 0:
        assert held == pytest.approx(probability)
    else:
        assert held <= probability


def test_a_case_by_hand():
    # Middle cosine 0.5 at p = 1/2: scale log(1e7) / 0.5; one other class at 0, so exp(s (0.5 - m)) = 1 and m = 0.5.
    cosines = torch.tensor([[0.2, 0.0], [0.5, 0.0], [0.9, 0.0]])
    scale, margin = scale_and_margin(cosines, torch.zeros(3, dtype=torch.long), 0.5)
    assert scale.item() == pytest.approx(np.log(1e7) / 0.5, rel=1e-5)
    assert margin.item() == pytest.approx(0.5, rel=1e-5)


@given(seed=st.integers(0, 1000))
def test_both_grow_as_rows_come_nearer_to_their_classes(seed):
    found = [scale_and_margin(*draw_cosines(seed, gain=gain), 0.1) for gain in (0.0, 0.3, 0.6)]
    scales, margins = ([pair[which].item() for pair in found] for which in (0, 1))
    assert scales == sorted(scales)
    assert margins == sorted(margins)
    assert scales[0] == 32
    assert margins[-1] > margins[0]


def test_the_loss_is_the_definition_and_no_gradient_passes_through_scale_and_margin():
    cosines, labels = draw_cosines(0)
    cosines.requires_grad_()
    scale, margin = scale_and_margin(cosines, labels, 0.1)
    assert not scale.requires_grad
    assert not margin.requires_grad
    loss = margin_loss(cosines, labels, scale, margin)
    rows, logits = np.arange(9), cosines.detach().numpy().copy()
    logits[rows, labels] -= margin.item()
    shares = softmax(scale.item() * logits, axis=1)
    assert loss.item() == pytest.approx(-np.log(shares[rows, labels]).mean())
    loss.backward()
    shares[rows, labels] -= 1
    np.testing.assert_allclose(cosines.grad.numpy(), scale.item() * shares / 9, atol=1e-9)


def test_rows_of_one_class_come_together_and_scale_and_margin_grow_while_they_do():
    X, y = load_digits(return_X_y=True)
    fitted = CFCD(16, width=64, probability=0.1, epochs=10, random_state=0).fit(X[:800], y[:800])

    def same(Z):
        Z = Z / np.linalg.norm(Z, axis=1, keepdims=True)
        near = (Z[800:1200] @ Z[:800].T).argsort(axis=1)[:, -20:]
        return np.mean(y[:800][near] == y[800:1200, None])

    assert same(fitted.transform(X)) > same(np.random.default_rng(0).permutation(fitted.transform(X))) + 0.5
    assert fitted.scales_[-1] > fitted.scales_[0]
    assert fitted.margins_[-1] > fitted.margins_[0]
    np.testing.assert_allclose(np.linalg.norm(fitted.transform(X), axis=1), 1, atol=1e-6)


def test_shift_and_unit_of_the_rows_do_not_matter():
    X, y = load_digits(n_class=4, return_X_y=True)
    one, other = (CFCD(4, width=8, epochs=1, random_state=0).fit(rows, y) for rows in (X, 100 * X + 7))
    np.testing.assert_allclose(one.transform(X), other.transform(100 * X + 7), atol=1e-4)


def test_one_class_is_refused():
    with pytest.raises(UserError, match="at least two"):
        CFCD().fit(np.eye(4), [1, 1, 1, 1])
