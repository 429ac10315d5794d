"""Look through a space for rows that deserve a second look."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core import Neighbors, UserError, nearest_rows
from codomain.guard.engine.check import LISTED, Check, n_rows, worst_first
from codomain.guard.engine.duplicates import (
    HALF,
    NEAR_RATE,
    Near,
    distances,
    either,
    near_copies,
    same_text,
    same_vector,
    within_rounding,
)
from codomain.guard.engine.labels import CLEARLY, FAIRLY, RAREST, doubtful_labels, read_labels, why_not
from codomain.guard.engine.outliers import RATE, remote_rows
from codomain.guard.engine.overlaps import DEVIATIONS, FEWEST, TIMES, Overlap, overlapping_classes
from codomain.guard.engine.texts import copies, cut_texts, equal_vectors, shared_words, unknown_texts
from codomain.space import FLAGS

if TYPE_CHECKING:
    from codomain.encode import TokenCounts

BITS = {flag.kind: flag.bit for flag in FLAGS}


class Unrelated(Protocol):
    """Cosines of rows that have nothing to do with each other, such as `codomain.search.Null`."""

    def percentile(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Share of unrelated pairs that score lower, 0 to 1."""


@dataclass(frozen=True)
class Audit:
    """What the checks found.

    Parameters
    ----------
    checks : list of Check
        Copies, near copies, outliers; with texts, equal vectors of other texts; with counts of tokens, texts that are
        cut or unknown; with labels, labels.
    flags : ndarray of shape (n_samples,), uint8
        Sum of 1 (copy of an earlier row), 2 (near copy of an earlier row), 4 (outlier), 8 (label in doubt), 16 (vector
        of an earlier row with another text), 32 (no token of the text is known) and 64 (text is cut).
    tokens : dict of str to int
        Sums of what the encoder reads, leaves unread and does not know; empty when it does not say.
    """

    checks: list[Check]
    flags: NDArray[np.uint8]
    tokens: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join(f"{check.title}: {check.says}" for check in self.checks)

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><th>{escape(check.title)}</th><td>{check.count:,}</td><td>{escape(check.says)}</td></tr>"
            for check in self.checks
        )
        return f"<table><thead><tr><th>check</th><th>rows</th><th></th></tr></thead><tbody>{body}</tbody></table>"

    def to_dict(self) -> dict[str, Any]:
        """Return the checks and the sums of tokens as JSON can hold them."""
        return {"checks": [check.to_dict() for check in self.checks], "tokens": self.tokens}


def audit(
    X: Any,
    neighbors: Neighbors | None = None,
    *,
    texts: Sequence[Any] | None = None,
    labels: Sequence[Any] | None = None,
    null: Unrelated | None = None,
    tokens: "TokenCounts | None" = None,
    random_state: Any = 0,
) -> Audit:
    """Find copies, near copies, outliers and labels in doubt.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Vectors; read in slices, so a memory map will do.
    neighbors : Neighbors or None, default=None
        `indices` of shape (n_samples, k) without the row itself and `scores` (cosines), best first; lists of 15 are
        made first when there are none.
    texts : sequence of length n_samples or None, default=None
        The rows' texts. With them a copy is an equal text, whatever its vector; without, an equal vector.
    labels : sequence of length n_samples or None, default=None
        The user's labels; None, NaN and empty texts are no label.
    null : Null or None, default=None
        Cosines of random pairs of the space; used to say how unusual a near copy is.
    tokens : TokenCounts or None, default=None
        What the encoder reads of each text: arrays `read`, `unread` and `unknown` of shape (n_samples,).
    random_state : int, RandomState or None, default=0
        Taken for the sake of a common signature; nothing here is drawn by chance.

    Returns
    -------
    Audit
        One Check per question, and the flags of every row.

    Raises
    ------
    UserError
        When lengths differ.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    >>> near = SimpleNamespace(indices=np.array([[2], [0], [0]]), scores=np.array([[1.0], [0.0], [1.0]]))
    >>> audit(X, near).flags
    array([0, 0, 1], dtype=uint8)
    """
    X = X if hasattr(X, "shape") else np.asarray(X)
    neighbors = nearest_rows(X) if neighbors is None else neighbors
    indices, scores = np.asarray(neighbors.indices), np.asarray(neighbors.scores)
    n = len(X)
    if indices.ndim != 2 or indices.shape != scores.shape or len(indices) != n:
        raise UserError(
            f"{n} vectors came with neighbour lists of shape {indices.shape} and {scores.shape}.",
            needed="one list of indices and one of scores per vector, both of shape (n_samples, k)",
        )
    for what, given in (("texts", texts), ("labels", labels), ("counts", None if tokens is None else tokens.read)):
        if given is not None and len(given) != n:
            raise UserError(f"{len(given)} {what} came with {n} vectors.", needed="one per vector, in the same order")
    family = same_vector(X) if texts is None else same_text(texts)
    alike = family if texts is None else within_rounding(same_vector(X), indices, scores)
    first = either(alike, family)
    near, near_result = _find_near(indices, scores, first, null, texts)
    far = distances(scores)
    results = [copies(family, texts)]
    if texts is not None:
        results.append(equal_vectors(alike, family, texts))
    results += [near_result, _outliers(indices, far, scores, near.others & ~near.pairs)]
    if tokens is not None:
        results += [cut_texts(tokens), unknown_texts(tokens)]
    if labels is not None:
        held = (indices >= 0) & (first[indices] == first[:, None])
        results.append(_labels(indices, far, near.pairs | held, first, labels))
    flags = np.zeros(n, dtype=np.uint8)
    for check, flagged in results:
        flags[flagged] |= BITS[check.kind]
    return Audit([check for check, _ in results], flags, {} if tokens is None else tokens.to_dict())


