"""Give every class a fixed corner, so that nets trained at different times put it in the same place."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from codomain.align.d_simplex.maths import higher_order_loss, simplex
from codomain.align.shared.compatible import Arrays, learn, run_net, start_net
from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim, need, unit_rows


class DSimplex(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Method):
    r"""A net whose classifier is a regular simplex that is never trained.

    Each class has a corner :math:`w_c` of a simplex with room for `n_classes`; the net's features :math:`h` learn
    :math:`\mathrm{softmax}_c(h^\top w_c)`. Training that goes on until features lie at their class's corner puts
    them there in every net, so that a later net can search an earlier one's gallery; how near they come is what
    `inequalities` shows. The order of classes must stay: give `classes` to each `fit`, new classes at the end. With
    the features that an earlier net gave, `old`, a contrastive loss also keeps each row near its own.

    Parameters
    ----------
    n_classes : int, default=32
        Number of corners, with room for classes to come; features have one column fewer.
    n_hidden : int, default=64
        Units of the net's hidden layer.
    weight_of_old : float, default=0.9
        Share of the contrastive loss where there are old features, 0 to 1; as published.
    temperature : float, default=0.1
        What cosines of old and new features are divided by, above 0; as published.
    epochs : int, default=40
        Passes over the rows, in each `fit` and each `partial_fit`.
    learning_rate : float, default=0.01
        Length of a training step.
    weight_decay : float, default=0.0005
        Half of it times the squared weights of the net is added to the loss, so that features end at their corners.
    random_state : int, RandomState or None, default=None
        Seed of the weights' start and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes_named,)
        Classes that have a corner, in the corners' order.
    corners_ : ndarray of shape (n_classes, n_classes - 1)
        Corners at length 1; any two have the cosine -1 / (n_classes - 1).
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass of the last training: cross-entropies in nats, and the decay.

    Raises
    ------
    ValueError
        In `fit`, when y is missing or has a class without a corner, old is no features of the same rows by such a net,
        or a parameter breaks its rule.

    Notes
    -----
    Checked against the authors' code (miccunifi/iamcl2r): the simplex, cross-entropy of plain inner products without
    bias, the contrastive loss with its masks, its sharpness of 10 and its share of 0.9, and training that goes on from
    the last net with the last net's features as old ones. There the net is the whole backbone and 20 rows of each
    earlier class are kept for later trainings; here it is a small net on features of any encoder, its constants are
    not in the paper, and which rows are given again is up to the user.

    Second reading: the simplex, both losses, their shares and sharpness are as published; the published weight decay of
    0.0005, without which features need not end at their corners, was missing and was added. With each net's corners
    turned at random, seed 0, the claim's score falls from .706 to .088, below chance (floor .718).

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
        "n_classes": Int(2), "n_hidden": Int(1), "weight_of_old": Real(0, 1), "temperature": Real(1e-3),
        "epochs": Int(1), "learning_rate": Real(1e-6), "weight_decay": Real(0), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_hidden": 8, "epochs": 3, "random_state": 0}
    needs_y = True

    def __init__(
        self, n_classes: int = 32, *, n_hidden: int = 64, weight_of_old: float = 0.9, temperature: float = 0.1,
        epochs: int = 40, learning_rate: float = 0.01, weight_decay: float = 0.0005, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_classes = n_classes
        self.n_hidden = n_hidden
        self.weight_of_old = weight_of_old
        self.temperature = temperature
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, *, classes: ArrayLike | None = None, old: ArrayLike | None = None
    ) -> Self:
        """Train the net anew.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the net sees, such as features of a new encoder.
        y : array-like of shape (n_samples,)
            Class of each row.
        classes : array-like of shape (n_classes_named,), default=None
            Names of the first corners; None takes the classes of y, sorted.
        old : array-like of shape (n_samples, n_classes - 1), default=None
            What an earlier such net, with the same order of classes, gave for the same rows.
        """
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        present = np.unique(labels)
        self.classes_ = present if classes is None else column_or_1d(classes)
        self._check_classes(present)
        self.corners_ = simplex(self.n_classes).astype(data.dtype)
        rng = check_random_state(self.random_state)
        before = None if old is None else self._check_old(old, data)
        self._train(data, labels, before, start_net(data, self.n_hidden, self.n_classes - 1, rng), rng)
        self._n_features_out = self.n_classes - 1
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Go on training from this net, with its features so far as the old ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the net sees; rows of earlier classes that are to be kept belong here too.
        y : array-like of shape (n_samples,)
            Class of each row; new classes take the next free corners, sorted.
        """
        if not hasattr(self, "classes_"):
            return self.fit(X, y)
        self._check_params()
        data, labels = validate_data(self, X, y, reset=False, dtype=(np.float64, np.float32))
        if len(self.corners_) != self.n_classes:
            raise UserError(f"n_classes={self.n_classes} and {len(self.corners_)} corners.", needed="as in fit")
        present = np.unique(labels)
        self.classes_ = np.concatenate([self.classes_, np.setdiff1d(present, self.classes_)])
        self._check_classes(present)
        start = {name: part.astype(data.dtype) for name, part in self._net.items()}
        rng = check_random_state(self.random_state)
        self._train(data, labels, unit_rows(self.transform(data)), start, rng)
        return self

    def _check_classes(self, present: NDArray[Any]) -> None:
        """Refuse more classes than corners, a class without a corner, and one with two."""
        if len(self.classes_) > self.n_classes:
            raise UserError(f"{len(self.classes_)} classes.", needed=f"at most n_classes={self.n_classes}")
        strangers = [name for name in present.tolist() if name not in set(self.classes_.tolist())]
        repeated = len(self.classes_) - len(set(self.classes_.tolist()))
        if strangers or repeated:
            raise UserError(
                f"y has {strangers} and classes has {repeated} repeated.",
                needed="classes that name each class of y once", todo="append new classes at the end of classes",
            )  # fmt: skip

    def _check_old(self, old: ArrayLike, X: NDArray[Any]) -> NDArray[Any]:
        """Return old features of the rows of X at length 1."""
        before = unit_rows(check_array(old, dtype=X.dtype, input_name="old"))
        check_consistent_length(X, before)
        if before.shape[1] != self.n_classes - 1:
            raise UserError(
                f"old is {before.shape[1]} wide.", needed=f"{self.n_classes - 1} columns, as transform gives"
            )
        return before

    def _train(
        self, X: NDArray[Any], y: NDArray[Any], old: NDArray[Any] | None, start: Arrays, rng: np.random.RandomState
    ) -> None:
        torch = need("torch", "torch")
        corner_of = {name: corner for corner, name in enumerate(self.classes_.tolist())}
        corners = np.array([corner_of[name] for name in y.tolist()])
        rows, labels, head = (torch.from_numpy(np.array(part)) for part in (X, corners, self.corners_.astype(X.dtype)))
        before = None if old is None else torch.from_numpy(old)

        def loss(net: Any, some: Any) -> Any:
            h = run_net(net, rows[some])
            size = sum((part**2).sum() for part in net.values())
            named = torch.nn.functional.cross_entropy(h @ head.T, labels[some]) + self.weight_decay / 2 * size
            if before is None:
                return named
            new = torch.nn.functional.normalize(h, dim=1)
            kept = higher_order_loss(new, before[some], labels[some], self.temperature)
            return (1 - self.weight_of_old) * named + self.weight_of_old * kept

        self._net, self.losses_ = learn(
            loss, start, len(X), epochs=self.epochs, learning_rate=self.learning_rate, rng=rng
        )

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
        before = self._check_old(old, new)
        check_consistent_length(new, labels)
        closer = new @ before.T - before @ before.T
        same, itself = labels[:, None] == labels, np.eye(len(labels), dtype=bool)
        if same.all() or not (same & ~itself).any():
            raise UserError("y has no pair of each kind.", needed="two classes, and two rows of one of them")
        return float(np.mean(closer[same & ~itself] >= 0)), float(np.mean(closer[~same] <= 0))


@claim(
    DSimplex, needs=("torch",),
    unit="average precision of a query in the first net's gallery, 0 to 1", margin=0.025, rows="same", seconds=40,
    says="A net trained anew on more rows searches the gallery of the first better than the first does.",
    premise="With trained classifiers the second net is better in its own gallery than the first in its own.",
    least=0.05,
    floor="the first net's queries in its own gallery",
    peer="two nets with trained classifiers, the second turned onto the first by scipy's orthogonal_procrustes",
)  # fmt: skip
def searches_the_gallery_before(seed: int) -> Trial:
    """Digits: the first net learns from 100 scans, the second from another start and 898; room for 32 classes."""
    from scipy.linalg import orthogonal_procrustes

    from codomain.tasks.galleries import average_precision, digit_gallery
    from codomain.tasks.updates import train_encoder

    X, y, gallery, gallery_y, queries, queries_y = digit_gallery(seed)
    first, second = DSimplex(random_state=seed + 1000).fit(X[:100], y[:100]), DSimplex(random_state=seed).fit(X, y)
    anew = DSimplex(random_state=seed).fit(X, y, old=first.transform(X))
    before, after = (
        train_encoder(X[:n], y[:n], 31, start, n_hidden=64, epochs=40)
        for n, start in ((100, seed + 1000), (len(X), seed))
    )
    turn = orthogonal_procrustes(after(X), before(X))[0]

    def search(Q: NDArray[Any], G: NDArray[Any]) -> NDArray[np.float64]:
        return average_precision(Q, queries_y, G, gallery_y)

    there = first.transform(gallery)
    alone = search(after(queries), after(gallery)).mean() - search(before(queries), before(gallery)).mean()
    return Trial(
        ours=search(second.transform(queries), there),
        floor=search(first.transform(queries), there),
        peer=search(after(queries) @ turn, before(gallery)),
        chance=0.1,
        premise=float(alone),
        also={
            "the second net trained with old features": search(anew.transform(queries), there).mean(),
            "the second net in its own gallery": search(
                second.transform(queries), second.transform(gallery)
            ).mean(),
            "the first net, trained on": search(first.partial_fit(X, y).transform(queries), there).mean(),
        },
    )  # fmt: skip
