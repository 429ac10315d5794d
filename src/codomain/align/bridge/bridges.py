"""Bridges: affine maps from the vectors of one encoder to those of another, learned from rows that have both."""

from typing import ClassVar

import numpy as np

from codomain.align.bridge.affine import Bridge, Floats, thin_svd
from codomain.align.procrustes import Procrustes
from codomain.core import UserError

_PENALTIES = np.logspace(-4, 2, 13)  # of the mean squared singular value of A


class AsItIs(Bridge):
    """Leave the vectors as they are: what exchanging encoders of one width without a bridge amounts to.

    Examples
    --------
    >>> AsItIs().fit([[1.0], [2.0]], [[5.0], [6.0]]).transform([[3.0]])
    array([[3.]])
    """

    name: ClassVar[str] = "as it is"

    def _learn(self, A: Floats, B: Floats) -> tuple[Floats, Floats]:
        if A.shape[1] != B.shape[1]:
            raise UserError(f"A is {A.shape[1]} wide and B {B.shape[1]}.", needed="equal widths to change nothing")
        return np.eye(A.shape[1]), np.zeros(A.shape[1])


class Turn(Bridge):
    """A shift, one scale and a rotation or reflection: `Procrustes` as a bridge, which has the least to learn.

    Examples
    --------
    >>> Turn().fit([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[0.0, 2.0], [-2.0, 0.0], [0.0, 0.0]]).weights_.round(6) + 0.0
    array([[ 0.,  2.],
           [-2.,  0.]])
    """

    name: ClassVar[str] = "turn"

    def _learn(self, A: Floats, B: Floats) -> tuple[Floats, Floats]:
        procrustes = Procrustes().fit(A, B)
        return procrustes.rotation_, procrustes.target_mean_ - procrustes.mean_ @ procrustes.rotation_


class Ridge(Bridge):
    r"""A regression of B on A with a penalty on the size of its weights.

    With :math:`A = U S V^\top` centred, :math:`W = V \mathrm{diag}(s / (s^2 + p)) U^\top B`. The penalty p is the one
    with the smallest error on pairs left out one at a time, which has a closed form: the residual of pair i divided
    by :math:`1 - h_i`, where :math:`h_i` is its own influence on its fit. Fewer pairs than dimensions and constant
    dimensions do no harm.

    Attributes
    ----------
    penalty_ : float
        The p above.
    left_out_ : ndarray of shape (n_pairs, n_features_b)
        Prediction of each pair's row of B by a fit of the other pairs, centred.

    Examples
    --------
    >>> bridge = Ridge().fit([[0.0], [1.0], [2.0], [3.0]], [[1.0], [3.0], [5.0], [7.0]])
    >>> bridge.transform([[10.0]]).round(1)
    array([[21.]])
    """

    name: ClassVar[str] = "ridge"

    def _learn(self, A: Floats, B: Floats) -> tuple[Floats, Floats]:
        weights = self._solve(A - A.mean(axis=0), B - B.mean(axis=0))
        return weights, B.mean(axis=0) - A.mean(axis=0) @ weights

    def _solve(self, A: Floats, B: Floats) -> Floats:
        """Return the weights for centred pairs."""
        U, s, Vt = thin_svd(A)
        projected = U.T @ B
        scale = float(np.mean(s**2)) if len(s) else 1.0
        best = np.inf
        for penalty in _PENALTIES * scale:
            shrinkage = s**2 / (s**2 + penalty)
            own = np.square(U) @ shrinkage + 1 / len(A)  # 1 / n is the influence on the mean
            off = (B - U @ (shrinkage[:, None] * projected)) / np.maximum(1 - own, 1e-9)[:, None]
            if (error := float(np.square(off).sum())) < best:
                best, self.penalty_, self.left_out_ = error, float(penalty), B - off
        weights: Floats = Vt.T @ ((s / (s**2 + self.penalty_))[:, None] * projected)
        return weights


class TurnedRidge(Ridge):
    """A ridge regression whose penalty is on the distance from the best `Turn`, not from zero.

    With few pairs it is near the turn, with many near the regression.

    Examples
    --------
    >>> TurnedRidge().fit([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]]).transform([[10.0]]).round(6)
    array([[21.]])
    """

    name: ClassVar[str] = "ridge around a turn"

    def _solve(self, A: Floats, B: Floats) -> Floats:
        turn = Turn().fit(A, B).weights_
        weights: Floats = turn + super()._solve(A, B - A @ turn)
        return weights


class LowRank(Ridge):
    """A ridge regression that keeps only the directions of B in which it predicts pairs that were left out.

    Attributes
    ----------
    rank_ : int
        How many directions it keeps.

    Examples
    --------
    >>> bridge = LowRank().fit([[0.0], [1.0], [2.0], [3.0]], [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    >>> bridge.rank_, bridge.transform([[10.0]]).round(1)
    (1, array([[10., 10.]]))
    """

    name: ClassVar[str] = "low rank"

    def _solve(self, A: Floats, B: Floats) -> Floats:
        weights = super()._solve(A, B)
        Vt = thin_svd(A @ weights)[2]
        along, predicted = B @ Vt.T, self.left_out_ @ Vt.T
        # How much each further direction reduces the squared error of the pairs left out.
        gain = np.cumsum(np.sum(2 * along * predicted - predicted**2, axis=0))
        self.rank_ = int(np.argmax(gain)) + 1 if len(gain) else 0
        return weights @ Vt[: self.rank_].T @ Vt[: self.rank_]


BRIDGES: tuple[type[Bridge], ...] = (AsItIs, Turn, Ridge, TurnedRidge, LowRank)
