"""Map one space onto another by the best rotation."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import orthogonal_procrustes
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Flag, Paired, Paper, Trial, claim


def _spread(centred: NDArray[Any]) -> Any:
    """Root of the summed squares; 1 for a cloud that is a single point."""
    return np.sqrt(np.einsum("ij,ij->", centred, centred)) or centred.dtype.type(1)


class Procrustes(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Paired):
    r"""Map a space onto another with a shift, one scale and a rotation or reflection.

    From pairs of rows :math:`A, B` centred and scaled to the same spread, it finds the orthogonal
    :math:`Q` with the smallest :math:`\|A Q - B\|_F`: :math:`Q = U V^\top` where
    :math:`A^\top B = U \Sigma V^\top`. The narrower space is padded with zeros.

    Parameters
    ----------
    scale : bool, default=True
        Whether to give the mapped rows the spread of the target.

    Attributes
    ----------
    rotation_ : ndarray of shape (n_features, n_features_out)
        The map of centred rows, scale included.
    mean_ : ndarray of shape (n_features,)
        Mean of the rows that are mapped.
    target_mean_ : ndarray of shape (n_features_out,)
        Mean of the rows that are mapped onto.

    Raises
    ------
    ValueError
        In `fit`, when the target is missing, has other rows, or a parameter breaks its rule.

    References
    ----------
    Schönemann (1966), A generalized solution of the orthogonal Procrustes problem.

    Examples
    --------
    >>> A = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    >>> B = [[0.0, 2.0], [-2.0, 0.0], [0.0, 0.0]]
    >>> Procrustes().fit(A, B).transform([[1.0, 1.0]]).round(6) + 0.0
    array([[-2.,  2.]])
    """

    paper = Paper.get("procrustes")
    rules: ClassVar = {"scale": Flag()}
    small: ClassVar = {}

    def __init__(self, scale: bool = True) -> None:
        self.scale = scale

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn the map of X, (n_samples, n_features), onto y, (n_samples, n_features_out); row i meets row i."""
        A, B = self._pairs(X, y)
        self.mean_, self.target_mean_ = A.mean(axis=0), B.mean(axis=0)
        A, B = A - self.mean_, B - self.target_mean_
        width = max(A.shape[1], B.shape[1])
        wide_A, wide_B = (np.pad(Z, ((0, 0), (0, width - Z.shape[1]))) for Z in (A, B))
        rotation = orthogonal_procrustes(wide_A, wide_B)[0][: A.shape[1], : B.shape[1]]
        factor = _spread(B) / _spread(A) if self.scale else 1
        self.rotation_ = np.asarray(rotation * factor, dtype=A.dtype)
        self._n_features_out = B.shape[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Rows of X in the target space, of shape (n_samples, n_features_out), in the target's unit."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        mean, rotation, target_mean = (
            part.astype(data.dtype, copy=False) for part in (self.mean_, self.rotation_, self.target_mean_)
        )
        return (data - mean) @ rotation + target_mean


@claim(
    Procrustes, unit="accuracy, 0 to 1", margin=0.30, seconds=30,
    says="A rotation fitted on 64 shared items lets a head trained on one encoder read another.",
    floor="the same head on raw coordinates", peer="a ridge regression from one space to the other on the same items",
)  # fmt: skip
def turns_encoders(seed: int) -> Trial:
    """Hidden layers of two digit nets that differ by seed; the head sees only the first."""
    from sklearn.linear_model import RidgeCV

    from codomain.measure import head_accuracy
    from codomain.tasks import twin_digit_nets

    train, test = twin_digit_nets(seed)
    shared = np.random.default_rng(seed).choice(len(train.y), 64, replace=False)
    pairs = train.two[shared], train.one[shared]
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(*pairs)
    return Trial(
        ours=head_accuracy(train.one, train.y, Procrustes().fit(*pairs).transform(test.two), test.y),
        floor=head_accuracy(train.one, train.y, test.two, test.y),
        peer=head_accuracy(train.one, train.y, ridge.predict(test.two), test.y),
    )
