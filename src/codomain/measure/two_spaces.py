"""How alike two spaces of the same items are: five plain measures, each with its null and its interval."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import Int, UserError, unit_rows
from codomain.measure import _agreement as shared
from codomain.measure import _local as local
from codomain.measure._agreement import Agreement as Agreement
from codomain.measure._agreement import Moments, Products

_NOISE = 1e-10  # share of the largest variance below which a direction is rounding
_KEPT = 0.99  # share of the variance that SVCCA keeps


def _dependence(sums: Products) -> float:
    r"""Return the unbiased estimate of HSIC with linear kernels, from sums over rows.

    With Gram matrices :math:`K, L` whose diagonals are set to 0, it is :math:`\frac{1}{n(n-3)} [\mathrm{tr} KL +
    \frac{1^\top K 1\, 1^\top L 1}{(n-1)(n-2)} - \frac{2}{n-2} 1^\top K L 1]`; every term is a sum over rows.
    """
    n = float(sums.n)
    trace = np.einsum("ij,ij->", sums.ab, sums.ab) - sums.lengths
    whole_a, whole_b = sums.sum_a @ sums.sum_a - sums.lengths_a, sums.sum_b @ sums.sum_b - sums.lengths_b
    crossed = (
        sums.sum_a @ sums.ab @ sums.sum_b - sums.sum_a @ sums.a_by_length - sums.sum_b @ sums.b_by_length + sums.lengths
    )
    total = trace + whole_a * whole_b / ((n - 1) * (n - 2)) - 2 * crossed / (n - 2)
    return float(total / (n * (n - 3)))


def _debiased(found: Moments) -> float:
    one, two = _dependence(found.aa), _dependence(found.bb)
    sizes = [float(part.lengths_a / part.n) ** 2 for part in (found.aa, found.bb)]
    if one <= 1e-12 * sizes[0] or two <= 1e-12 * sizes[1]:
        raise UserError(
            "A space has no structure that its rows share: its estimated dependence on itself is 0.",
            needed="more rows, or features that are not one for each row",
        )
    return _dependence(found.ab) / float(np.sqrt(one * two))


def _biased(found: Moments) -> float:
    across, one, two = (float(np.linalg.norm(part.covariance())) for part in (found.ab, found.aa, found.bb))
    return across**2 / (one * two)


def _procrustes(found: Moments) -> float:
    nuclear = np.linalg.norm(found.ab.covariance(), "nuc")
    sizes = np.trace(found.aa.covariance()) * np.trace(found.bb.covariance())
    return float(np.sqrt(max(2 - 2 * nuclear / np.sqrt(sizes), 0)))


def _whitened(square: NDArray[np.float64], kept: float) -> NDArray[np.float64]:
    """Return directions of unit variance, (n_features, n_kept), that hold a share `kept` of the variance."""
    variances, directions = np.linalg.eigh(square)
    variances, directions = variances[::-1], directions[:, ::-1]
    above = variances > _NOISE * variances[0]
    shares = np.cumsum(variances[above]) / variances[above].sum()
    count = min(int(np.searchsorted(shares, kept - 1e-12)) + 1, int(above.sum()))
    return np.asarray(directions[:, :count] / np.sqrt(variances[:count]))


def _canonical(found: Moments, kept: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the canonical correlations and the combinations of either side's features that have them."""
    one, two = _whitened(found.aa.covariance(), kept), _whitened(found.bb.covariance(), kept)
    if one.shape[1] + two.shape[1] >= found.ab.n:
        raise UserError(
            f"There are {found.ab.n} rows for {one.shape[1]} and {two.shape[1]} directions.",
            needed="more rows than directions of both together, with a tenth of the rows left out, else one fits",
            todo="give more rows, or narrow the spaces first",
        )
    left, correlations, right = np.linalg.svd(one.T @ found.ab.covariance() @ two, full_matrices=False)
    return np.clip(correlations, 0, 1), one @ left, two @ right.T


def _svcca(found: Moments) -> float:
    return float(_canonical(found, _KEPT)[0].mean())


def _pwcca(found: Moments) -> float:
    correlations, one, two = _canonical(found, 1.0)
    weights = [np.abs(Z.covariance() @ side).sum(axis=0) for Z, side in ((found.aa, one), (found.bb, two))]
    return float(np.mean([weight @ correlations / weight.sum() for weight in weights]))


def debiased_cka(A: Any, B: Any, *, random_state: int = 0) -> Agreement:
    """Centred kernel alignment with linear kernels, from unbiased estimates: about 0 for unrelated spaces.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.

    Returns
    -------
    Agreement
        1 for spaces that differ by a rotation, a scale and a shift; it may be a little below 0.

    Raises
    ------
    UserError
        When the rows differ in number, are fewer than 20, are not finite or are all equal.

    References
    ----------
    Kornblith et al. (2019), arXiv:1905.00414. Song et al. (2012), for the unbiased estimate.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((200, 384))
    >>> round(debiased_cka(A, 3 * A[:, ::-1]).value, 6)
    1.0
    """
    A, B = shared.pair(A, B)
    return shared.judged(
        "debiased_cka", _debiased, A, B, best="high", bounds=(-1.0, 1.0), smallest_n=50,
        how="Linear CKA from the unbiased estimate of dependence", random_state=random_state,
    )  # fmt: skip