def _find_near(
    indices: NDArray[Any],
    scores: NDArray[Any],
    first: NDArray[Any],
    null: Unrelated | None,
    texts: Sequence[Any] | None,
) -> tuple[Near, tuple[Check, NDArray[Any]]]:
    n, k = indices.shape
    near = near_copies(indices, scores, first)
    # Of each pair the later row is flagged, and of a family of copies only its first row is looked at.
    row, entry = np.nonzero(near.pairs & (first == np.arange(n))[:, None])
    other = first[indices[row, entry]]
    cosine = scores[row, entry]
    later, earlier = np.maximum(row, other), np.minimum(row, other)
    order = np.lexsort((earlier, -cosine, later))
    flagged, best = np.unique(later[order], return_index=True)
    partner, likeness = np.full(n, -1), np.zeros(n)
    partner[flagged], likeness[flagged] = earlier[order][best], cosine[order][best]
    worst = worst_first(flagged, likeness)
    reach = 1 - near.reach.astype(float) ** 2 / 2
    rare = _rarity(null, likeness[worst])
    findings = [
        {
            "row": i,
            "other": int(partner[i]),
            "score": float(likeness[i]),
            "why": f"Nearly the same as the other row: cosine {likeness[i]:.3f}, where the {k} nearest rows "
            f"usually reach down to {reach[i]:.2f}{note}{shared_words(texts, i, int(partner[i]))}.",
        }
        for i, note in zip(worst.tolist(), rare, strict=True)
    ]
    if near.share == 0:
        says = "This check was not possible."
        how = "At least 20 rows with lists of 5 neighbours that are not their copies are needed."
    else:
        says = f"{n_rows(len(flagged))} ({len(flagged) / n:.1%}) are nearly the same as an earlier row."
        says = says if len(flagged) else "No row is nearly the same as another."
        typical = float(np.median(near.reach))
        bar = 1 - (near.share * typical) ** 2 / 2
        reason = (
            "half of it is the most that we call near"
            if near.share == HALF
            else f"fewer than one row in {1 / NEAR_RATE:,.0f} would have a neighbour that close by chance"
        )
        how = (
            f"Here the lists of {k} neighbours reach a distance of {typical:.2f} (median), and rows spread in at "
            f"least {near.dimension:.0f} directions around each other. A near copy is closer than {near.share:.2f} of "
            f"its own list's reach: {reason}. For a typical row that is a cosine above {bar:.3f}; "
            "in a crowded part of the space it is higher. No fixed threshold is used."
        )
    return near, (
        Check("near_duplicate", "Near copies", says, how, len(flagged), worst.tolist(), findings),
        flagged,
    )


def _rarity(null: Unrelated | None, cosines: NDArray[Any]) -> list[str]:
    if null is None or not len(cosines):
        return [""] * len(cosines)
    return [
        "; fewer than 1 in 10,000 random pairs are as alike"
        if share > 0.9999
        else f"; {share:.2%} of random pairs are less alike"
        for share in np.asarray(null.percentile(cosines))
    ]


def _outliers(
    indices: NDArray[Any], far: NDArray[Any], scores: NDArray[Any], counts: NDArray[Any]
) -> tuple[Check, NDArray[Any]]:
    odd = remote_rows(indices, far, counts)
    flagged = np.flatnonzero(odd.flagged)
    worst = worst_first(flagged, odd.score)
    findings = []
    for row in worst.tolist():
        entry = int(np.argmax(counts[row]))
        if odd.locally[row] / odd.bars[0] >= odd.overall[row] / odd.bars[1]:
            why = f"{odd.locally[row]:.2f} times as far from its neighbours as they are from theirs"
        else:
            why = f"{odd.overall[row]:.2f} times as far from its neighbours as rows usually are"
        why += f"; its nearest row has cosine {scores[row, entry]:.2f}."
        findings.append({"row": row, "other": int(indices[row, entry]), "score": float(odd.score[row]), "why": why})
    if np.isinf(odd.bars[0]):
        says, how = (
            "This check was not possible.",
            "At least 50 rows that have neighbours other than copies are needed.",
        )
    else:
        says = f"{n_rows(len(flagged))} ({len(flagged) / len(far):.1%}) lie far from everything."
        says = says if len(flagged) else "No row lies far from everything."
        how = (
            "Each row's mean distance to its neighbours is divided by theirs to their own, and by the median of all "
            f"rows; copies do not count as company. An outlier is above {odd.bars[0]:.2f} or {odd.bars[1]:.2f}, which "
            f"the usual tails of this space would pass once in {1 / RATE:,.0f} rows each. Foreign rows that keep each "
            "other company are a group, not outliers. An outlier may be rare rather than wrong: look before dropping."
        )
    return Check("outlier", "Odd ones out", says, how, len(flagged), worst.tolist(), findings), flagged


