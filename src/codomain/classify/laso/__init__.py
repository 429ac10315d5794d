"""Make features whose labels are the union, the intersection or the difference of those of two rows."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

from codomain.classify.laso.networks import OPERATIONS, combine_labels, combine_rows, train_networks
from codomain.classify.shared.several import SeveralLabels
from codomain.core import Int, Paper, Real, Seed, Trial, UserError, claim


class LaSO(SeveralLabels):
    r"""Three small networks that do to features what set operations do to labels, and a multi-label classifier.

    A network for each operation takes two rows and returns one. The classifier, itself trained on real rows only, must
    read the operation's labels from it, by binary cross-entropy; unions and intersections must not depend on the order
    of the rows, and the union of :math:`a \setminus b` with :math:`a \cap b` must be :math:`a` again, both in mean
    squares. What is learned this way should also work for labels that were not there in training. Not in the
    paper: all losses have the same weight and the networks have one hidden layer.

    Parameters
    ----------
    n_hidden : int, default=128
        Units of the hidden layer of each network.
    epochs : int, default=40
        Passes over the training rows, each paired with another one in each pass.
    learning_rate : float, default=0.003
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the start, of the order of the rows and so of the pairs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; where y has a column for each label, their numbers.
    centre_ : ndarray of shape (n_features,)
        Mean of the training rows, in the unit of X.
    spread_ : ndarray of shape (n_features,)
        Their standard deviation; rows are standardised with both.
    networks_ : dict of str to tuple of ndarray
        For each operation the weights of the first and of the second row, biases, weights and biases of the output.
    coef_ : ndarray of shape (n_classes, n_features)
        Weights of the classifier on standardised rows, without unit.
    intercept_ : ndarray of shape (n_classes,)
        What is added.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or y has one class; in the operations, when rows do not pair up.

    References
    ----------
    Alfassy et al. (2019), arXiv:1902.09811.

    Examples
    --------
    >>> owl, duck, both = [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]
    >>> maker = LaSO(epochs=300, random_state=0).fit([owl, duck, both] * 4, [[1, 0], [0, 1], [1, 1]] * 4)
    >>> made = maker.operate("difference", [both, both], [owl, duck])
    >>> maker.predict(made)
    array([[0, 1],
           [1, 0]])
    """

    paper = Paper.get("laso")
    rules: ClassVar = {"n_hidden": Int(1), "epochs": Int(1), "learning_rate": Real(1e-6), "random_state": Seed()}
    small: ClassVar = {"n_hidden": 8, "learning_rate": 0.03, "random_state": 0}

    def __init__(
        self, n_hidden: int = 128, *, epochs: int = 40, learning_rate: float = 0.003, random_state: Any = None
    ) -> None:
        self.n_hidden = n_hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from X, (n_samples, n_features), and y: 0 and 1 in a column for each label, or one label a row."""
        data, sets = self._training(X, y)
        self.centre_, spread = data.mean(axis=0), data.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1).astype(data.dtype)
        self.networks_, (self.coef_, self.intercept_), losses = train_networks(
            (data - self.centre_) / self.spread_, sets, n_hidden=self.n_hidden, epochs=self.epochs,
            learning_rate=self.learning_rate, rng=check_random_state(self.random_state),
        )  # fmt: skip
        self.losses_ = np.array(losses, dtype=data.dtype)
        return self

    def _check_rows(self, X: ArrayLike) -> NDArray[Any]:
        """Check and standardise rows."""
        data = super()._check_rows(X)
        return (data - self.centre_.astype(data.dtype)) / self.spread_.astype(data.dtype)

    def operate(self, operation: str, A: ArrayLike, B: ArrayLike) -> NDArray[Any]:
        """Pair A with B, both (n_pairs, n_features), by "union", "intersection" or "difference".

        The answer has the shape and the unit of A; its labels are those of A and B combined, A minus B in a difference.
        """
        if operation not in OPERATIONS:
            raise UserError(f"operation={operation!r} is not known.", needed=f"one of {', '.join(OPERATIONS)}")
        one, two = self._check_rows(A), self._check_rows(B)
        if len(one) != len(two):
            raise UserError(f"A has {len(one)} rows and B {len(two)}.", needed="row i of one paired with row i of both")
        network = [part.astype(one.dtype) for part in self.networks_[operation]]
        return np.asarray(
            combine_rows(network, one, two) * self.spread_.astype(one.dtype) + self.centre_.astype(one.dtype)
        )

    def augment(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Make the row of each operation for every ordered pair of X, (n_samples, n_features).

        `y` holds 0 and 1, of shape (n_samples, n_labels); the labels may differ from those of `fit`. Returns
        3 * n_samples * (n_samples - 1) rows and their labels.
        """
        data = check_array(X, dtype=(np.float64, np.float32))
        sets = check_array(y, dtype=np.int64)
        i, j = np.nonzero(~np.eye(len(data), dtype=bool))
        made = [self.operate(name, data[i], data[j]) for name in OPERATIONS]
        labels = [combine_labels(name, sets[i], sets[j]) for name in OPERATIONS]
        return np.concatenate(made), np.concatenate(labels)


@claim(
    LaSO, needs=("torch",),
    unit="mean average precision over the new labels, 0 to 1", margin=0.01, seconds=60,
    says="Rows made by set operations learned on six digits help heads that see each of four other digits five times.",
    floor="the same heads on the ten real rows alone", peer="as many rows made by mixup of the same rows",
)  # fmt: skip
def helps_labels_never_seen(seed: int) -> Trial:
    """Pictures of up to two digits, as activations of a net that was trained to name six of the ten digits."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score
    from sklearn.preprocessing import StandardScaler

    from codomain.tasks.composites import digit_pairs

    (X, y), (few, few_sets), (Q, truth) = digit_pairs(seed)
    scaler = StandardScaler().fit(X)

    def precision(rows: NDArray[Any], shares: NDArray[Any]) -> float:
        """Score heads trained on the real rows and the rows that were made, both with the same total weight."""
        Z = scaler.transform(np.concatenate([few, rows]))
        P = np.concatenate([few_sets, shares])
        weights = np.repeat([1.0, len(few) / len(rows)], [len(few), len(rows)])
        scores = []
        for share in P.T:  # a share of a label becomes a row with it and a row without
            head = LogisticRegression(max_iter=1000)
            answers = np.repeat([1, 0], len(Z))
            head.fit(np.concatenate([Z, Z]), answers, np.concatenate([share * weights, (1 - share) * weights]))
            scores.append(head.decision_function(scaler.transform(Q)))
        return float(average_precision_score(truth, np.stack(scores, axis=1)))

    made, sets = LaSO(random_state=seed).fit(X, y).augment(few, few_sets)
    rng = np.random.default_rng(seed)
    i, j = rng.integers(len(few), size=(2, len(made)))
    share = rng.random((len(made), 1))
    mixed = share * few[i] + (1 - share) * few[j]
    return Trial(
        ours=precision(made, sets),
        floor=precision(few, few_sets),
        peer=precision(mixed, share * few_sets[i] + (1 - share) * few_sets[j]),
    )
