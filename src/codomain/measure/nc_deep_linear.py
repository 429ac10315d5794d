"""Measure how far labelled classes have collapsed onto their means, and the means onto a regular frame."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

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
    NeuralCollapse, unit="Spearman correlation with the passes so far, -1 to 1", margin=0.10, seconds=30,
    says="Classes of unseen digits collapse onto their means (NC1 falls) as a net trains.",
    floor="variance within the classes, not set against the spread of their means", peer="Fisher's ratio of traces",
)  # fmt: skip
def collapses_in_training(seed: int) -> Trial:
    """Hidden layer of a digit net, seen on digits that it is not trained on, at nine points of its training."""
    from scipy.stats import spearmanr

    from codomain.measure import fisher_ratio
    from codomain.tasks import digit_net_in_training

    passes, ours, floor, peer = [], [], [], []
    for epoch, Z, y in digit_net_in_training(seed):
        _, which, means = means_of(Z, y)
        passes.append(epoch)
        ours.append(-NeuralCollapse().fit(Z, y).variability_)
        floor.append(-float(np.square(Z - means[which]).sum()) / len(Z))
        peer.append(fisher_ratio(Z, y))
    return Trial(*(float(spearmanr(scores, passes).statistic) for scores in (ours, floor, peer)))
