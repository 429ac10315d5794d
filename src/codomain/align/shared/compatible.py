"""What methods share that keep new features comparable with those of an older encoder."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Method, UserError, descend, need, unit_rows

if TYPE_CHECKING:
    import torch

Arrays = dict[str, NDArray[Any]]


def start_net(X: NDArray[Any], n_hidden: int, width: int, rng: np.random.RandomState) -> Arrays:
    """Weights before training; the first layer subtracts the mean of X and divides by its mean spread."""
    mean, spread = X.mean(axis=0), float(X.std(axis=0).mean()) or 1.0
    into = rng.standard_normal((X.shape[1], n_hidden)) * np.sqrt(2 / X.shape[1]) / spread
    out = rng.standard_normal((n_hidden, width)) / np.sqrt(n_hidden)
    parts = {"into": into, "into_bias": -mean @ into, "out": out, "out_bias": np.zeros(width)}
    return {name: part.astype(X.dtype) for name, part in parts.items()}


def run_net(net: Any, X: Any) -> Any:
    """Output of the net; works on arrays and on torch tensors, so that training and use cannot drift apart."""
    hidden = X @ net["into"] + net["into_bias"]
    return (hidden * (hidden > 0)) @ net["out"] + net["out_bias"]


def learn(
    loss: "Callable[[dict[str, torch.Tensor], torch.Tensor], torch.Tensor]",
    start: Arrays,
    n_samples: int,
    *,
    epochs: int,
    learning_rate: float,
    rng: np.random.RandomState,
) -> tuple[Arrays, NDArray[Any]]:
    """Minimise a loss of named weights and row numbers; return the weights and the mean loss of each pass."""
    torch = need("torch", "torch")
    weights = {name: torch.nn.Parameter(torch.from_numpy(part.copy())) for name, part in start.items()}
    losses = descend(
        lambda rows: loss(weights, rows), weights.values(), n_samples,
        epochs=epochs, batch=128, learning_rate=learning_rate, random_state=rng,
    )  # fmt: skip
    return {name: part.detach().numpy().copy() for name, part in weights.items()}, np.array(losses, start["into"].dtype)


def cross_entropy(features: Any, classifier: Any, labels: Any, temperature: float) -> Any:
    """Cross-entropy of labels under a softmax over cosines with the rows of a classifier, in nats."""
    functional = need("torch.nn.functional", "torch")
    cosines = functional.normalize(features, dim=1) @ functional.normalize(classifier, dim=1).T
    return functional.cross_entropy(cosines / temperature, labels)


def rotation(skew: Any) -> Any:
    """Rotation matrix of a square matrix of parameters: the exponential of that matrix minus its transpose."""
    return need("torch", "torch").linalg.matrix_exp(skew - skew.T)


class Compatible(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Method):
    """Check new features, classes and old features, and hand them to `_train`; `transform` ends in `_features`."""

    needs_y = True
    small: ClassVar = {"n_extra": 2, "n_hidden": 8, "epochs": 3, "random_state": 0}
    n_extra: int
    random_state: Any
    n_features_old_: int
    losses_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike, *, old: ArrayLike | None = None) -> Self:
        """Learn from rows that both encoders have seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features by the new encoder; their lengths do not matter.
        y : array-like of shape (n_samples,)
            Class of each row.
        old : array-like of shape (n_samples, n_features_old), default=None
            Features of the same rows by the older encoder; their lengths do not matter. None where there was none:
            `transform` then gives the new features at length 1.

        Returns
        -------
        Self
            The fitted method.
        """
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        self.classes_, codes = np.unique(labels, return_inverse=True)
        known = np.empty((len(data), 0), data.dtype)
        if old is not None:
            known = unit_rows(check_array(old, dtype=data.dtype, input_name="old"))
        check_consistent_length(data, known)
        self.n_features_old_ = known.shape[1]
        width = data.shape[1] + self.n_extra
        if width < self.n_features_old_:
            raise UserError(
                f"X is {data.shape[1]} wide, n_extra={self.n_extra} and old is {self.n_features_old_} wide.",
                needed="X and n_extra together at least as wide as old", todo="raise n_extra",
            )  # fmt: skip
        self.losses_ = np.empty(0, data.dtype)
        if self.n_features_old_:
            self._train(unit_rows(data), codes, known, check_random_state(self.random_state))
        self._n_features_out = width if self.n_features_old_ else data.shape[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Features, of shape (n_samples, n_features_out); compare the first n_features_old_ with old ones by cosine."""
        check_is_fitted(self)
        data: NDArray[Any] = unit_rows(validate_data(self, X, reset=False, dtype=(np.float64, np.float32)))
        return np.asarray(self._features(data) if self.n_features_old_ else data, dtype=data.dtype)

    @abstractmethod
    def _train(self, X: NDArray[Any], codes: NDArray[np.intp], old: NDArray[Any], rng: np.random.RandomState) -> None:
        """Train on new and old features at length 1 and numbers of classes; set losses_."""

    @abstractmethod
    def _features(self, X: NDArray[Any]) -> NDArray[Any]:
        """Features of new ones at length 1."""
