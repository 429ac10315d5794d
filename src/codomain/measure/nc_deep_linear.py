"""Measure how far labelled classes have collapsed onto their means, and the means onto a regular frame."""

from functools import reduce
from itertools import accumulate
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from codomain.core import Method, OneOf, Paper, Trial, UserError, claim
from codomain.core.maths.means import exact_class_means


def means_of(X: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the classes, the class of each row as a number, and the class means of shape (n_classes, n_features)."""
    names, which = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise UserError(f"There is {len(names)} class among {len(X)} rows.", needed="at least two classes")
    return names, which, exact_class_means(X, which)


def variability(X: NDArray[Any], which: NDArray[Any], means: NDArray[Any]) -> float:
    """Return NC1: the trace of the within-class covariance times the pseudo-inverse of the between-class one, over K.

    Only the directions in which the means differ count, so coordinates in these are enough.
    """
    count = len(means)
    _, sizes, directions = np.linalg.svd((means - means.mean(axis=0)) / np.sqrt(count), full_matrices=False)
    above = sizes > 1e-6 * max(sizes.max(initial=0), np.finfo(np.float32).eps * np.abs(means).max(initial=0))
    if not above.any():
        return float("inf")
    strays = ((X - means[which]) @ directions[above].T) / sizes[above]
    return float(np.square(strays).sum() / len(X) / count)


def distance(one: NDArray[Any], two: NDArray[Any]) -> float:
    """Distance of two square matrices, each scaled to Frobenius norm 1."""
    return float(np.linalg.norm(one / np.linalg.norm(one) - two / np.linalg.norm(two)))


def expected_lengths(sizes: ArrayLike, n_layers: int, weight_decay: float, feature_decay: float) -> NDArray[np.float64]:
    r"""Predict the lengths of class means that minimise the squared error of free features below linear layers.

    A class of n out of N rows minimises :math:`1 / (1 + x^M) + c x`, :math:`c = M N \lambda_W
    (N \lambda_H)^{1/M} / n`, over :math:`x \ge 0`; its mean has length :math:`x^{M/2} / (1 + x^M)` over
    :math:`\sqrt{N \lambda_H}`.

    Parameters
    ----------
    sizes : array-like of shape (n_classes,)
        Rows of each class.
    n_layers : int
        Linear layers M above the features.
    weight_decay, feature_decay : float
        Weights of half the squares of all weights and of all features, added to half the mean squared error.

    Returns
    -------
    ndarray of shape (n_classes,)
        Lengths; 0 for a class that is too small to be worth its decay.
    """
    counts = np.asarray(sizes, dtype=float)
    scale, power = feature_decay * counts.sum(), float(n_layers)

    def minimiser(cost: float) -> float:
        def slope(x: float) -> float:
            return float(power * x ** (power - 1) / (1 + x**power) ** 2 - cost)

        peak = ((power - 1) / (power + 1)) ** (1 / power)
        if slope(peak) <= 0:
            return 0.0
        x = float(brentq(slope, peak, peak + (power / cost) ** (1 / (power + 1)), xtol=1e-14))
        return x if 1 / (1 + x**power) + cost * x < 1 else 0.0

    costs = power * weight_decay * counts.sum() * scale ** (1 / power) / counts
    x = np.array([minimiser(cost) for cost in costs])
    lengths: NDArray[np.float64] = x ** (power / 2) / (1 + x**power) / np.sqrt(scale)
    return lengths


def gap(products: NDArray[Any], frame: str) -> float:
    """Distance of a square matrix of inner products, scaled to Frobenius norm 1, from that of a frame."""
    count, size = len(products), float(np.linalg.norm(products))
    if not size:
        return 1.0
    if frame == "orthogonal":  # lengths are free: only entries off the diagonal count
        return float(np.linalg.norm(products - np.diag(np.diag(products))) / size)
    simplex = (np.eye(count) - 1 / count) / np.sqrt(count - 1)
    return float(np.linalg.norm(products / size - simplex))


class NeuralCollapse(Method):
    r"""Measure neural collapse: classes onto their means, means onto a frame, weights onto means.

    NC1 is :math:`\frac{1}{K} \mathrm{tr}(\Sigma_W \Sigma_B^\dagger)`. NC2 and NC3 compare :math:`G = H H^\top` of the K
    means, or :math:`G = W H^\top` with a head's weights, with :math:`(I - \frac{1}{K} 1 1^\top) / \sqrt{K-1}`, both
    of norm 1 (simplex, means centred), or with a diagonal matrix: the share of :math:`\|G\|_F` off the diagonal.

    Parameters
    ----------
    frame : {"simplex", "orthogonal"}, default="simplex"
        The frame that the paper proves for the means: a simplex with equal classes and a bias or cross entropy, an
        orthogonal frame without bias under squared error, whose lengths then depend on the sizes of the classes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    sizes_ : ndarray of shape (n_classes,)
        Rows of each class.
    means_ : ndarray of shape (n_classes, n_features)
        Class means, without the mean of all means when `frame` is "simplex".
    lengths_ : ndarray of shape (n_classes,)
        Lengths of `means_`, in the unit of X.
    variability_ : float
        NC1, at least 0: 0 when every class is one point, infinite when all means are equal.
    frame_gap_ : float
        NC2: 0 when the means form the frame, at most 2. More than n_features classes cannot be orthogonal, and more
        than n_features + 1 cannot be a simplex.
    best : str
        "low": nearer to collapse.
    bounds : tuple of float
        Lowest and highest possible variability.

    Raises
    ------
    ValueError
        In `fit`, when there are no labels, fewer than two classes, or the frame is not known.

    Notes
    -----
    Checked against the authors' code (Fsoft-AIC/Neural-Collapse-in-Deep-Linear-Networks): NC1 with the covariance
    within the classes over all rows and that of the means over classes, products of norm 1, and the equation for the
    lengths. The code subtracts the mean of all rows from the class means for NC1, here the mean of the means: the
    same with equal classes. Frame "orthogonal" leaves the lengths free; `expected_lengths` predicts them.
    Second reading: the loss, the equation for the lengths and the products of norm 1 are those of the code, whose
    claim has other sizes and six layers; with the sizes handed to the prediction in reverse order ours falls from
    -0.004 to -0.463, below the floor (-0.240).

    References
    ----------
    Dang et al. (2023), arXiv:2301.00437.

    Examples
    --------
    >>> found = NeuralCollapse("orthogonal").fit([[0.0, 1.0], [0.0, 3.0], [5.0, 0.0]], ["a", "a", "b"])
    >>> found.lengths_, found.frame_gap_
    (array([2., 5.]), 0.0)
    """

    paper = Paper.get("nc-deep-linear")
    rules: ClassVar = {"frame": OneOf("simplex", "orthogonal")}
    small: ClassVar = {}
    needs_y = True
    best: ClassVar = "low"
    bounds: ClassVar = (0.0, float("inf"))

    def __init__(self, frame: str = "simplex") -> None:
        self.frame = frame

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Measure X, of shape (n_samples, n_features), with labels y, of shape (n_samples,)."""
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        self.classes_, which, means = means_of(data, labels)
        self.sizes_ = np.bincount(which)
        self.variability_ = variability(data, which, means)
        if self.frame == "simplex":
            means = means - means.mean(axis=0)
        self.frame_gap_ = gap(means @ means.T, self.frame)
        self.means_ = means.astype(data.dtype)
        self.lengths_ = np.linalg.norm(self.means_, axis=1)
        return self

    def weights_gap(self, W: ArrayLike) -> float:
        """NC3 of a head's weights, (n_classes, n_features): 0 when their products with the means form the frame."""
        check_is_fitted(self)
        weights = np.asarray(W, dtype=np.float64)
        if weights.shape != self.means_.shape:
            raise UserError(
                f"W has shape {weights.shape}.", needed=f"{self.means_.shape}: one row for each class, as in classes_",
                todo="pass W.T if your head maps rows by X @ W",
            )  # fmt: skip
        return gap(weights @ self.means_.T.astype(np.float64), self.frame)

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Minus NC1 of other rows around their own means, at most 0."""
        check_is_fitted(self)
        data, labels = validate_data(self, X, y, reset=False, dtype=(np.float64, np.float32))
        _, which, means = means_of(data, labels)
        return -variability(data, which, means)


@claim(
    NeuralCollapse, unit="minus the distance of class means from a frame, both of norm 1", margin=0.05, seconds=60,
    rows="fresh",
    says="Means of classes of unequal sizes end in an orthogonal frame whose lengths follow from the sizes.",
    premise="the trained net is right in this share of its rows", least=1.0,
    floor="the orthogonal frame of balanced classes, all lengths equal", peer="the simplex",
)  # fmt: skip
@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]  # its products are small
def lengths_follow_from_sizes(seed: int) -> Trial:
    """Features without constraint below one, two or three linear layers, squared error, no bias.

    Four classes of 50 to 250 rows, drawn anew for each net; 64 units, decays of 5e-4 and starting deviations of 0.1
    as published. Not as published, for time: L-BFGS in place of 30,000 steps of gradient descent.
    """
    from scipy.optimize import minimize

    rng, decay, width = np.random.default_rng(seed), 5e-4, 64

    def train(sizes: NDArray[Any], depth: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        y = np.repeat(np.arange(len(sizes)), sizes)
        truth = np.eye(len(sizes))[y]
        shapes = [(len(y), width), *[(width, width)] * (depth - 1), (width, len(sizes))]
        cuts = np.cumsum([np.prod(shape) for shape in shapes])[:-1]

        def unpack(flat: NDArray[Any]) -> list[NDArray[Any]]:
            return [part.reshape(shape) for part, shape in zip(np.split(flat, cuts), shapes, strict=True)]

        def loss(flat: NDArray[Any]) -> tuple[float, NDArray[Any]]:
            parts = unpack(flat)
            layers = list(accumulate(parts, np.matmul))
            error = (layers[-1] - truth) / len(y)
            value = len(y) * np.square(error).sum() / 2 + decay * np.square(flat).sum() / 2
            slopes = []
            for below, weights in zip(layers[-2::-1], parts[:0:-1], strict=True):
                slopes.append(below.T @ error)
                error = error @ weights.T
            return float(value), np.concatenate([error, *slopes[::-1]], axis=None) + decay * flat

        start = 0.1 * rng.standard_normal(sum(np.prod(shape) for shape in shapes))
        options = {"maxiter": 2000, "ftol": 1e-13}
        found = unpack(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x)
        return found[0], y, reduce(np.matmul, found).argmax(axis=1) == y

    scores, right = [], []
    for depth in (1, 2, 3):
        sizes = rng.integers(50, 251, size=4)
        Z, y, correct = train(sizes, depth)
        collapse = NeuralCollapse("orthogonal").fit(Z, y)
        means = collapse.means_ @ collapse.means_.T
        expected = expected_lengths(sizes, depth, decay, decay)
        point = np.ones((4, 4))
        scores.append(
            [-distance(means, frame) for frame in (np.diag(expected**2), np.eye(4), np.eye(4) - 1 / 4, point)]
        )
        right.append(correct.mean())
    ours, floor, peer, chance = np.mean(scores, axis=0)
    return Trial(ours, floor, peer, chance, premise=float(min(right)))
