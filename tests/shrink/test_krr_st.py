"""What is true of distilled pairs and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.kernel_ridge import KernelRidge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from codomain.shrink import KRRST
from codomain.shrink.krr_st.kernel_head import Net, predict_from_few

torch = pytest.importorskip("torch")


def rings(seed=0, n=400):
    """Three classes that only a curved border parts: by distance from the middle."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(n, 2))
    return X, np.digitize(np.linalg.norm(X, axis=1), [0.5, 0.9])


@given(seed=st.integers(0, 1000), ridge=st.floats(0.01, 10))
def test_the_head_is_scikit_learns_kernel_ridge_with_a_linear_kernel(seed, ridge):
    rng = np.random.default_rng(seed)
    few, targets, many = rng.normal(size=(6, 4)), rng.normal(size=(6, 3)), rng.normal(size=(9, 4))
    few_1, many_1 = (np.hstack([part, np.ones((len(part), 1))]) for part in (few, many))
    size = ridge * (few_1**2).sum()
    peer = KernelRidge(alpha=size).fit(few_1, targets).predict(many_1)
    ours = predict_from_few(*(torch.from_numpy(part) for part in (few, targets, many)), ridge)
    np.testing.assert_allclose(ours.numpy(), peer, atol=1e-8)


def test_gradients_pass_through_the_closed_form():
    rng = np.random.default_rng(0)
    few, targets, many = (
        torch.from_numpy(rng.normal(size=shape)).requires_grad_() for shape in ((3, 4), (3, 2), (5, 4))
    )
    # The ridge follows the size of the features but is held fixed in a step, so only targets are checked to the end.
    assert torch.autograd.gradcheck(lambda part: predict_from_few(few.detach(), part, many.detach()), (targets,))
    predict_from_few(few, targets, many).sum().backward()
    assert few.grad.abs().min() > 0


def test_a_net_learns_and_gives_its_hidden_layer():
    rng = np.random.default_rng(0)
    X = torch.from_numpy(rng.normal(size=(20, 3)))
    net = Net((3, 40, 3), torch.Generator().manual_seed(0), X.dtype)

    def error():
        hidden = np.maximum(X.numpy() @ net.parameters[0].detach().numpy() + net.parameters[1].detach().numpy(), 0)
        np.testing.assert_allclose(net.features(X).numpy(), hidden)
        return np.mean(
            (hidden @ net.parameters[2].detach().numpy() + net.parameters[3].detach().numpy() - X.numpy()) ** 2
        )

    before = error()
    for _ in range(200):
        net.train(X, X)
    assert error() < before / 10


def test_a_net_trained_on_twelve_made_up_rows_beats_one_trained_on_twelve_real_ones():
    X, y = rings()
    Q, truth = rings(1)
    small = KRRST(12, n_hidden=64, max_steps=800, random_state=0).fit(X, y)
    settings = {"hidden_layer_sizes": (64,), "random_state": 0, "solver": "lbfgs", "max_iter": 2000}
    student = MLPRegressor(alpha=1e-2, **settings).fit(small.rows_, small.targets_)
    ours = np.mean(small.classes_[student.predict(Q).argmax(axis=1)] == truth)
    real = [
        MLPClassifier(alpha=1e-2, **settings).fit(X[i : i + 12], y[i : i + 12]).score(Q, truth)
        for i in range(0, 120, 12)
    ]
    assert ours > np.mean(real)


def test_features_as_targets_are_learned_and_keep_their_columns():
    X, _ = rings()
    features = np.hstack([np.sin(3 * X), X**2, X[:, :1] * X[:, 1:]])
    small = KRRST(20, n_hidden=64, max_steps=800, random_state=0).fit(X, features)
    assert small.targets_.shape == (20, 5) and small.classes_ is None
    assert small.losses_[-50:].mean() < small.losses_[:20].mean() / 2


def test_the_targets_of_labels_start_as_centred_columns_in_a_case_by_hand():
    small = KRRST(2, max_steps=1, learning_rate=1e-9, random_state=0).fit([[0.0], [1.0]], ["b", "a"])
    rows = {float(np.round(row[0], 6)): target for row, target in zip(small.rows_, small.targets_, strict=True)}
    np.testing.assert_array_equal(small.classes_, ["a", "b"])
    np.testing.assert_allclose(rows[0.0], [-0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(rows[1.0], [0.5, -0.5], atol=1e-6)


@settings(max_examples=10)
@given(power=st.integers(-10, 10))
def test_the_unit_of_the_rows_does_not_matter(power):
    X, y = rings(n=60)
    one, two = (KRRST(5, n_hidden=8, max_steps=5, random_state=0).fit(size * X, y) for size in (1.0, 2.0**power))
    np.testing.assert_allclose(one.rows_ * 2.0**power, two.rows_, rtol=1e-6)
    np.testing.assert_allclose(one.targets_, two.targets_, rtol=1e-6)


def test_the_seed_of_torch_is_left_as_it_was():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    KRRST(4, n_hidden=8, max_steps=3, random_state=0).fit(*rings(n=30))
    assert torch.equal(torch.rand(3), wanted)


def test_more_pairs_than_rows_are_refused():
    with pytest.raises(ValueError, match="n_synthetic=50 with n_samples=30"):
        KRRST().fit(*rings(n=30))
