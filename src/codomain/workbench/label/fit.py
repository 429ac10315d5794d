"""From given labels to a labelled space: head, probabilities, rejects, learning curve, and what looks wrong."""

import json
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.classify import GDA, UNLABELLED, FewLabelHead, LearningCurve, learning_curve, reject
from codomain.core import UserError, slices
from codomain.space import GroupsPart, LabelsPart, Space
from codomain.workbench.label.given import Given
from codomain.workbench.label.held_out import hold_out
from codomain.workbench.label.novel import new_groups

VERSION = 3  # raised when the code would give another answer
LEARN = 3_000  # labels that teach the head; choosing it among several takes a minute with more
OWN_CURVE = 1_000  # labels up to which the curve is that of the same kind of head, thirty fits in seconds
DOUBT = 50_000  # labels that are held against each other
LISTED = 100  # labels in doubt that are named
CALIBRATE = 3  # at most every third label, of those drawn at random, is kept back to calibrate what is rejected
BLOCK = 65_536  # rows labelled at a time


def fingerprint(space: Space, given: Given, risk: float, origin: str = "") -> str:
    """Return what the part depends on: the rows, the given labels, the risk, and the space that the head is from."""
    record = [LabelsPart.name, VERSION, given.rows.tolist(), given.labels.tolist(), given.fair.tolist(), risk, origin]
    return f"{space.fingerprint}-{sha256(json.dumps(record).encode()).hexdigest()}"


def head_files(head: FewLabelHead) -> dict[str, Any]:
    """Return the files of a part that hold a head."""
    arrays, params = head.state()
    return {LabelsPart.head: params} | {LabelsPart.head_array(name): array for name, array in arrays.items()}


def load_head(part: LabelsPart) -> FewLabelHead:
    """Return the head that a part holds."""
    return FewLabelHead.from_state(part.head_arrays, part.head)


