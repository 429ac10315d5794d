"""Draw a map in two dimensions from neighbour lists, and measure how many of each row's neighbours it keeps."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, eigsh
from scipy.spatial import cKDTree

from codomain.core import UserError, bar, need
from codomain.core.maths.blocks import unit_blocks
from codomain.core.maths.rows import Floats, Ints, finite_unit_rows

CELL = 0.35  # side of a cell of the grid, in units of the width of the repulsion
MOST_CELLS = 1024
LONGEST_STEP = np.float32(5)
SQUARED = 2_000  # rows or features up to which all their products with each other are cheap to make and take apart


@dataclass(frozen=True)
class Layout:
    """A map.

    Parameters
    ----------
    xy : ndarray of shape (n_samples, 2)
        Places, within [-1, 1].
    kept : ndarray of shape (n_samples,)
        Share of each row's k true neighbours that are among its k nearest on the map, from 0 to 1.
    method : str
        Its method in words.
    """

    xy: Floats
    kept: Floats
    method: str


def layout(
    X: Any,
    neighbors: Any,
    *,
    method: str = "forces",
    random_state: int = 0,
    max_iter: int = 500,
    exaggeration: float = 1.0,
    progress: bool = False,
) -> Layout:
    """Place rows so that neighbours stay together.

    "forces" minimises the loss of t-SNE with equal weight on every given neighbour. All rows repel each other;
    the repulsion is a convolution, so it is computed on a grid by FFT, and a step costs O(n). It starts from the
    first two principal components and draws nothing at random: the same input gives the same map.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Array, memory map or a space's vectors.
    neighbors : ndarray of int, or object with `indices`, of shape (n_samples, k)
        Nearest rows of each row, without itself; -1 where there are fewer.
    method : {"forces", "pca", "umap"}, default="forces"
        "umap" needs the extra `map`.
    random_state : int, default=0
        Seed; only "umap" uses it.
    max_iter : int, default=500
        Steps of "forces".
    exaggeration : float, default=1.0
        How much stronger than in t-SNE neighbours attract each other at the end: more gives clearer groups and keeps
        fewer neighbours.
    progress : bool, default=False
        Whether to draw a bar.

    Returns
    -------
    Layout
        Places within [-1, 1] and the share of neighbours kept.

    Raises
    ------
    UserError
        When the lists are not of X's rows, the method is unknown, or umap-learn is not installed.
    """
    lists = np.asarray(getattr(neighbors, "indices", neighbors))
    n = X.shape[0]
    if lists.ndim != 2 or len(lists) != n or lists.max(initial=-1) >= n:
        raise UserError(
            f"Neighbour lists of shape {lists.shape} do not belong to {n} rows.", needed=f"({n}, k), rows below {n}"
        )
    if method == "pca":
        xy, how = _pca(X, 2), "first two principal components"
    elif method == "umap":
        umap = need("umap", "map")
        xy = umap.UMAP(n_neighbors=min(15, n - 1), random_state=random_state, n_jobs=1).fit_transform(_pca(X, 50))
        how = f"umap-learn {umap.__version__} on 50 principal components"
    elif method == "forces":
        xy, how = (
            _forces(_pca(X, 2), lists, max_iter, exaggeration, progress),
            f"t-SNE forces on {lists.shape[1]} neighbours",
        )
    else:
        raise UserError(f"method={method!r}", needed="'forces', 'pca' or 'umap'")
    xy = _fit_to_square(np.asarray(xy, dtype=np.float64))
    return Layout(xy, kept_neighbors(xy, lists), how)


def kept_neighbors(xy: NDArray[Any], lists: NDArray[Any]) -> Floats:
    """Share of each row's listed neighbours among as many nearest points of the map, of shape (n_samples,)."""
    n, k = lists.shape
    k = min(k, n - 1)
    if k < 1:
        return np.ones(n, dtype=np.float32)
    near = cKDTree(xy).query(xy, k + 1, workers=-1)[1]
    # Among rows at one place the tree may list others first, so a row is dropped by its number, not its position.
    order = np.argsort(near == np.arange(n)[:, None], axis=1, kind="stable")[:, :k]
    near = np.take_along_axis(near, order, axis=1)
    listed = lists >= 0
    hit = np.zeros(lists.shape, dtype=bool)
    for column in near.T:
        hit |= lists == column[:, None]
    return np.asarray((hit & listed).sum(axis=1) / np.maximum(listed.sum(axis=1), 1), dtype=np.float32)


