"""Give every class a fixed corner, so that nets trained at different times put it in the same place."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from codomain.align.shared.compatible import learn, plain_net, run_net, start_net
from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim, need, unit_rows


def simplex(n_classes: int) -> NDArray[np.float64]:
    """Corners of a regular simplex around the origin, of shape (n_classes, n_classes - 1), at length 1."""
    # The unit vectors of the axes are all equally far apart; (t, ..., t) below is just as far from each of them.
    axes = np.eye(n_classes - 1)
    last = np.full((1, n_classes - 1), (1 - np.sqrt(n_classes)) / (n_classes - 1))
    corners = np.vstack([axes, last])
    return np.asarray(unit_rows(corners - corners.mean(axis=0)))


class DSimplex(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Method):
    r"""A net whose classifier is a regular simplex that is never trained.

    Each class has a corner :math:`w_c` of a simplex with room for `n_classes`; the net's features :math:`h` learn
    :math:`\mathrm{softmax}_c(h^\top w_c)`. Training that goes on until features lie at their class's corner puts
    them there in every net, so that a later net can search an earlier one's gallery; how near they come is what
    `inequalities` shows. No old features are needed, but the order of classes must stay: give `classes` to each
    `fit`, new classes at the end. Not in the paper: this net.

    Parameters
    ----------
    n_classes : int, default=32
        Number of corners, with room for classes to come; features have one column fewer.
    n_hidden : int, default=64
        Units of the net's hidden layer.
    epochs : int, default=40
        Passes over the rows.
    learning_rate : float, default=0.01
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the weights' start and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes_named,)
        Classes that have a corner, in the corners' order.
    corners_ : ndarray of shape (n_classes, n_classes - 1)
        Corners at length 1; any two have the cosine -1 / (n_classes - 1).
    losses_ : ndarray of shape (epochs,)
        Mean cross-entropy of each pass, in nats.

    Raises
    ------
    ValueError
        In `fit`, when y is missing or has a class without a corner, or a parameter breaks its rule.

    References
    ----------
    Biondi et al. (2024), arXiv:2405.02581.

    Examples
    --------
    >>> X = [[0.0, 1.0], [0.1, 0.9], [1.0, 0.0], [0.9, 0.1]]
    >>> old, new = (DSimplex(3, random_state=seed).fit(X, list("aabb"), classes=list("abc")) for seed in (0, 1))
    >>> (new.transform(X) @ old.transform(X).T > 0).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 1],
           [0, 0, 1, 1]])
    """

    paper = Paper.get("d-simplex")
    rules: ClassVar = {
        "n_classes": Int(2), "n_hidden": Int(1), "epochs": Int(1), "learning_rate": Real(1e-6), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_hidden": 8, "epochs": 3, "random_state": 0}
    needs_y = True

    def __init__(
        self, n_classes: int = 32, *, n_hidden: int = 64, epochs: int = 40, learning_rate: float = 0.01,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_classes = n_classes
        self.n_hidden = n_hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, *, classes: ArrayLike | None = None) -> Self:
        """Train the net.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the net sees.
        y : array-like of shape (n_samples,)
            Class of each row.
        classes : array-like of shape (n_classes_named,), default=None
            Names of the first corners; None takes the classes of y, sorted.
        """
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        present = np.unique(labels)
        self.classes_ = present if classes is None else column_or_1d(classes)
        if len(self.classes_) > self.n_classes:
            raise UserError(f"{len(self.classes_)} classes.", needed=f"at most n_classes={self.n_classes}")
        corner_of = {name: corner for corner, name in enumerate(self.classes_.tolist())}
        strangers = [name for name in present.tolist() if name not in corner_of]
        if strangers or len(corner_of) < len(self.classes_):
            raise UserError(
                f"y has {strangers} and classes has {len(self.classes_) - len(corner_of)} repeated.",
                needed="classes that name each class of y once", todo="append new classes at the end of classes",
            )  # fmt: skip
        corners = np.array([corner_of[name] for name in labels.tolist()])
        self.corners_ = simplex(self.n_classes).astype(data.dtype)
        self._net, self.losses_ = self._learn(data, corners, check_random_state(self.random_state))
        self._n_features_out = self.n_classes - 1
        return self

    def _learn(
        self, X: NDArray[Any], corners: NDArray[np.intp], rng: np.random.RandomState
    ) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
        torch = need("torch", "torch")
        rows, labels, head = (torch.from_numpy(np.array(part)) for part in (X, corners, self.corners_))

        def loss(net: Any, some: Any) -> Any:
            return torch.nn.functional.cross_entropy(run_net(net, rows[some]) @ head.T, labels[some])

        start = start_net(X, self.n_hidden, self.n_classes - 1, rng)
        return learn(loss, start, len(X), epochs=self.epochs, learning_rate=self.learning_rate, rng=rng)

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Features, of shape (n_samples, n_classes - 1); compare those of any two such nets by cosine."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return np.asarray(run_net(self._net, data), dtype=data.dtype)

    def inequalities(self, X: ArrayLike, y: ArrayLike, old: ArrayLike) -> tuple[float, float]:
        """Test an update against both parts of the definition of compatibility.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows for this net.
        y : array-like of shape (n_samples,)
            Their classes.
        old : array-like of shape (n_samples, n_classes - 1)
            Features of the same rows by the previous net.

        Returns
        -------
        nearer, farther : float
            Share of pairs of one class that are no farther from new to old than from old to old, and share of pairs of
            two classes that are no nearer; by cosine, 0 to 1.
        """
        new, labels = unit_rows(self.transform(X)), column_or_1d(y)
        before = unit_rows(check_array(old, dtype=new.dtype, input_name="old"))
        check_consistent_length(new, labels, before)
        if before.shape[1] != new.shape[1]:
            raise UserError(f"old is {before.shape[1]} wide.", needed=f"{new.shape[1]} columns, as transform gives")
        closer = new @ before.T - before @ before.T
        same, itself = labels[:, None] == labels, np.eye(len(labels), dtype=bool)
        if same.all() or not (same & ~itself).any():
            raise UserError("y has no pair of each kind.", needed="two classes, and two rows of one of them")
        return float(np.mean(closer[same & ~itself] >= 0)), float(np.mean(closer[~same] <= 0))


@claim(
    DSimplex, needs=("torch",),
    unit="mean average precision in the first net's gallery, 0 to 1", margin=0.02, seconds=60,
    says="A net trained anew on more rows searches the gallery of the first better than the first does.",
    floor="the first net's queries in its own gallery",
    peer="two nets with trained classifiers, the second turned onto the first by scipy's orthogonal_procrustes",
)  # fmt: skip
def searches_the_gallery_before(seed: int) -> Trial:
    """Digits: the first net learns from 100 scans, the second from another start and 898; room for 32 classes."""
    from scipy.linalg import orthogonal_procrustes

    from codomain.tasks.galleries import digit_gallery, precision

    X, y, gallery, gallery_y, queries, queries_y = digit_gallery(seed)
    first, second = DSimplex(random_state=seed + 1000).fit(X[:100], y[:100]), DSimplex(random_state=seed).fit(X, y)
    before, after = (
        plain_net(X[:n], y[:n], 31, np.random.RandomState(start))[0]
        for n, start in ((100, seed + 1000), (len(X), seed))
    )
    turn = orthogonal_procrustes(unit_rows(run_net(after, X)), unit_rows(run_net(before, X)))[0]
    there = first.transform(gallery)
    return Trial(
        ours=precision(second.transform(queries), queries_y, there, gallery_y),
        floor=precision(first.transform(queries), queries_y, there, gallery_y),
        peer=precision(run_net(after, queries) @ turn, queries_y, run_net(before, gallery), gallery_y),
    )
