"""What methods share that keep new features comparable with those of an older net: a small net and its training."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, Method, Real, Seed, descend, need, unit_rows
from codomain.core.maths.means import class_means

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
    """Features of the net; works on arrays and on torch tensors, so that training and use cannot drift apart."""
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
    """Check the input and hand it to `_train` as arrays; `transform` ends in `_features`."""

    rules: ClassVar = {
        "n_extra": Int(1), "n_hidden": Int(1), "weight_of_base": Real(0, 1), "temperature": Real(1e-3),
        "epochs": Int(1), "learning_rate": Real(1e-6), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_extra": 2, "n_hidden": 8, "epochs": 3, "random_state": 0}
    needs_y = True
    n_features_old_: int
    losses_: NDArray[Any]

    def __init__(
        self, n_extra: int = 16, *, n_hidden: int = 64, weight_of_base: float = 0.5, temperature: float = 0.1,
        epochs: int = 40, learning_rate: float = 0.01, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_extra = n_extra
        self.n_hidden = n_hidden
        self.weight_of_base = weight_of_base
        self.temperature = temperature
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, *, old: ArrayLike | None = None) -> Self:
        """Train the net.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the net sees.
        y : array-like of shape (n_samples,)
            Class of each row.
        old : array-like of shape (n_samples, n_features_old), default=None
            Features of the same rows by the older net; their lengths do not matter. None leaves compatibility out, as
            if the older net had no features.

        Returns
        -------
        Self
            The fitted net.
        """
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        self.classes_, codes = np.unique(labels, return_inverse=True)
        known = np.empty((len(data), 0), data.dtype)
        if old is not None:
            known = unit_rows(check_array(old, dtype=data.dtype, input_name="old"))
        check_consistent_length(data, known)
        self.n_features_old_ = known.shape[1]
        rng = check_random_state(self.random_state)
        self._n_features_out = self._train(data, codes, known, rng)
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Features, of shape (n_samples, n_features_out); compare the first n_features_old_ with old ones by cosine."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return np.asarray(self._features(data), dtype=data.dtype)

    @abstractmethod
    def _train(self, X: NDArray[Any], codes: NDArray[np.intp], old: NDArray[Any], rng: np.random.RandomState) -> int:
        """Train and return the width of the features."""

    @abstractmethod
    def _features(self, X: NDArray[Any]) -> NDArray[Any]:
        """Features of checked rows."""


def plain_net(
    X: NDArray[Any], codes: NDArray[np.intp], width: int, rng: np.random.RandomState, *,
    old: NDArray[Any] | None = None, n_hidden: int = 64, temperature: float = 0.1, epochs: int = 40,
    learning_rate: float = 0.01,
) -> tuple[Arrays, NDArray[Any]]:  # fmt: skip
    """Train a net to name classes; with `old`, its leading columns also learn the class means of the older net."""
    torch = need("torch", "torch")
    start = start_net(X, n_hidden, width, rng)
    start["classifier"] = rng.standard_normal((codes.max() + 1, width)).astype(X.dtype)
    rows, labels = torch.from_numpy(np.array(X)), torch.from_numpy(codes)
    means = None if old is None else torch.from_numpy(class_means(unit_rows(old), codes))

    def loss(net: Any, some: Any) -> Any:
        Z = run_net(net, rows[some])
        total = cross_entropy(Z, net["classifier"], labels[some], temperature)
        if means is not None:
            total = total + cross_entropy(Z[:, : means.shape[1]], means, labels[some], temperature)
        return total

    return learn(loss, start, len(X), epochs=epochs, learning_rate=learning_rate, rng=rng)
