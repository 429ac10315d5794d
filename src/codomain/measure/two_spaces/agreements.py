"""Every measure of two spaces at once, so that the rows are read once."""

from typing import Any

from codomain.core import UserError
from codomain.measure.cka import BIASED, DEBIASED
from codomain.measure.shared.record import Measure, Measures
from codomain.measure.two_spaces.agreement import Formula, Sums, apply_formulas, check_pair
from codomain.measure.two_spaces.cca import PWCCA, SVCCA
from codomain.measure.two_spaces.procrustes_distance import PROCRUSTES

_FORMULAS: tuple[Formula, ...] = (DEBIASED, BIASED, PROCRUSTES, SVCCA, PWCCA)


def agreements(
    A: Any, B: Any, *, random_state: int = 0, only_meaningful: bool = False, progress: bool = False
) -> tuple[Measures, dict[str, str]]:
    """Apply `debiased_cka`, `biased_cka`, `procrustes_distance`, `svcca` and `pwcca` to two spaces.

    Parameters
    ----------
    A, B : array-like of shape (n_samples, n_features)
        The same items in two spaces, whose widths may differ. Memory maps are read in blocks.
    random_state : int, default=0
        Seed of the tenths and the shuffles.
    only_meaningful : bool, default=False
        Refuse, before any work, measures that need more rows to mean anything.
    progress : bool, default=False
        Draw a bar on stderr.

    Returns
    -------
    measures : Measures
        Those that this many rows allow, equal to what each function returns.
    refused : dict of str to str
        Why the others are missing.

    Raises
    ------
    UserError
        When the rows differ in number, are fewer than 20, are not finite or are all equal.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.random.default_rng(0).standard_normal((200, 5))
    >>> measures, refused = agreements(A, A[:, ::-1])
    >>> [round(measure.value, 6) for measure in measures]
    [1.0, 1.0, 0.0, 1.0, 1.0]
    """
    sums = Sums(*check_pair(A, B), random_state)
    least = {formula.name: formula.smallest_n(*sums.widths) for formula in _FORMULAS}
    wanted = [formula for formula in _FORMULAS if not only_meaningful or least[formula.name] <= sums.n]
    refused = {
        formula.name: f"it means something from {least[formula.name]:,} pairs on, not at {sums.n:,}"
        for formula in _FORMULAS
        if formula not in wanted
    }
    found = apply_formulas(wanted, sums, progress=progress)
    named = [(formula.name, one) for formula, one in zip(wanted, found, strict=True)]
    refused |= {name: " ".join(str(one).split()) for name, one in named if isinstance(one, UserError)}
    return Measures([one for one in found if isinstance(one, Measure)]), refused
