"""The health of a space: what to know about it before using it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from codomain.core import Neighbors, UserError, bar
from codomain.measure.one_space.of_labels import label_separation
from codomain.measure.one_space.of_lists import dimension, hubness, near_duplicates
from codomain.measure.one_space.of_rows import dead_features, exact_duplicates, lengths
from codomain.measure.one_space.of_spread import anisotropy, effective_rank, loudest_feature
from codomain.measure.one_space.sampled import Sampled
from codomain.measure.one_space.uniformity import tolerance, uniformity
from codomain.measure.shared.record import Measure, Measures

_SAMPLE = 20_000  # rows for moments, whose error is then below one in a hundred
_LISTS = 5_000  # rows compared all with all, in the space and in its null


def health(
    X: Any, *, labels: Sequence[Any] | None = None, neighbors: Neighbors | None = None,
    only: Sequence[str] | None = None, random_state: int = 0, progress: bool = False,
) -> Measures:  # fmt: skip
    """Measure a space.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The space: an array, a memory map, or anything with `shape` and slices.
    labels : sequence of length n_samples, optional
        A label for each row; None and "" are no label.
    neighbors : Neighbors, optional
        Lists of the nearest rows by cosine; without them, lists are made within a sample of 5,000 rows.
    only : sequence of str, optional
        Names of the measures to make; all by default.
    random_state : int, default=0
        Seed of samples and of the nulls.
    progress : bool, default=False
        Draw a bar on stderr.

    Returns
    -------
    Measures
        A list of those that this many rows allow, in the order in which a report shows them.

    Raises
    ------
    UserError
        When there are no rows, a value is not finite, or labels or lists are not one per row; when a name in `only` is
        not known, or there are fewer rows than that measure needs to mean anything.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 8))
    >>> next(m for m in health(X) if m.name == "effective_rank").value > 7.5
    True
    """
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) != 2 or 0 in X.shape:
        raise UserError(f"X has shape {tuple(X.shape)}.", needed="two dimensions, one row and one feature at least")
    for given, name in ((labels, "labels"), (None if neighbors is None else neighbors.indices, "lists of neighbours")):
        if given is not None and len(given) != X.shape[0]:
            raise UserError(f"There are {len(given)} {name} for {X.shape[0]} rows.", needed="one for each row")
    if unknown := sorted(set(only or ()) - set(_NAMES)):
        raise UserError(f"No measure is called {', '.join(map(repr, unknown))}.", needed=f"some of {', '.join(_NAMES)}")
    space = Sampled(X, labels, neighbors, random_state, _SAMPLE if X.shape[1] <= 1500 else 3000, _LISTS)
    wanted = [number for number, (_, names) in enumerate(_MEASURES) if only is None or set(names) & set(only)]
    found: list[Measure] = []
    with bar("health", total=len(wanted) if progress else 0, unit="measures") as tick:
        for number in wanted:
            space.rng = np.random.default_rng([random_state, number])  # the same draws whatever other measures are made
            found.extend(measure for measure in _MEASURES[number][0](space) if only is None or measure.name in only)
            tick(1)
    if only is not None:
        _refuse_guesses(only, found, space.n)
    return Measures([measure.careful(space.n) for measure in found])


def _refuse_guesses(only: Sequence[str], found: Sequence[Measure], n: int) -> None:
    """Raise an error for each measure in `only` that these rows do not allow."""
    floors = {measure.name: measure.smallest_n for measure in found}
    if gone := [name for name in only if name not in floors]:
        raise UserError(
            f"{', '.join(gone)} cannot be measured on these {n:,} rows.",
            needed="more rows that differ" + (", with labels that repeat" if set(gone) & set(_LABELLED) else ""),
        )
    if few := [f"{name} needs {floors[name]:,}" for name in only if n < floors[name]]:
        raise UserError(f"There are {n:,} rows.", needed=f"enough for a number that means something: {', '.join(few)}")


_LABELLED = ("label_separation", "tolerance")
# Each with the names of what it yields.
_MEASURES: tuple[tuple[Callable[[Sampled], Iterable[Measure]], tuple[str, ...]], ...] = (
    (effective_rank, ("effective_rank",)),
    (dimension, ("dimension_two_nn", "dimension_likelihood")),
    (anisotropy, ("anisotropy",)),
    (uniformity, ("uniformity",)),
    (hubness, ("hubness", "unreachable")),
    (exact_duplicates, ("exact_duplicates",)),
    (near_duplicates, ("near_duplicates",)),
    (lengths, ("lengths",)),
    (dead_features, ("dead_features",)),
    (loudest_feature, ("loudest_feature",)),
    (label_separation, ("label_separation",)),
    (tolerance, ("tolerance",)),
)
_NAMES = tuple(name for _, names in _MEASURES for name in names)
