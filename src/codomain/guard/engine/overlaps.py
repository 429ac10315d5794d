"""Pairs of classes that lie in the same place, so that their labels are doubted by the dozen."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codomain.guard.engine.labels import Doubt

FEWEST = 5  # rows in doubt between two classes, below which each is looked at by itself
TIMES = 3  # the vote that lone mistakes would cause: classes touch at their borders, and some mistakes go undoubted
DEVIATIONS = 3  # standard errors above that, so that a class of few rows is not called mixed by luck


class Overlap(NamedTuple):
    """Two classes of which one lies, in part, where the other does.

    Parameters
    ----------
    one, two : int
        Places of the classes; more rows of `one` look like `two` than the other way round.
    rows : ndarray of int64
        The rows in doubt between them, in order of row.
    of_one, of_two : int
        How many of these are labelled `one`, and `two`.
    judged_one, judged_two : int
        Rows of either class that could be judged.
    mixed, lone : float
        Mean share of the vote, 0 to 1, that rows of a class whose label is not in doubt get for the other class, and
        what it would be if every row in doubt were a lone mistake: both of the class where it is the higher above that.
    scattered : float
        Rows in doubt that this pair would have, were all doubts spread over pairs of classes by the classes' sizes.
    """

    one: int
    two: int
    rows: NDArray[np.int64]
    of_one: int
    of_two: int
    judged_one: int
    judged_two: int
    mixed: float
    lone: float
    scattered: float


def overlapping_classes(doubt: Doubt) -> list[Overlap]:
    """Find pairs of classes whose doubts come from their lying in one place, and not from lone wrong labels.

    Parameters
    ----------
    doubt : Doubt
        What the neighbours say about each label.

    Returns
    -------
    list of Overlap
        The pairs with the most rows in doubt first.

    Notes
    -----
    A wrong label lies among rows of its true class, and apart from it they agree: there, as many neighbours carry the
    wrong label as there are such mistakes, among all that lie there. Where classes overlap, also rows that are not in
    doubt have neighbours of the other class, many more than that. As many rows as are in doubt, those with most such
    neighbours, are set aside before (at most half), for they may be mistakes that went undoubted.
    """
    n_classes = len(doubt.classes)
    sizes = np.bincount(doubt.given[doubt.judged], minlength=n_classes)
    doubted = np.flatnonzero(doubt.flagged)
    low, high = np.sort([doubt.given[doubted], doubt.better[doubted]], axis=0)
    pairs, which, counts = np.unique(low * n_classes + high, return_inverse=True, return_counts=True)
    by_class = np.argsort(np.where(doubt.judged & ~doubt.flagged, doubt.given, n_classes), kind="stable")
    ends = np.cumsum(np.bincount(doubt.given[doubt.judged & ~doubt.flagged], minlength=n_classes))
    whole = float(sizes.sum()) ** 2 - float((sizes.astype(float) ** 2).sum())
    found = []
    for place in np.flatnonzero(counts >= FEWEST).tolist():
        rows = doubted[which == place]
        one, two = divmod(int(pairs[place]), n_classes)
        if 2 * np.count_nonzero(doubt.given[rows] == one) < len(rows):
            one, two = two, one
        of_one = int(np.count_nonzero(doubt.given[rows] == one))
        of_two = len(rows) - of_one
        # Mistakes that lie in a class are the rows of the other one that look like it.
        ways = []
        for own, other, lost, guests in ((one, two, of_one, of_two), (two, one, of_two, of_one)):
            calm = by_class[ends[own - 1] if own else 0 : ends[own]]
            votes = np.sort(np.where(doubt.neighbor_labels[calm] == other, doubt.weights[calm], 0).sum(axis=1))
            votes = votes[: len(votes) - min(lost, len(votes) // 2)]
            lone = guests / max(int(sizes[own]) - lost + guests, 1)
            if len(votes) > 1:
                error = float(votes.std(ddof=1)) / len(votes) ** 0.5
                ways.append((float(votes.mean()) - TIMES * lone - DEVIATIONS * error, float(votes.mean()), lone))
        above, mixed, lone = max(ways, default=(0.0, 0.0, 0.0))
        if above > 0:
            scattered = len(doubted) * 2 * float(sizes[one]) * float(sizes[two]) / whole
            found.append(
                Overlap(one, two, rows, of_one, of_two, int(sizes[one]), int(sizes[two]), mixed, lone, scattered)
            )
    return sorted(found, key=lambda pair: -len(pair.rows))
