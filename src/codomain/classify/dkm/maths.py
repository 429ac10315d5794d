"""The maths of a sparse deep kernel machine: Gram matrices from layer to layer, and the objective.

Everything is in float64 torch. A Gram matrix of the landmarks is kept as G = (R V)(R V)', where R is the lower Cholesky
factor of the kernel of the layer before and V lower triangular; V = I is an infinitely wide net.
"""

from math import log, pi
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need

if TYPE_CHECKING:
    from torch import Tensor

JITTER = 1e-6  # added to kernels of landmarks, whose diagonal is 1


class Deep(NamedTuple):
    """What is learned, as tensors or as arrays.

    Parameters
    ----------
    landmarks : (n_landmarks, n_features)
        Rows that all others are compared with.
    turns : (n_layers, n_landmarks, n_landmarks)
        The matrices V, of which only the lower triangle is used.
    lengths : (n_layers + 1,)
        Logarithms of the kernels' length scales.
    levels : (2,)
        Logarithms of the variances of the targets' signal and noise.
    """

    landmarks: Any
    turns: Any
    lengths: Any
    levels: Any


def squared_exponential(inner: "Tensor", left: "Tensor", right: "Tensor", length: "Tensor") -> "Tensor":
    """Return the kernel of rows, given their inner products and the squared lengths of either side."""
    squares = left[:, None] - 2 * inner + right
    return (-0.5 * squares.clamp(min=0) / (2 * length).exp()).exp()


def features(rows: "Tensor", deep: Deep) -> "tuple[Tensor, Tensor, Tensor]":
    """Pass rows, (n, n_features), through the layers.

    Returns
    -------
    codes : (n, n_landmarks)
        Their products are the last kernel as far as the landmarks determine it.
    rest : (n,)
        The part of the kernel's diagonal that they do not determine, at least 0.
    divergence : scalar
        Sum over layers of the divergence of N(0, G) from N(0, kernel of the previous Gram matrix), in nats.
    """
    torch = need("torch", "torch")
    width = rows.shape[1]
    G, across = deep.landmarks @ deep.landmarks.T / width, rows @ deep.landmarks.T / width
    own, divergence = (rows**2).sum(dim=1) / width, rows.new_zeros(())
    for layer, length in enumerate(deep.lengths):
        K = squared_exponential(G, G.diagonal(), G.diagonal(), length)
        R = torch.linalg.cholesky(K + JITTER * torch.eye(len(K), dtype=K.dtype))
        K_across = squared_exponential(across, own, G.diagonal(), length)
        codes = torch.linalg.solve_triangular(R, K_across.T, upper=False).T
        rest = (1 - (codes**2).sum(dim=1)).clamp(min=0)
        if layer < len(deep.turns):
            V = deep.turns[layer].tril()
            divergence = divergence + 0.5 * ((V**2).sum() - (V.diagonal() ** 2).log().sum() - len(V))
            root, seen = R @ V, codes @ V
            G, across, own = root @ root.T, seen @ root.T, rest + (seen**2).sum(dim=1)
    return codes, rest, divergence


def bound(codes: "Tensor", rest: "Tensor", targets: "Tensor", levels: "Tensor") -> "Tensor":
    """Return a lower bound, in nats, of the log likelihood of targets under a Gaussian process; cost linear in rows."""
    torch = need("torch", "torch")
    signal, noise = levels.exp()
    n, width = codes.shape
    A = signal.sqrt() * codes
    root = torch.linalg.cholesky(A.T @ A + noise * torch.eye(width, dtype=A.dtype))
    projected = torch.linalg.solve_triangular(root, A.T @ targets, upper=False)
    size = n * log(2 * pi) + 2 * root.diagonal().log().sum() + (n - width) * noise.log()
    misfit = ((targets**2).sum() - (projected**2).sum() + targets.shape[1] * signal * rest.sum()) / noise
    value: Tensor = -0.5 * (targets.shape[1] * size + misfit)
    return value


def readout(codes: "Tensor", targets: "Tensor", levels: "Tensor") -> "Tensor":
    """Return weights with which codes predict targets, (n_landmarks, n_targets): the posterior mean."""
    torch = need("torch", "torch")
    ridge = (levels[1] - levels[0]).exp() * torch.eye(codes.shape[1], dtype=codes.dtype)
    weights: Tensor = torch.linalg.solve(codes.T @ codes + ridge, codes.T @ targets)
    return weights


def train(
    rows: NDArray[Any], targets: NDArray[Any], start: NDArray[Any], n_layers: int, weight: float, epochs: int,
    learning_rate: float, rng: np.random.RandomState,
) -> tuple[Deep, NDArray[Any], list[float]]:  # fmt: skip
    """Maximise the objective; return what was learned, the readout, and the objective per row and target, negated."""
    torch = need("torch", "torch")
    X, Y = torch.from_numpy(rows), torch.from_numpy(targets)
    same = np.repeat(np.eye(len(start))[None], n_layers, axis=0)
    levels = np.log(np.array([1.0, 0.1]) * max(float(np.mean(targets**2)), 1e-12))
    deep = Deep(
        *(torch.nn.Parameter(torch.from_numpy(a)) for a in (start.copy(), same, np.zeros(n_layers + 1), levels))
    )

    def loss(_: "Tensor") -> "Tensor":
        codes, rest, divergence = features(X, deep)
        value: Tensor = weight * divergence - bound(codes, rest, Y, deep.levels) / Y.shape[1]
        return value / len(X)

    losses = descend(
        loss, deep, len(X), epochs=epochs, batch=len(X), learning_rate=learning_rate, random_state=rng
    )  # fmt: skip
    with torch.no_grad():
        weights = readout(features(X, deep)[0], Y, deep.levels)
    return Deep(*(part.detach().numpy() for part in deep)), weights.numpy(), losses


def score(rows: NDArray[Any], deep: Deep, weights: NDArray[Any]) -> NDArray[Any]:
    """Return the predicted targets of rows, (n, n_targets)."""
    torch = need("torch", "torch")
    with torch.no_grad():
        codes, _, _ = features(torch.from_numpy(rows), Deep(*(torch.from_numpy(part) for part in deep)))
    return np.asarray(codes.numpy() @ weights)
