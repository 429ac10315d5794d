"""How well the directions of two spaces correlate, with equal weights or weighted by their share of the features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.measure.shared.record import Measure
from codomain.measure.two_spaces.agreement import Formula, Moments, apply_formula

_NOISE = 1e-10  # share of the largest variance below which a direction is rounding
_KEPT = 0.99  # share of the variance that SVCCA keeps


def _whiten(square: NDArray[np.float64], kept: float) -> NDArray[np.float64]:
    """Return directions of unit variance, (n_features, n_kept), that hold a share `kept` of the variance."""
    variances, directions = np.linalg.eigh(square)
    variances, directions = variances[::-1], directions[:, ::-1]
    above = variances > _NOISE * variances[0]
    shares = np.cumsum(variances[above]) / variances[above].sum()
    count = min(int(np.searchsorted(shares, kept - 1e-12)) + 1, int(above.sum()))
    return np.asarray(directions[:, :count] / np.sqrt(variances[:count]))


def _canonical_correlations(found: Moments, kept: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the canonical correlations and the combinations of either side's features that have them."""
    one, two = _whiten(found.aa.covariance(), kept), _whiten(found.bb.covariance(), kept)
    if one.shape[1] + two.shape[1] >= found.ab.n:
        raise UserError(
            f"There are {found.ab.n} rows for {one.shape[1]} and {two.shape[1]} directions.",
            needed="more rows than directions of both together, with a tenth of the rows left out, else one fits",
            todo="give more rows, or narrow the spaces first",
        )
    left, correlations, right = np.linalg.svd(one.T @ found.ab.covariance() @ two, full_matrices=False)
    return np.clip(correlations, 0, 1), one @ left, two @ right.T


def _mean_correlation(found: Moments) -> float:
    return float(_canonical_correlations(found, _KEPT)[0].mean())


def _weighted_correlation(found: Moments) -> float:
    correlations, one, two = _canonical_correlations(found, 1.0)
    weights = [np.abs(Z.covariance() @ side).sum(axis=0) for Z, side in ((found.aa, one), (found.bb, two))]
    return float(np.mean([weight @ correlations / weight.sum() for weight in weights]))


SVCCA = Formula(
    "svcca", "SVCCA", _mean_correlation, "mean canonical correlation", "high", (0.0, 1.0), lambda a, b: 10 * (a + b),
    "Mean canonical correlation of the directions that hold 99 % of the variance",
)  # fmt: skip
PWCCA = Formula(
    "pwcca", "PWCCA", _weighted_correlation, "weighted mean canonical correlation", "high", (0.0, 1.0),
    lambda a, b: 10 * (a + b), "Canonical correlations weighted by their share of the features",
)  # fmt: skip


def svcca(A: Any, B: Any, *, random_state: int = 0) -> Measure:
    """Mean canonical correlation between the directions that hold 99 % of either space's variance.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.

    Returns
    -------
    Measure
        From 0 to 1. It counts a direction of little variance as much as one of much, and is biased upwards.

    Raises
    ------
    UserError
        As `debiased_cka`, and when there are no more rows than directions kept in both spaces together.

    References
    ----------
    Raghu et al. (2017), arXiv:1706.05806.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((100, 3))
    >>> round(svcca(A, A @ [[1, 2, 0], [0, 1, 0], [1, 0, 1]]).value, 6)
    1.0
    """
    return apply_formula(SVCCA, A, B, random_state)


def pwcca(A: Any, B: Any, *, random_state: int = 0) -> Measure:
    """Mean canonical correlation, each weighted by how much of the features it accounts for.

    The weight of a canonical direction is the sum of its absolute inner products with the features. The paper takes
    them from one space; here both spaces give a mean, and the value is the mean of the two, so the order of A and B
    does not matter. Unlike the others it depends on which directions are called features: a rotation changes it.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.

    Returns
    -------
    Measure
        From 0 to 1, biased upwards.

    Raises
    ------
    UserError
        As `debiased_cka`, and when there are no more rows than features in both spaces together.

    References
    ----------
    Morcos et al. (2018), arXiv:1806.05759.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((100, 3))
    >>> round(pwcca(A, -2 * A).value, 6)
    1.0
    """
    return apply_formula(PWCCA, A, B, random_state)
