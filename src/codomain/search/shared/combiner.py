"""The network that composes a reference and a condition into one query, for search under a condition."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import UserError, descend, need, unit_rows
from codomain.search.shared.rows import unit_float32

Weights = dict[str, Any]
_ROWS = 128  # triplets of a step
_RATE = 1e-3


def start_weights(widths: dict[str, int], n_components: int, n_hidden: int, random: np.random.RandomState) -> Weights:
    """Draw one linear head per part and the layers that join them.

    Heads of one width start alike, as a rotation, so that training begins at the similarities of the frozen vectors;
    fewer components than features are a random projection of these.
    """
    wide = max(n_components, *widths.values())
    turn = np.linalg.qr(random.standard_normal((wide, wide)))[0][:, :n_components] * np.sqrt(wide / n_components)
    weights = {name: turn[:width].copy() for name, width in widths.items()}
    weights["hidden"] = random.standard_normal((2 * n_components, n_hidden)) / np.sqrt(2 * n_components)
    weights["shift"] = np.zeros(n_hidden)
    weights["gate"] = np.zeros((n_hidden, 1))
    weights["out"] = random.standard_normal((n_hidden, n_components)) / np.sqrt(n_hidden) / 10
    return {name: np.asarray(values, np.float32) for name, values in weights.items()}


def compose(weights: Weights, references: Any, conditions: Any) -> Any:
    """Return queries of length 1, a tensor (n, n_components): a gated mean of both heads plus a correction."""
    torch: Any = need("torch", "torch")
    one, other = references @ weights["reference"], conditions @ weights["condition"]
    hidden = torch.relu(torch.cat([one, other], dim=1) @ weights["hidden"] + weights["shift"])
    share = torch.sigmoid(hidden @ weights["gate"])
    return torch.nn.functional.normalize(share * other + (1 - share) * one + hidden @ weights["out"], dim=1)


def cross_entropy(scores: Any, same: Any) -> Any:
    """Return InfoNCE of scores (n, n), the right ones on the diagonal; `same` marks other copies of the right one."""
    torch: Any = need("torch", "torch")
    copies = same & ~torch.eye(len(same), dtype=torch.bool)
    return torch.nn.functional.cross_entropy(scores.masked_fill(copies, -torch.inf), torch.arange(len(scores)))


def learn(
    weights: Weights, loss: Callable[[Weights, Any, int], Any], n_samples: int, epochs: int,
    random: np.random.RandomState,
) -> Weights:  # fmt: skip
    """Minimise a loss of the weights, a minibatch's rows and the number of the pass."""
    torch: Any = need("torch", "torch")
    live = {name: torch.nn.Parameter(torch.from_numpy(values.copy())) for name, values in weights.items()}
    epochs_done = [0]
    descend(
        lambda rows: loss(live, rows, epochs_done[0]), live.values(), n_samples, epochs=epochs, batch=_ROWS,
        learning_rate=_RATE, random_state=random, after_epoch=lambda epoch, _: epochs_done.__setitem__(0, epoch + 1),
    )  # fmt: skip
    return {name: values.detach().numpy() for name, values in live.items()}


class Combiner(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """The transforms of a method whose `fit` has learned a combiner's `weights_`."""

    weights_: Weights

    def transform(self, X: ArrayLike, conditions: ArrayLike | None = None) -> NDArray[Any]:
        """Compose references and conditions into queries of length 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            References.
        conditions : array-like of shape (n_samples, n_condition_features), default=None
            What each target should be like; None takes the references themselves, if `fit` did.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Their inner products with `transform_targets` are cosines.
        """
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        given = check_conditions(conditions, data, len(self.weights_["condition"]))
        torch: Any = need("torch", "torch")
        fixed = {name: torch.from_numpy(values) for name, values in self.weights_.items()}
        with torch.no_grad():
            queries = compose(fixed, *(torch.from_numpy(unit_float32(part)) for part in (data, given)))
        return np.asarray(queries.numpy(), data.dtype)

    def transform_targets(self, Y: ArrayLike) -> NDArray[Any]:
        """Encode rows to search, (n_samples, n_target_features), as vectors of length 1, (n_samples, n_components)."""
        check_is_fitted(self)
        data: NDArray[Any] = check_array(Y, dtype=(np.float64, np.float32))
        width = len(self.weights_["target"])
        if data.shape[1] != width:
            raise UserError(f"{data.shape[1]} columns.", needed=f"{width}, as the targets had in fit")
        return unit_rows(unit_rows(data) @ self.weights_["target"].astype(data.dtype, copy=False))


def check_conditions(conditions: ArrayLike | None, rows: NDArray[Any], width: int | None = None) -> NDArray[Any]:
    """Return one condition per row, the rows themselves when none are given; refuse what does not fit."""
    if conditions is None:
        given = rows
    else:
        given = check_array(conditions, dtype=(np.float64, np.float32))
        check_consistent_length(rows, given)
    if width is not None and given.shape[1] != width:
        raise UserError(f"Conditions of {given.shape[1]} columns.", needed=f"{width} columns, as in fit")
    return given
