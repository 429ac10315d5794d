"""What is true of deep kernel machines and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, wishart

from codomain.classify import DKM
from codomain.classify.dkm import optimal_gram, prior_gram, sampled_gram
from codomain.classify.dkm.maths import JITTER, Deep, bound, features, readout

torch = pytest.importorskip("torch")


def rbf(G):
    """Kernel of rows with products G, by the definition, at length scale 1."""
    own = np.diag(G)
    return np.exp(-0.5 * (own[:, None] - 2 * G + own[None, :]))


def deep(seed, n=12, k=5, d=3, layers=2, slope=0.3):
    rng = np.random.default_rng(seed)
    X, Z = rng.normal(size=(n, d)), rng.normal(size=(k, d))
    V = np.eye(k) + slope * np.tril(rng.normal(size=(layers, k, k)), -1) + 0.2 * np.eye(k) * rng.random((layers, 1, k))
    parts = (Z, V, np.zeros(layers + 1), np.log([0.8, 0.3]))
    return torch.from_numpy(X), Deep(*(torch.from_numpy(part) for part in parts))


def test_a_wide_random_net_has_the_gram_matrices_of_the_prior():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6, 3))
    G = X @ X.T / 3
    for _ in range(2):  # Gaussian processes of width 200,000, each fed by the one before
        units = np.linalg.cholesky(rbf(G) + 1e-9 * np.eye(6)) @ rng.normal(size=(6, 200_000))
        G = units @ units.T / 200_000
    model = Deep(*(torch.from_numpy(part) for part in (X, np.repeat(np.eye(6)[None], 2, 0), np.zeros(3), np.zeros(2))))
    codes, rest, divergence = features(torch.from_numpy(X), model)
    np.testing.assert_allclose(codes @ codes.T, rbf(G), atol=0.02)
    assert float(divergence) == pytest.approx(0, abs=1e-9)
    assert float(rest.max()) < 1e-4


@given(seed=st.integers(0, 500))
@settings(max_examples=20)
def test_the_divergence_is_that_between_the_gaussians_of_each_layer(seed):
    X, model = deep(seed)
    G, expected = model.landmarks @ model.landmarks.T / 3, 0.0
    for V in model.turns:
        K = torch.from_numpy(rbf(G.numpy())) + JITTER * torch.eye(5)
        R = torch.linalg.cholesky(K)
        G = R @ V @ V.T @ R.T
        zero = torch.zeros(5, dtype=K.dtype)
        posterior, prior = (torch.distributions.MultivariateNormal(zero, matrix) for matrix in (G, K))
        expected += torch.distributions.kl_divergence(posterior, prior).item()
    assert features(X, model)[2].item() == pytest.approx(expected, rel=1e-6)


@given(seed=st.integers(0, 500))
@settings(max_examples=20)
def test_rows_that_are_landmarks_get_the_landmarks_gram_matrix(seed):
    _, model = deep(seed)
    G = model.landmarks @ model.landmarks.T / 3
    for V in model.turns:
        R = np.linalg.cholesky(rbf(np.asarray(G)) + JITTER * np.eye(5))
        G = R @ V.numpy() @ V.numpy().T @ R.T
    codes, rest, _ = features(model.landmarks, model)
    np.testing.assert_allclose((codes @ codes.T).numpy() + np.diag(rest.numpy()), rbf(G), atol=1e-3)


def exact(X, model, Y):
    """Log likelihood of targets where every row is a landmark, layers at their prior."""
    G = X @ X.T / X.shape[1]
    for _ in range(len(model.turns)):
        G = rbf(G)
    cov = 0.8 * rbf(G) + 0.3 * np.eye(len(X))
    return sum(multivariate_normal(np.zeros(len(X)), cov).logpdf(column) for column in Y.T), cov


@given(seed=st.integers(0, 500))
@settings(max_examples=20)
def test_the_bound_stays_below_the_likelihood_and_reaches_it_with_every_row_a_landmark(seed):
    X, _ = deep(seed)
    Y = np.random.default_rng(seed).normal(size=(12, 2))
    eye = np.repeat(np.eye(12)[None], 2, 0)
    full = Deep(*(torch.from_numpy(part) for part in (X.numpy(), eye, np.zeros(3), np.log([0.8, 0.3]))))
    few = full._replace(landmarks=X[:4], turns=full.turns[:, :4, :4])
    expected, _ = exact(X.numpy(), full, Y)
    reached = bound(*features(X, full)[:2], torch.from_numpy(Y), full.levels).item()
    below = bound(*features(X, few)[:2], torch.from_numpy(Y), few.levels).item()
    assert reached == pytest.approx(expected, abs=1e-2)
    # One layer's approximation bounds its own kernel; held at the prior, the kernel of few landmarks is smaller.
    Q, rest, _ = features(X, few)
    cov = 0.8 * (Q @ Q.T).numpy() + 0.3 * np.eye(12)
    at_most = sum(multivariate_normal(np.zeros(12), cov).logpdf(column) for column in Y.T)
    assert below == pytest.approx(at_most - 0.8 * rest.sum().item() * 2 / (2 * 0.3), rel=1e-6)


def test_with_every_row_a_landmark_it_predicts_as_a_gaussian_process_does():
    X, _ = deep(3)
    Y = np.random.default_rng(3).normal(size=(12, 2))
    eye = np.repeat(np.eye(12)[None], 2, 0)
    full = Deep(*(torch.from_numpy(part) for part in (X.numpy(), eye, np.zeros(3), np.log([0.8, 0.3]))))
    _, cov = exact(X.numpy(), full, Y)
    codes = features(X, full)[0]
    found = codes @ readout(codes, torch.from_numpy(Y), full.levels)
    np.testing.assert_allclose(found, (cov - 0.3 * np.eye(12)) @ np.linalg.solve(cov, Y), atol=1e-3)


def test_the_optimum_is_where_the_gram_matrix_of_a_wide_finite_net_piles_up():
    # With two rows a net of N hidden units has a Wishart Gram matrix of three free entries, so the mode of its
    # posterior given N outputs is at hand. The outputs have exactly the covariance C, times N.
    X, C, N = np.array([[0.0, 1.0], [1.0, 0.3]]), np.array([[1.6, -0.5], [-0.5, 0.9]]), 5000
    K = rbf(X @ X.T / 2)
    Y = torch.from_numpy(np.linalg.cholesky(C) * np.sqrt(2))  # two columns that stand for all N

    def lower(v):
        return np.array([[np.exp(v[0]), 0], [v[1], np.exp(v[2])]])

    def of_the_net(v):
        root = lower(v)
        G = root @ root.T
        cov = 0.8 * rbf(G) + 0.3 * np.eye(2)
        likelihood = -0.5 * (np.linalg.slogdet(cov)[1] + np.trace(np.linalg.solve(cov, C)))
        return -likelihood - wishart(N, K / N).logpdf(G) / N

    def of_the_machine(v):
        parts = (X, lower(v)[None], np.zeros(2), np.log([0.8, 0.3]))
        model = Deep(*(torch.from_numpy(part) for part in parts))
        codes, rest, divergence = features(torch.from_numpy(X), model)
        return (divergence - bound(codes, rest, Y, model.levels) / 2).item()

    R = np.linalg.cholesky(K)
    net = lower(minimize(of_the_net, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}).x)
    machine = lower(
        minimize(of_the_machine, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}).x
    )
    learned = R @ machine @ machine.T @ R.T
    np.testing.assert_allclose(learned, net @ net.T, atol=5e-3)
    assert np.abs(learned - K).max() > 0.05


def task(seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(60, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def test_at_the_optimum_no_turn_raises_the_objective():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(5, 2))
    Y, levels = rng.normal(size=(5, 2)), np.log([1.0, 0.1])
    R = np.linalg.cholesky(prior_gram(X))

    def objective(G):
        V = np.linalg.solve(R, np.linalg.cholesky(G))
        model = Deep(*(torch.from_numpy(part) for part in (X, V[None], np.zeros(2), levels)))
        codes, rest, divergence = features(torch.from_numpy(X), model)
        return (bound(codes, rest, torch.from_numpy(Y), model.levels) / 2 - divergence).item()

    best = optimal_gram(X, Y, levels, epochs=2000)
    top = objective(best)
    assert top > objective(prior_gram(X)) + 0.1
    for _ in range(30):
        B = rng.normal(size=(5, 5))
        assert objective(best + 1e-2 * best @ B @ B.T @ best) <= top + 1e-4


def test_without_targets_that_matter_the_sampled_gram_matrix_is_the_prior():
    X = np.random.default_rng(5).normal(size=(4, 2))
    levels = np.log([1e-6, 1.0])
    halves = sampled_gram(X, np.zeros((4, 1)), levels, 50, 2000, np.random.default_rng(0))
    np.testing.assert_allclose((halves[0] + halves[1]) / 2, prior_gram(X), atol=0.05)


def test_a_heavier_prior_keeps_the_gram_matrices_nearer_to_it():
    X, y = task(1)
    strayed = []
    for weight in (0.01, 1.0, 100.0):
        turns = DKM(10, weight_of_prior=weight, random_state=0).fit(X, y).deep_[1]
        strayed.append(np.linalg.norm(np.tril(turns) - np.eye(10)))
    assert strayed[0] > strayed[1] > strayed[2]


def test_it_learns_what_no_line_separates():
    X, y = task(2)
    head = DKM(16, random_state=0).fit(X, y)
    Q, truth = task(3)
    assert head.score(Q, truth) > 0.85
    assert head.losses_[-1] < head.losses_[0]
