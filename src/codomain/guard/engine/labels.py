"""Labels that the rows around them contradict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RAREST = 8  # a class with fewer rows cannot outvote its surroundings
SHARPNESS = 5.0  # the last listed neighbour has exp(-5) of the voice of one at no distance
FLOOR = 0.02  # of the vote; keeps the ratio of votes finite
CLEARLY = 4  # times the vote of the given label
FAIRLY = 0.8  # of the vote that rows of a class usually get: one wrong neighbour must not shield another
VOICES = 5  # neighbours needed for a verdict


@dataclass(frozen=True)
class Doubt:
    """What the neighbours say about each label.

    Parameters
    ----------
    classes : ndarray of str
        The labels, sorted.
    given : ndarray of shape (n_samples,), int64
        Place of each row's label in `classes`; -1 where there is none.
    better : ndarray of shape (n_samples,), int64
        Place of the label that the neighbours favour over it.
    agreement : float
        Mean share of the vote that goes to the given label, 0 to 1.
    votes, voices : ndarray of shape (n_samples,), int64
        Neighbours with the favoured label, and neighbours that could vote.
    witness : ndarray of shape (n_samples,), int64
        The nearest row with the favoured label.
    judged : ndarray of shape (n_samples,), bool
        Whether there were enough rows of the class and enough voices.
    score : ndarray of shape (n_samples,), float32
        Natural logarithm of the vote for the favoured label over the vote for the given one; minus infinity where
        nothing was judged.
    flagged : ndarray of shape (n_samples,), bool
        Whether the label is in doubt.
    neighbor_labels : ndarray of shape (n_samples, k), int64
        Place of each neighbour's label in `classes`; -1 where it has none.
    weights : ndarray of shape (n_samples, k)
        Share of each neighbour in the vote, 0 to 1.
    """

    classes: NDArray[Any]
    given: NDArray[np.int64]
    better: NDArray[np.int64]
    agreement: float
    votes: NDArray[np.int64]
    voices: NDArray[np.int64]
    witness: NDArray[np.int64]
    judged: NDArray[np.bool_]
    score: NDArray[np.float32]
    flagged: NDArray[np.bool_]
    neighbor_labels: NDArray[np.int64]
    weights: NDArray[np.floating[Any]]


def read_labels(labels: Sequence[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Sorted classes and each row's place among them; -1 for None, NaN and empty text."""
    missing = np.array([label is None or label != label or str(label).strip() == "" for label in labels], dtype=bool)
    classes, place = np.unique(np.array([str(label) for label in labels], dtype=object), return_inverse=True)
    present = np.unique(place[~missing])
    renumber = np.full(len(classes), -1)
    renumber[present] = np.arange(len(present))
    return classes[present], np.where(missing, -1, renumber[place]).astype(np.int64)


def why_not(n_classes: int, given: NDArray[np.int64], k: int) -> str:
    """Say why labels cannot be checked, or nothing when they can."""
    labelled = int((given >= 0).sum())
    sizes = np.bincount(given[given >= 0], minlength=n_classes)
    judged = int(sizes[sizes >= RAREST].sum())
    if labelled == 0:
        return "no row has a label"
    if n_classes == 1:
        return "all rows have the same label"
    if k < VOICES:
        return f"the neighbour lists hold {k} rows, and at least {VOICES} are needed for a vote"
    if judged < labelled / 2:
        return (
            f"{n_classes:,} different labels on {labelled:,} rows: most belong to fewer than {RAREST} rows, "
            "too few for their neighbours to share them"
        )
    return ""


def doubtful_labels(
    indices: NDArray[np.int32],
    far: NDArray[np.float32],
    counts: NDArray[np.bool_],
    near: NDArray[np.bool_],
    first: NDArray[np.int64],
    classes: NDArray[Any],
    given: NDArray[np.int64],
) -> Doubt:
    """Let neighbours vote on each label.

    Parameters
    ----------
    indices, far : ndarray of shape (n_samples, k)
        Neighbour lists and distances.
    counts : ndarray of shape (n_samples, k), bool
        Entries that are real.
    near : ndarray of shape (n_samples, k), bool
        Entries that are copies or near copies of the row. They may contradict its label, not confirm it: whoever
        copied the text copied the label.
    first : ndarray of shape (n_samples,)
        Family of exact copies of each row; a family has one vote per label, however many copies it has.
    classes, given
        As `read_labels` gives them.

    Returns
    -------
    Doubt
        The verdicts.

    Notes
    -----
    A label is in doubt when another one has half of the voices and of the vote, four fifths of the vote that rows of
    that class usually get, and four times the vote of the given one, which has less than its rows usually get (class
    by class, after Northcutt, Jiang and Chuang 2021).
    """
    n, k = indices.shape
    theirs = np.where(counts, given[indices], -1)
    speaks = (theirs >= 0) & ~(near & (theirs == given[:, None]))
    # Of equal (family, label) entries in one list only the first keeps its voice.
    key = np.where(speaks, first[indices] * len(classes) + theirs, -1 - np.arange(k))
    order = np.argsort(key, axis=1, kind="stable")
    ranked = np.take_along_axis(key, order, axis=1)
    repeat = np.zeros((n, k), dtype=bool)
    np.put_along_axis(repeat, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    speaks &= ~repeat
    voices = speaks.sum(axis=1)

    last = np.max(np.where(counts, far, 0), axis=1, initial=0)
    weight = np.where(speaks, np.exp(-SHARPNESS * (far / np.maximum(last, 1e-9)[:, None]) ** 2), 0)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    own = np.where(theirs == given[:, None], weight, 0).sum(axis=1)
    # Vote for the label of each entry, then the best that is not the given one.
    share = np.empty((n, k), dtype=np.float32)
    for entry in range(k):
        share[:, entry] = np.where(theirs == theirs[:, entry, None], weight, 0).sum(axis=1)
    sizes = np.bincount(given[given >= 0], minlength=len(classes))
    common = sizes >= RAREST
    rival = np.where(speaks & (theirs != given[:, None]) & common[theirs], share, -1)
    judged = (given >= 0) & common[given] & (voices >= VOICES)
    rows_judged = np.bincount(given[judged], minlength=len(classes))
    usual = np.bincount(given[judged], weights=own[judged], minlength=len(classes)) / np.maximum(rows_judged, 1)

    at = rival.argmax(axis=1)
    rows = np.arange(n)
    better, vote = theirs[rows, at], np.maximum(rival[rows, at], 0)
    # A ratio, not a difference: a label that no neighbour shares is worse than one that loses a contest.
    score = np.where(judged, np.log((vote + FLOOR) / (own + FLOOR)), -np.inf).astype(np.float32)
    agree = speaks & (theirs == better[:, None])
    votes = agree.sum(axis=1)
    strong = (vote >= np.maximum(FAIRLY * usual[better], 0.5)) & (2 * votes >= voices) & (vote > CLEARLY * own)
    flagged = judged & strong & (own < usual[given])
    agreement = float(own[judged].mean()) if judged.any() else 0.0
    witness = indices[rows, agree.argmax(axis=1)].astype(np.int64)
    return Doubt(classes, given, better, agreement, votes, voices, witness, judged, score, flagged, theirs, weight)