def _pca(X: Any, width: int) -> Floats:
    """Return principal components of the rows scaled to length 1, learned from at most 20,000 of them."""
    n, d = X.shape
    sample = finite_unit_rows(X[np.linspace(0, n - 1, min(n, 20_000)).astype(np.int64)])
    mean = sample.mean(axis=0)
    directions = _directions(sample - mean, min(width, d))
    directions *= np.where(directions.sum(axis=0) < 0, -1, 1)  # a sign that does not depend on the linear algebra
    out = np.zeros((n, max(width, 2)) if width == 2 else (n, min(width, d)), dtype=np.float32)
    for start, rows in unit_blocks(X):
        out[start : start + len(rows), : directions.shape[1]] = (rows - mean) @ directions.astype(np.float32)
    return out


def _directions(rows: Floats, width: int) -> NDArray[np.float64]:
    """Principal directions of centred rows, (n_features, at most width), by way of whichever side is smaller.

    Where both sides are long, products with the rows alone are asked for, so neither side is ever squared.
    """
    n, d = rows.shape
    if min(n, d) > SQUARED:
        start = np.random.default_rng(0).standard_normal((d,)).astype(rows.dtype)
        square = LinearOperator((d, d), matvec=lambda v: rows.T @ (rows @ v), dtype=rows.dtype)
        return np.asarray(eigsh(square, width, v0=start, tol=1e-4)[1][:, ::-1], np.float64)
    if d <= n:
        return np.asarray(np.linalg.eigh(np.cov(rows.T, bias=True).reshape(d, d))[1][:, ::-1][:, :width])
    squares, sides = np.linalg.eigh(rows.astype(np.float64) @ rows.T)
    kept = squares > squares.max(initial=0) * 1e-10
    sides = sides[:, kept][:, ::-1][:, :width]
    return np.asarray((rows.T @ sides) / np.sqrt(squares[kept][::-1][:width]))


def _neighbour_graph(lists: Ints) -> csr_matrix:
    """Return symmetric weights of the neighbour lists that sum to 1: a listed row pulls the one that lists it too."""
    n, k = lists.shape
    row, other = np.repeat(np.arange(n), k), lists.ravel()
    good = (other >= 0) & (other != row)
    one = csr_matrix((np.ones(good.sum(), dtype=np.float32), (row[good], other[good])), shape=(n, n))
    both = (one + one.T).tocsr()
    both.data /= max(float(both.sum(dtype=np.float64)), 1.0)
    return both


def _forces(start: Floats, lists: Ints, max_iter: int, exaggeration: float, progress: bool) -> NDArray[np.float32]:
    """Minimise the loss of t-SNE with momentum and a gain for each coordinate; attraction is exaggerated at first."""
    n = len(start)
    if n < 4:
        return start
    graph = _neighbour_graph(lists)
    counts = np.diff(graph.indptr)
    ones = np.ones((n, 1), dtype=np.float32)
    Y = start / max(float(start[:, 0].std()), 1e-12) * np.float32(1e-2)
    speed, gain = np.zeros_like(Y), np.ones_like(Y)
    grid = _Grid()
    early = max_iter // 3
    with bar("map", total=max_iter, unit="steps") if progress else nullcontext(lambda done: None) as tick:
        for step in range(max_iter):
            pull = 12.0 if step < early else exaggeration
            squares = sum((np.repeat(y, counts) - y[graph.indices]) ** 2 for y in (Y[:, 0], Y[:, 1]))
            near = csr_matrix((graph.data / (1 + squares), graph.indices, graph.indptr), shape=graph.shape)
            sums = near @ np.hstack([Y, ones])
            slope = 4 * (pull * (sums[:, 2:] * Y - sums[:, :2]) - grid.repulsion(Y))
            gain = np.maximum(np.where(slope * speed < 0, gain + 0.2, gain * 0.8), 0.01)
            speed = (0.5 if step < early else 0.8) * speed - (n / pull) * gain * slope
            # A point that lands on an unrelated one is thrown off; without a limit it would leave the map for good.
            speed *= np.minimum(1, LONGEST_STEP / np.maximum(np.linalg.norm(speed, axis=1, keepdims=True), 1e-12))
            Y = Y + speed
            Y -= Y.mean(axis=0)
            tick(1)
    return Y