def _labels(
    indices: NDArray[Any], far: NDArray[Any], near: NDArray[Any], first: NDArray[Any], labels: Sequence[Any]
) -> tuple[Check, NDArray[Any]]:
    title = "Labels in doubt"
    classes, given = read_labels(labels)
    reason = why_not(len(classes), given, indices.shape[1])
    nobody: NDArray[Any] = np.zeros(0, dtype=np.int64)
    if reason:
        how = "A label is judged by the labels of the rows around it."
        return Check("label", title, f"This check was not possible: {reason}.", how, 0, [], []), nobody
    doubt = doubtful_labels(indices, far, indices >= 0, near, first, classes, given)
    flagged = np.flatnonzero(doubt.flagged)
    overlaps = overlapping_classes(doubt)
    paired = np.concatenate([nobody, *(pair.rows for pair in overlaps)])
    lone = worst_first(np.setdiff1d(flagged, paired), doubt.score)
    # Rows of pairs take what room the others leave, as each pair is said in one sentence anyway.
    worst = worst_first(np.concatenate([lone, worst_first(paired, doubt.score)[: LISTED - len(lone)]]), doubt.score)
    findings = []
    for row in worst.tolist():
        better = classes[doubt.better[row]]
        findings.append(
            {
                "row": row,
                "other": int(doubt.witness[row]),
                "score": float(doubt.score[row]),
                "given": classes[given[row]],
                "better": better,
                "why": f"Labelled {classes[given[row]]}; {doubt.votes[row]} of {doubt.voices[row]} nearest rows "
                f"are {better}.",
            }
        )
    labelled = int((given >= 0).sum())
    share = len(flagged) / labelled
    says = f"{n_rows(len(flagged))} ({share:.1%} of those labelled) disagree with the rows around them."
    says = says if len(flagged) else "No label is contradicted by the rows around it."
    if overlaps:
        those = (
            "a pair of classes that overlaps" if len(overlaps) == 1 else f"{len(overlaps)} overlapping pairs of classes"
        )
        says = f"{says[:-1]}: {len(paired):,} of them between {those}, {len(flagged) - len(paired):,} by themselves."
    unjudged = labelled - int(doubt.judged.sum())
    how = (
        "The nearest rows vote, the nearer the louder. Copies of a row may contradict its label but not confirm it, "
        "and many copies have one vote. A label is in doubt when another class has half of the rows and of the vote, "
        f"{FAIRLY:.0%} of what its own rows usually get, and {CLEARLY} times the vote of the given class, which gets "
        "less than usual. "
        f"Here a given label gets {doubt.agreement:.0%} of the vote on average: the lower that is, the more of the "
        "rows listed are hard cases rather than mistakes. "
        f"{n_rows(unjudged)} could not be judged: a class with fewer than {RAREST} rows, or too few neighbours to ask. "
        f"Two classes overlap when at least {FEWEST} rows are in doubt between them and rows of one that are not in "
        f"doubt give it more than {TIMES} times the vote that lone mistakes would cause, by {DEVIATIONS} standard "
        "errors: then the classes are unclear rather than the rows."
    )
    pairs = [_pair(pair, classes) for pair in overlaps]
    return Check("label", title, says, how, len(flagged), worst.tolist(), findings, pairs), flagged


def _pair(pair: Overlap, classes: NDArray[Any]) -> dict[str, Any]:
    one, two = classes[pair.one], classes[pair.two]
    share_one, share_two = pair.of_one / max(pair.judged_one, 1), pair.of_two / max(pair.judged_two, 1)
    says = f"{n_rows(pair.of_one)} of {one!r} ({share_one:.1%}) look like {two!r}"
    back = f", and {pair.of_two:,} of {two!r} ({share_two:.1%}) like {one!r}" if pair.of_two else ""
    return {
        "given": one, "better": two, "rows_given": pair.of_one, "rows_better": pair.of_two,
        "share_given": share_one, "share_better": share_two, "mixed": pair.mixed, "lone": pair.lone,
        "scattered": pair.scattered, "says": f"{says}{back}: the two overlap.",
    }  # fmt: skip