class Teacher:
    """Labelled vectors, and what can be learned from them.

    Parameters
    ----------
    space : Space
        Where the labelled rows are.
    given : Given
        Their labels.
    random_state : int, default=0
        Seed of every draw.

    Raises
    ------
    UserError
        When there is no label, or one class.
    """

    def __init__(self, space: Space, given: Given, *, random_state: int = 0) -> None:
        names = np.unique(given.labels)
        if len(names) < 2:
            what = f"All {len(given.rows):,} labels are {str(names[0])!r}." if len(names) else "There is no label."
            raise UserError(
                what, needed="labels of at least two classes",
                todo=f"codomain label {space.path} --ask 20, or --from FILE with a column of ids and one of labels",
            )  # fmt: skip
        self.space, self.given, self.seed = space, given, random_state
        self.n: int = space.vectors.shape[0]
        draw = np.random.default_rng(random_state).permutation(len(given.rows))
        self.taught = np.sort(draw[:LEARN])
        self.X: NDArray[np.float32] = np.asarray(space.vectors[given.rows[self.taught]])
        self.y: NDArray[Any] = given.labels[self.taught]
        fair = draw[given.fair[draw]]
        back = np.isin(self.taught, fair[: len(draw[:LEARN]) // CALIBRATE])
        # A class that is only among the rows kept back would be unknown to the head that they calibrate.
        self.back: NDArray[np.bool_] = back & np.isin(self.y, self.y[~back])

    def fit(self) -> FewLabelHead:
        """Return the head that all the labels make, and rows of the space that have none."""
        others = self._others(self.given.rows[self.taught])
        return FewLabelHead(random_state=self.seed).fit(self.X, self.y, others)

    def _others(self, known: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows of the space, drawn at random from all but the known."""
        drawn = np.random.default_rng(self.seed).choice(self.n, min(UNLABELLED + len(known), self.n), replace=False)
        return np.asarray(self.space.vectors[np.sort(drawn[~np.isin(drawn, known)][:UNLABELLED])])

    def curve(self) -> LearningCurve | None:
        """Return what more labels would buy a head that sees nothing but labels, or None with too few."""
        return curve_of(self.X, self.y, self.seed)

    def reject(self, X: Any, risk: float, *, own: bool = True) -> tuple[NDArray[np.bool_] | None, str]:
        """Return the rows of X that a person should look at, or None, and the promise or why there is none.

        X holds the rows of the labelled space itself (`own`) or of another.
        """
        back, least = int(self.back.sum()), int(np.ceil(1 / risk)) - 1
        if back < least or len(np.unique(self.y[~self.back])) < 2:
            return None, (
                f"Nothing is rejected: for a risk of {risk:g} at least {least} labelled rows that were drawn at random "
                f"must be kept back, and {back} can be."
            )
        taught = self.given.rows[self.taught]
        # The promise needs a head that treats rows that calibrate as rows to be labelled: of the space itself, both may
        # be among those without a label; of another, neither.
        others = self._others(taught[~self.back] if own else taught)
        head = FewLabelHead(random_state=self.seed).fit(self.X[~self.back], self.y[~self.back], others)
        X_back, y_back = self.X[self.back], self.y[self.back]
        n = X.shape[0]
        found = [~reject(head, X_back, y_back, X[rows], risk=risk).keep for rows in slices(n, BLOCK)]
        rejected = np.concatenate(found)
        return rejected, (
            f"{n - int(rejected.sum()):,} of {n:,} rows have one possible class, the others are rejected. For rows "
            f"drawn like the {back:,} that calibrate, the set of possible classes lacks the right one in at most "
            f"{risk:.0%} of cases: on average over all rows, not for one class or the kept rows alone."
        )

    def doubts(self) -> list[dict[str, Any]]:
        """Return given labels that a head which has not seen them clearly contradicts, worst first."""
        rows, labels = self.given.rows[:DOUBT], self.given.labels[:DOUBT]
        found = hold_out(np.asarray(self.space.vectors[rows]), labels, random_state=self.seed)
        if found is None:
            return []
        worst = found.doubtful(labels)[:LISTED]
        own, other = found.against(labels)
        better = found.likeliest_other(labels)
        ids = self.space.take(rows[worst], [self.space.columns[0]]).column(0).to_pylist()
        return [
            {
                "id": key, "row": int(rows[at]), "given": str(labels[at]), "better": str(better[at]),
                "probability": round(float(other[at]), 4), "of_given": round(float(own[at]), 4),
            }
            for key, at in zip(ids, worst.tolist(), strict=True)
        ]  # fmt: skip

    def novel(self, rejected: NDArray[np.bool_] | None) -> list[dict[str, Any]]:
        """Return groups of the study that the labels have passed over and the head does not answer for."""
        part = self.space.parts.find(GroupsPart)
        if part is None or rejected is None or not part.fresh:
            return []
        names = part.names
        fair = self.given.rows[self.given.fair]
        found = new_groups(self.space.vectors, part.labels, fair, rejected)
        key = self.space.columns[0]
        return [
            asdict(one) | {"name": names[one.group], "ids": self.space.take(one.rows, [key]).column(0).to_pylist()}
            for one in found
        ]


def curve_of(X: NDArray[Any], labels: NDArray[Any], random_state: int = 0) -> LearningCurve | None:
    """Return what more labels would buy, or None where they are too few to leave any out.

    Parameters
    ----------
    X : ndarray of shape (n_given, n_dims)
        Labelled rows.
    labels : ndarray of str, shape (n_given,)
        Their labels; of many, a head that is fitted in milliseconds draws the curve.
    random_state : int, default=0
        Seed of the folds.
    """
    try:
        return learning_curve(None if len(labels) <= OWN_CURVE else GDA, X, labels, random_state=random_state)
    except UserError:
        return None


def predictions(head: FewLabelHead, X: Any) -> NDArray[np.float32]:
    """Return probabilities of shape (n_rows, n_classes), read and computed block by block."""
    found = np.empty((X.shape[0], len(head.classes_)), dtype=np.float32)
    for rows in slices(X.shape[0], BLOCK):
        found[rows] = head.predict_proba(X[rows])
    return found
