"""Answer from an early layer where a learned gate finds that later layers are not worth their cost."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.classify.jei_dnn.gates import exit_shares, gate_scores, train_exits
from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim, need


class JEIDNN(ClassifierMixin, Method):
    r"""A linear classifier on each layer of a frozen net and gates between them, trained for their joint expected cost.

    A gate at layer :math:`l` sees how sure its classifier is and stops with chance :math:`g_l`, so that a row ends
    there with chance :math:`p_l = g_l \prod_{k<l} (1 - g_k)`. The aim is a low expected loss
    :math:`\sum_l p_l (\mathrm{CE}_l + \lambda c_l)`, where :math:`c_l` is the share of the net that is run. Classifiers
    minimise it with the :math:`p_l` fixed; each gate learns, by binary cross-entropy, on which rows no later layer has
    a lower :math:`\mathrm{CE} + \lambda c`. The first half of the passes trains all classifiers with equal weights.
    Not in the paper: one step for both instead of alternating steps, and the inputs of a gate.

    Parameters
    ----------
    n_parts : int, default=6
        Layers: X holds their features one after another, first layer first, all of one width.
    weight_of_cost : float, default=0.3
        Price of running the whole net, in nats, the paper's :math:`\lambda`; the higher, the earlier rows stop.
    epochs : int, default=100
        Passes over the training rows.
    learning_rate : float, default=0.03
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    centre_ : ndarray of shape (n_features,)
        Mean of the training rows, in the unit of X.
    spread_ : ndarray of shape (n_features,)
        Their standard deviation; rows are standardised with both.
    coef_ : ndarray of shape (n_parts, n_features / n_parts, n_classes)
        Weights of each layer's classifier, without unit.
    intercept_ : ndarray of shape (n_parts, n_classes)
        What is added.
    gates_ : ndarray of shape (n_parts - 1, 4)
        Weights of each gate for the largest probability, its lead over the second, the entropy over its maximum, and 1.
    costs_ : ndarray of shape (n_parts,)
        Share of the net that is run up to each layer, 0 to 1.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass, in nats: of the classifiers and, in the second half, of the gates too.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, y has one class or rows cannot be cut into n_parts equal layers.

    References
    ----------
    Regol et al. (2023), arXiv:2310.09163.

    Examples
    --------
    >>> X = np.array([[-9.0, -1.0], [9.0, 1.0], [-0.1, 1.0], [0.1, -1.0]] * 10)  # layer 1 knows the first two rows
    >>> net = JEIDNN(2, epochs=400, random_state=0).fit(X, [0, 1, 1, 0] * 10)
    >>> net.predict(X[:4]), net.exits(X[:4])
    (array([0, 1, 1, 0]), array([0, 0, 1, 1]))
    """

    paper = Paper.get("jei-dnn")
    rules: ClassVar = {
        "n_parts": Int(1), "weight_of_cost": Real(0), "epochs": Int(1), "learning_rate": Real(1e-6),
        "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_parts": 1, "random_state": 0}

    def __init__(
        self, n_parts: int = 6, *, weight_of_cost: float = 0.3, epochs: int = 100, learning_rate: float = 0.03,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_parts = n_parts
        self.weight_of_cost = weight_of_cost
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from X, of shape (n_samples, n_parts * width of a layer), and y, of shape (n_samples,)."""
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(labels)
        self.classes_, which = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise UserError(f"y holds 1 class, {self.classes_[0]!r}.", needed="at least two classes to tell apart")
        if data.shape[1] % self.n_parts:
            raise UserError(
                f"X has {data.shape[1]} features, which cannot be cut into {self.n_parts} equal layers.",
                needed="the features of n_parts layers of one width, one after another",
                todo="set n_parts to the number of layers",
            )
        self.centre_, spread = data.mean(axis=0), data.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1).astype(data.dtype)
        self.costs_ = (np.arange(1, self.n_parts + 1) / self.n_parts).astype(data.dtype)
        self.coef_, self.intercept_, self.gates_, losses = train_exits(
            self._split_layers(data), which, self.weight_of_cost * self.costs_, epochs=self.epochs,
            learning_rate=self.learning_rate, rng=check_random_state(self.random_state),
        )  # fmt: skip
        self.losses_ = np.array(losses, dtype=data.dtype)
        return self

    def _split_layers(self, data: NDArray[Any]) -> NDArray[Any]:
        """Cut rows into standardised layers, of shape (n_parts, n_samples, width)."""
        standard = (data - self.centre_.astype(data.dtype)) / self.spread_.astype(data.dtype)
        return np.ascontiguousarray(standard.reshape(len(data), self.n_parts, -1).transpose(1, 0, 2))

    def layer_probabilities(self, X: ArrayLike) -> NDArray[Any]:
        """Probabilities by every layer's classifier, from 0 to 1, of shape (n_parts, n_samples, n_classes)."""
        from scipy.special import softmax

        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        scores = self._split_layers(data) @ self.coef_.astype(data.dtype) + self.intercept_[:, None].astype(data.dtype)
        return np.asarray(softmax(scores, axis=2))

    def _gate_scores(self, P: NDArray[Any]) -> Any:
        """Return the gates' log odds of stopping as a tensor (n_samples, n_parts - 1)."""
        torch = need("torch", "torch")
        return gate_scores(torch.from_numpy(P), torch.from_numpy(self.gates_.astype(P.dtype)))

    def exit_probabilities(self, X: ArrayLike) -> NDArray[Any]:
        """Chance of stopping at each layer, from 0 to 1, of shape (n_samples, n_parts)."""
        return np.asarray(exit_shares(self._gate_scores(self.layer_probabilities(X)).sigmoid()))

    def _stop(self, P: NDArray[Any]) -> NDArray[np.intp]:
        """Return the first layer whose gate stops with a chance above one half; the last has no gate."""
        is_open = np.asarray(self._gate_scores(P)) > 0
        return np.pad(is_open, ((0, 0), (0, 1)), constant_values=True).argmax(axis=1)

    def exits(self, X: ArrayLike) -> NDArray[np.intp]:
        """Layer that each row is answered from, 0 for the first, of shape (n_samples,)."""
        return self._stop(self.layer_probabilities(X))

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Probabilities from 0 to 1 by the layer that a row is answered from, of shape (n_samples, n_classes)."""
        P = self.layer_probabilities(X)
        return np.asarray(P[self._stop(P), np.arange(P.shape[1])])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Likeliest class by the layer that a row is answered from, of shape (n_samples,)."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return self.classes_[likeliest]


@claim(
    JEIDNN, needs=("torch",),
    unit="accuracy, 0 to 1", margin=0.005, seconds=60,
    says="Gates learned with the classifiers answer more digits rightly than confidence thresholds at equal compute.",
    floor="exits where logistic regressions, each trained alone, are confident, at the same mean cost or more",
    peer="the same, with the classifiers that were trained together with the gates",
)  # fmt: skip
def stops_at_the_right_layer(seed: int) -> Trial:
    """Read scanned digits in a net of four hidden layers of 12 units, 1,198 to train on and 599 to test on."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from codomain.tasks.layers import digit_layers

    (X, y), (Q, truth) = digit_layers(seed)
    ours = JEIDNN(4, random_state=seed).fit(X, y)
    spent = ours.costs_[ours.exits(Q)].mean()

    def accuracy_by_confidence(P: NDArray[Any]) -> float:
        """Score with the lowest confidence threshold that spends at least as much as the gates."""
        sure = P.max(axis=2).T
        sure[:, -1] = 1
        for least in np.unique(np.quantile(sure, np.linspace(0, 1, 501))):
            layer = (sure >= least).argmax(axis=1)
            if ours.costs_[layer].mean() >= spent:
                break
        return float(np.mean(ours.classes_[P[layer, np.arange(len(truth))].argmax(axis=1)] == truth))

    heads = [make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)) for _ in range(4)]
    separate = [
        head.fit(part, y).predict_proba(queries)
        for head, part, queries in zip(heads, np.split(X, 4, axis=1), np.split(Q, 4, axis=1), strict=True)
    ]
    return Trial(
        ours=ours.score(Q, truth),
        floor=accuracy_by_confidence(np.array(separate)),
        peer=accuracy_by_confidence(ours.layer_probabilities(Q)),
    )