class _Grid:
    """Sums over all pairs of points as convolutions on a grid."""

    def __init__(self) -> None:
        self.key: Any = None
        self.kernels: Any = None

    def repulsion(self, Y: Floats) -> Floats:
        """Sum over j of q_ij ** 2 (y_i - y_j) over the sum of all q_ij, where q_ij = 1 / (1 + |y_i - y_j| ** 2)."""
        low = Y.min(axis=0)
        span = max(float((Y.max(axis=0) - low).max()), 1e-9)
        cell = max(min(CELL, span / 64), span / MOST_CELLS)
        size = next_fast_len(2 * (int(span / cell) + 2), real=True)
        if self.key != (cell, size):
            self.key = cell, size
            apart = (((np.arange(size) + size // 2) % size - size // 2) * cell).astype(np.float32)
            near = 1 / (1 + apart[:, None] ** 2 + apart[None, :] ** 2)
            push = apart[:, None] * near**2
            self.kernels = [rfft2(kernel, workers=-1) for kernel in (near, push, push.T)]
        # Each point is shared by the four corners of its cell, and reads its force from the same four.
        place = (Y - low) / np.float32(cell)
        corner = place.astype(np.int64)
        part = place - corner
        weights = [
            (np.abs(1 - i - part[:, 0]) * np.abs(1 - j - part[:, 1]), (corner[:, 0] + i) * size + corner[:, 1] + j)
            for i in (0, 1)
            for j in (0, 1)
        ]
        parts = [np.bincount(at, weight, minlength=size * size) for weight, at in weights]
        mass = np.sum(parts, axis=0).astype(np.float32).reshape(size, size)
        waves = rfft2(mass, workers=-1)
        field, *pushes = (irfft2(waves * kernel, (size, size), workers=-1) for kernel in self.kernels)
        # A point's force on itself is less than 1 on the grid, as its four shares lie apart: subtract just that.
        shares = [weight for weight, _ in weights]
        pairs = ((0, 1, 1), (2, 3, 1), (0, 2, 1), (1, 3, 1), (0, 3, 2), (1, 2, 2))
        own = sum(float((w * w).sum(dtype=np.float64)) for w in shares)
        for a, b, squares in pairs:
            own += 2 * float((shares[a] * shares[b]).sum(dtype=np.float64)) / (1 + squares * cell**2)
        total = max(float((mass * field).sum(dtype=np.float64)) - own, 1e-12)
        force = [sum(weight * push.ravel()[at] for weight, at in weights) / total for push in pushes]
        return np.column_stack(force).astype(np.float32)


def _fit_to_square(xy: NDArray[np.float64]) -> Floats:
    """Fit into [-1, 1] with one scale for both axes; only the outermost points in a thousand are pulled in."""
    low, high = np.quantile(xy, [0.0005, 0.9995], axis=0)
    out = (xy - (low + high) / 2) / max(float((high - low).max()) / 2, 1e-12)
    reach = np.abs(out).max(axis=1, keepdims=True)
    far = reach > 1
    out = np.where(far, out / np.maximum(reach, 1) * (1.1 - 0.1 / np.maximum(reach, 1)), out)
    return (out / max(float(np.abs(out).max()), 1e-12)).astype(np.float32)
