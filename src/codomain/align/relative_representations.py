"""Describe a point by its cosine to a few anchor points."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, Method, Paper, Seed, Trial, UserError, claim, unit_rows


class RelativeRepresentation(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Method):
    r"""Replace coordinates by cosines to shared anchors.

    With anchors :math:`a_1 \dots a_k` drawn from the training rows, :math:`x` becomes
    :math:`(\cos(x, a_1), \dots, \cos(x, a_k))`, which no rotation or rescaling of the space
    can change. Fit both encoders on the same items, same order, same seed: same anchors.

    Parameters
    ----------
    n_anchors : int, default=128
        Rows of the training X to keep as anchors, from 1 to n_samples.
    random_state : int, RandomState or None, default=None
        Seed of the draw.

    Attributes
    ----------
    anchors_ : ndarray of shape (n_anchors, n_features)
        Anchors scaled to length 1, so without unit.
    anchor_rows_ : ndarray of shape (n_anchors,)
        Rows of the training X that became anchors, to fit another space on the same items.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or n_anchors exceeds n_samples.

    References
    ----------
    Moschella et al. (2022), arXiv:2209.15430.

    Examples
    --------
    >>> RelativeRepresentation(1).fit([[3.0, 4.0]]).transform([[4.0, 3.0]])
    array([[0.96]])
    """

    paper = Paper.get("relative-representations")
    rules: ClassVar = {"n_anchors": Int(1), "random_state": Seed()}
    small: ClassVar = {"n_anchors": 4, "random_state": 0}

    def __init__(self, n_anchors: int = 128, *, random_state: Any = None) -> None:
        self.n_anchors = n_anchors
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Draw the anchors from X, of shape (n_samples, n_features); y is ignored."""
        self._check_params()
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32))
        if self.n_anchors > len(data):
            raise UserError(
                f"n_anchors={self.n_anchors} with n_samples={len(data)}.",
                needed="at least as many rows as anchors",
                todo="lower n_anchors or give more rows",
            )
        self.anchor_rows_ = check_random_state(self.random_state).choice(len(data), self.n_anchors, replace=False)
        self.anchors_ = unit_rows(data[self.anchor_rows_])
        self._n_features_out = self.n_anchors
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Cosines from -1 to 1, of shape (n_samples, n_anchors)."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return np.clip(unit_rows(data) @ self.anchors_.T.astype(data.dtype), -1.0, 1.0)


@claim(
    RelativeRepresentation, unit="accuracy, 0 to 1", margin=0.30, seconds=30,
    says="A head trained on one encoder reads another, never seen, through 64 shared anchors.",
    floor="the same head on raw coordinates", peer="orthogonal Procrustes on the same anchors",
)  # fmt: skip
def swaps_encoders(seed: int) -> Trial:
    """Hidden layers of two digit nets that differ by seed; the head sees only the first."""
    from codomain.align import Procrustes
    from codomain.measure import head_accuracy
    from codomain.tasks import twin_digit_nets

    train, test = twin_digit_nets(seed)
    one, two = (RelativeRepresentation(64, random_state=seed).fit(Z) for Z in (train.one, train.two))
    turn = Procrustes().fit(train.two[two.anchor_rows_], train.one[one.anchor_rows_])
    return Trial(
        ours=head_accuracy(one.transform(train.one), train.y, two.transform(test.two), test.y),
        floor=head_accuracy(train.one, train.y, test.two, test.y),
        peer=head_accuracy(train.one, train.y, turn.transform(test.two), test.y),
    )
