"""Bridges: affine maps from the vectors of one encoder to those of another, learned from rows that have both."""

from typing import ClassVar

import numpy as np

from codomain.align.bridge.affine import Bridge, Floats, thin
from codomain.align.procrustes import Procrustes
from codomain.core import UserError

_PENALTIES = np.logspace(-4, 2, 13)  # of the mean squared singular value of A


class AsItIs(Bridge):
    """Leave the vectors as they are: what one gets by swapping encoders of one width and doing nothing.

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
    """A shift, one scale and a rotation or reflection: `Procrustes` as a bridge. The least it can learn wrongly.

    Examples
    --------
    >>> Turn().fit([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[0.0, 2.0], [-2.0, 0.0], [0.0, 0.0]]).weights_.round(6) + 0.0
    array([[ 0.,  2.],
           [-2.,  0.]])
    """

    name: ClassVar[str] = "turn"

    def _learn(self, A: Floats, B: Floats) -> tuple[Floats, Floats]:
        turned = Procrustes().fit(A, B)
        return turned.rotation_, turned.target_mean_ - turned.mean_ @ turned.rotation_


class Ridge(Bridge):
    r"""A regression of B on A with a penalty on the size of its weights.

    With :math:`A = U S V^\top` centred, :math:`W = V \mathrm{diag}(s / (s^2 + p)) U^\top B`. The penalty p is the one
    with the smallest error on pairs left out one at a time, which has a closed form: the residual of pair i divided
    by :math:`1 - h_i`, its own pull on its fit. Fewer pairs than dimensions and constant dimensions do no harm.

    Attributes
    ----------
    penalty_ : float
        The p above.
    left_out_ : ndarray of shape (n_pairs, n_features_b)
        What each pair's row of B would be by a fit of the other pairs, centred.

    Examples
    --------
    >>> bridge = Ridge().fit([[0.0], [1.0], [2.0], [3.0]], [[1.0], [3.0], [5.0], [7.0]])
    >>> bridge.transform([[10.0]]).round(1)
    array([[21.]])
    """

    name: ClassVar[str] = "ridge"

    def _learn(self, A: Floats, B: Floats) -> tuple[Floats, Floats]:
        weights = self._around(A - A.mean(axis=0), B - B.mean(axis=0))
        return weights, B.mean(axis=0) - A.mean(axis=0) @ weights

    def _around(self, A: Floats, B: Floats) -> Floats:
        """Return the weights for centred pairs."""
        U, s, Vt = thin(A)
        seen = U.T @ B
        scale = float(np.mean(s**2)) if len(s) else 1.0
        best = np.inf
        for penalty in _PENALTIES * scale:
            kept = s**2 / (s**2 + penalty)
            own = np.square(U) @ kept + 1 / len(A)  # the 1 / n is the pull on the mean
            off = (B - U @ (kept[:, None] * seen)) / np.maximum(1 - own, 1e-9)[:, None]
            if (error := float(np.square(off).sum())) < best:
                best, self.penalty_, self.left_out_ = error, float(penalty), B - off
        weights: Floats = Vt.T @ ((s / (s**2 + self.penalty_))[:, None] * seen)
        return weights


class TurnedRidge(Ridge):
    """A ridge regression whose penalty is on the distance from the best turn, not from zero.

    With few pairs it is the turn, with many the regression.

    Examples
    --------
    >>> TurnedRidge().fit([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]]).transform([[10.0]]).round(6)
    array([[21.]])
    """

    name: ClassVar[str] = "ridge around a turn"

    def _around(self, A: Floats, B: Floats) -> Floats:
        turn = Turn().fit(A, B).weights_
        weights: Floats = turn + super()._around(A, B - A @ turn)
        return weights


class LowRank(Ridge):
    """A ridge regression that keeps only the directions of B in which it foretells pairs that were left out.

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

    def _around(self, A: Floats, B: Floats) -> Floats:
        weights = super()._around(A, B)
        Vt = thin(A @ weights)[2]
        along, said = B @ Vt.T, self.left_out_ @ Vt.T
        # What each further direction takes from the squared error of the pairs left out.
        gain = np.cumsum(np.sum(2 * along * said - said**2, axis=0))
        self.rank_ = int(np.argmax(gain)) + 1 if len(gain) else 0
        return weights @ Vt[: self.rank_].T @ Vt[: self.rank_]


BRIDGES: tuple[type[Bridge], ...] = (AsItIs, Turn, Ridge, TurnedRidge, LowRank)