def biased_cka(A: Any, B: Any, *, random_state: int = 0) -> Agreement:
    """Centred kernel alignment as most papers print it: far above 0 for unrelated spaces when rows are few.

    Two independent Gaussian spaces of 384 features have about 0.66 at 200 rows. Prefer `debiased_cka`; this one is
    for comparing with published numbers.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.

    Returns
    -------
    Agreement
        From 0 to 1; the null shows how much of it is bias.

    Raises
    ------
    UserError
        When the rows differ in number, are fewer than 20, are not finite or are all equal.

    References
    ----------
    Kornblith et al. (2019), arXiv:1905.00414.

    Examples
    --------
    >>> import numpy as np
    >>> A, B = np.random.default_rng(0).standard_normal((2, 200, 384))
    >>> biased_cka(A, B).value > 0.6
    True
    """
    A, B = shared.pair(A, B)
    return shared.judged(
        "biased_cka", _biased, A, B, best="high", bounds=(0.0, 1.0), smallest_n=10 * max(A.shape[1], B.shape[1]),
        how="Linear CKA with the bias that the usual formula has", random_state=random_state,
    )  # fmt: skip


def svcca(A: Any, B: Any, *, random_state: int = 0) -> Agreement:
    """Mean canonical correlation between the directions that hold 99 % of either space's variance.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.

    Returns
    -------
    Agreement
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
    A, B = shared.pair(A, B)
    return shared.judged(
        "svcca", _svcca, A, B, best="high", bounds=(0.0, 1.0), smallest_n=10 * (A.shape[1] + B.shape[1]),
        how="Mean canonical correlation of the directions that hold 99 % of the variance", random_state=random_state,
    )  # fmt: skip


def pwcca(A: Any, B: Any, *, random_state: int = 0) -> Agreement:
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
    Agreement
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
    A, B = shared.pair(A, B)
    if max(A.shape[1], B.shape[1]) > A.shape[0]:
        raise UserError(
            f"There are {A.shape[0]} rows for {A.shape[1]} and {B.shape[1]} features.",
            needed="more rows than features", todo="give more rows, or narrow the spaces first",
        )  # fmt: skip
    return shared.judged(
        "pwcca", _pwcca, A, B, best="high", bounds=(0.0, 1.0), smallest_n=10 * (A.shape[1] + B.shape[1]),
        how="Canonical correlations weighted by their share of the features", random_state=random_state,
    )  # fmt: skip


def procrustes_distance(A: Any, B: Any, *, random_state: int = 0) -> Agreement:
    r"""Distance that is left after the best shift, scale and rotation of one space onto the other.

    With both centred and scaled to :math:`\|A\|_F = \|B\|_F = 1` it is :math:`\sqrt{2 - 2 \|A^\top B\|_*}`.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces; the narrower is filled up with zeros. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.

    Returns
    -------
    Agreement
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
    A, B = shared.pair(A, B)
    return shared.judged(
        "procrustes_distance", _procrustes, A, B, best="low", bounds=(0.0, float(np.sqrt(2))),
        smallest_n=10 * max(A.shape[1], B.shape[1]), how="Orthogonal Procrustes distance of spaces of size 1",
        random_state=random_state,
    )  # fmt: skip


def mutual_neighbors(
    A: Any, B: Any, *, n_neighbors: int = 10, max_samples: int = 5000, random_state: int = 0
) -> Agreement:
    """Share of a row's nearest rows by cosine that are its nearest rows in the other space too.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ.
    n_neighbors : int, default=10
        Length of the lists, below the number of rows.
    max_samples : int, default=5000
        Rows drawn at random when there are more; neighbours are then the nearest of those drawn.
    random_state : int, default=0
        Seed of the draw and the tenths.

    Returns
    -------
    Agreement
        From 0 to 1. The null is exact: what a list drawn at random would share. The interval takes the lists as given.

    Raises
    ------
    UserError
        When the rows differ in number, are fewer than 20 or not above `n_neighbors`, are not finite or all equal.

    References
    ----------
    Huh et al. (2024), arXiv:2405.07987.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((100, 3))
    >>> mutual_neighbors(A, 2 * A[:, ::-1]).value
    1.0
    """
    Int(1).check("mutual_neighbors", "n_neighbors", n_neighbors)
    Int(shared.FEWEST).check("mutual_neighbors", "max_samples", max_samples)
    A, B = shared.pair(A, B)
    rng = np.random.default_rng(random_state)
    n = min(A.shape[0], max_samples)
    if n_neighbors >= n:
        raise UserError(f"n_neighbors={n_neighbors} among {n} rows.", needed="fewer neighbours than rows")
    drawn = np.sort(rng.choice(A.shape[0], n, replace=False))
    one, two = (local.lists_of(unit_rows(np.asarray(Z[drawn], np.float32)), n_neighbors)[0] for Z in (A, B))
    # A row's two lists laid end to end and sorted: what is in both stands next to itself.
    both = np.sort(np.concatenate([one, two], axis=1), axis=1)
    shares = (both[:, 1:] == both[:, :-1]).sum(axis=1) / n_neighbors
    fold = rng.permutation(n) % 10
    value = float(shares.mean())
    low, high = shared.around(value, [float(shares[fold != f].mean()) for f in range(10)], (0.0, 1.0))
    return Agreement(
        "mutual_neighbors", value, low, high, n_neighbors / (n - 1), "high", (0.0, 1.0), 10 * n_neighbors,
        f"Overlap of the lists of the {n_neighbors} nearest rows by cosine, over {n:,} rows.",
    )  # fmt: skip
