"""Measure how much of a space's variance each of several known features takes."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from codomain.core import Paired, Paper, Trial, claim


def between_variance(Z: NDArray[Any], values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the part of each centred column's mean square that its group means explain, of shape (n_features,)."""
    which = np.unique(values, axis=0, return_inverse=True)[1].ravel()
    sizes = np.bincount(which)
    sums = np.add.reduceat(Z[np.argsort(which, kind="stable")], np.cumsum(sizes) - sizes, axis=0)
    held: NDArray[np.float64] = (np.square(sums) / sizes[:, None]).sum(axis=0) / len(Z)
    return held


def shares(part: NDArray[Any], whole: Any) -> NDArray[np.float64]:
    """Return part / whole, 0 where the whole is 0."""
    return np.clip(np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0), 0, 1)


class FeatureBias(Paired):
    r"""Measure the share of a space's variance that each known feature explains.

    Feature k, with values v, explains :math:`\sum_v n_v \|\bar z_v - \bar z\|^2 / \sum_i \|z_i - \bar z\|^2`, which is
    the :math:`R^2` of regressing the rows on its one-hot code. Features that a net computes equally well would have
    equal shares if a space showed what is computed; the bias is the largest share minus the smallest.

    Attributes
    ----------
    explained_ : ndarray of shape (n_outputs,)
        Share of the variance that each feature explains, 0 to 1. Shares of independent features add up to at most
        about 1; those of correlated ones count the common part in each.
    explained_together_ : float
        Share that all combinations of values explain, 0 to 1; the rest is not a function of these features. It is
        at least the largest share, and 1 when every row has a combination of its own.
    by_unit_ : ndarray of shape (n_outputs, n_features)
        The same share for each coordinate by itself; 0 where a coordinate is constant.
    bias_ : float
        Largest share minus the smallest, 0 to 1.
    best : str
        "low": features are shown evenly.
    bounds : tuple of float
        Lowest and highest possible bias.

    Raises
    ------
    ValueError
        In `fit`, when there are no features.

    Notes
    -----
    Checked against the abstract only, and a summary by its first author: features that a net computes equally well,
    the variance of its last hidden layer that each explains, and the gap between a simple and a complex one.
    Second reading: the share is the R squared of a linear regression on the feature, as in a summary of the paper;
    with a second majority in place of the parity the floor rises from 0.091 to 0.384, and ours (0.377) is no longer
    above it.

    References
    ----------
    Lampinen et al. (2024), arXiv:2405.05847.

    Examples
    --------
    >>> Z = [[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]]
    >>> FeatureBias().fit(Z, [[0, 0], [0, 1], [1, 0], [1, 1]]).explained_
    array([0.9, 0.1])
    """

    paper = Paper.get("feature-bias")
    rules: ClassVar = {}
    small: ClassVar = {}
    partner = "a column for each of the known features"
    best: ClassVar = "low"
    bounds: ClassVar = (0.0, 1.0)

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Measure X, (n_samples, n_features), by y, (n_samples,) or (n_samples, n_outputs): one column a feature."""
        self._check_params()
        self._need_partner(y)
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32))
        values: NDArray[Any] = check_array(y, dtype=None, ensure_2d=False, input_name="y")
        type_of_target(values, input_name="y", raise_unknown=True)
        check_consistent_length(data, values)
        values = values.reshape(len(data), -1)
        Z = data - data.mean(axis=0, dtype=np.float64)
        # Rounding leaves a little variance in a coordinate that is constant.
        Z[:, np.abs(Z).max(axis=0) <= 1e-6 * np.abs(data).max(axis=0)] = 0
        spread = np.square(Z).mean(axis=0)
        held = np.stack([between_variance(Z, column[:, None]) for column in values.T])
        explained = shares(held.sum(axis=1), spread.sum())
        self.explained_ = explained.astype(data.dtype)
        self.by_unit_ = shares(held, np.broadcast_to(spread, held.shape)).astype(data.dtype)
        self.explained_together_ = float(shares(between_variance(Z, values).sum(), spread.sum()))
        self.bias_ = float(np.ptp(explained))
        return self

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Minus the bias of other rows, -1 to 0."""
        check_is_fitted(self)
        validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return -FeatureBias().fit(X, y).bias_


@claim(
    FeatureBias, unit="share of the hidden layer's variance, 0 to 1", margin=0.10, seconds=40, rows="fresh",
    says="A feature that is simple to compute takes more of a net's hidden variance than one that is not.",
    premise="the net computes the worse of both features in this share of all rows", least=1.0,
    floor="the parity, which the net computes as faultlessly", peer="the majority in the untrained layer",
)  # fmt: skip
@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]  # its products are small
def simple_takes_more_than_complex(seed: int) -> Trial:
    """All 256 rows of 8 bits; three nets of two hidden layers predict a majority of three bits and a parity of three.

    Not as published, where the simple feature is a single input and the complex one an exclusive or: here both
    depend on three inputs.
    """
    from itertools import product

    from sklearn.neural_network import MLPClassifier

    from codomain.tasks.hidden_layers import hidden_layers

    X = np.array(list(product([-1.0, 1.0], repeat=8)))
    y = np.stack([X[:, :3].sum(axis=1) > 0, X[:, 3:6].prod(axis=1) > 0], axis=1).astype(int)
    learnt, drawn, right = [], [], []
    for number in range(3):
        state = 10 * seed + number
        net = MLPClassifier((64, 64), batch_size=64, learning_rate_init=3e-3, random_state=state)
        # A step of almost no length builds the layers and leaves them as they were drawn.
        still = MLPClassifier((64, 64), solver="sgd", learning_rate_init=1e-12, random_state=state)
        still.partial_fit(X, y, classes=[0, 1])
        for _ in range(150):
            net.partial_fit(X, y, classes=[0, 1])
        right.append((net.predict(X) == y).mean(axis=0).min())
        learnt.append(FeatureBias().fit(hidden_layers(net, X)[-1], y).explained_)
        drawn.append(FeatureBias().fit(hidden_layers(still, X)[-1], y).explained_)
    simple, complex_ = np.mean(learnt, axis=0)
    untrained, untrained_complex = np.mean(drawn, axis=0)
    return Trial(
        ours=float(simple),
        floor=float(complex_),
        peer=float(untrained),
        chance=1 / (len(X) - 1),  # expected share of a random feature of two values
        premise=float(min(right)),
        also={"share of the parity in the untrained layer": float(untrained_complex)},
    )
