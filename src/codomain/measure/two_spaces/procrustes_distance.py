"""What is left between two spaces after the best shift, size and rotation."""

from typing import Any

import numpy as np

from codomain.measure.shared.record import Measure
from codomain.measure.two_spaces.agreement import Formula, Moments, apply_formula


def _distance(found: Moments) -> float:
    nuclear = np.linalg.norm(found.ab.covariance(), "nuc")
    sizes = np.trace(found.aa.covariance()) * np.trace(found.bb.covariance())
    return float(np.sqrt(max(2 - 2 * nuclear / np.sqrt(sizes), 0)))


PROCRUSTES = Formula(
    "procrustes_distance", "Procrustes distance", _distance, "distance of spaces of size 1", "low",
    (0.0, float(np.sqrt(2))), lambda a, b: 2 * max(a, b), "Orthogonal Procrustes distance of spaces of size 1",
)  # fmt: skip


def procrustes_distance(A: Any, B: Any, *, random_state: int = 0) -> Measure:
    r"""Distance that is left after the best shift, scale and rotation of one space onto the other.

    With both centred and scaled to :math:`\|A\|_F = \|B\|_F = 1` it is :math:`\sqrt{2 - 2 \|A^\top B\|_*}`.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces; the narrower is padded with zeros. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.

    Returns
    -------
    Measure
        From 0, when a rotation makes them equal, to the root of 2. Few rows make unrelated spaces seem near.

    Raises
    ------
    UserError
        When the rows differ in number, are fewer than 20, are not finite or are all equal.

    References
    ----------
    Schönemann (1966), A generalized solution of the orthogonal Procrustes problem. Ding et al. (2021),
    arXiv:2108.01661, for its use between nets.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((100, 3))
    >>> procrustes_distance(A, 5 * A[:, ::-1] + 1).value < 1e-6
    True
    """
    return apply_formula(PROCRUSTES, A, B, random_state)
