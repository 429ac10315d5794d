"""What more labels would buy: accuracy at growing numbers of labels, carried on by a power law."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from codomain.classify.few_labels.calibrate import balanced, wilson
from codomain.classify.few_labels.labels import whole_labels
from codomain.core import UserError

SHARES = (0.15, 0.25, 0.4, 0.65, 1.0)  # of the rows that a fold leaves for training
FOLDS = 5
UNEVEN = 1.4  # times an even share: of a commoner class, accuracy says more about its size than about the head


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy against the number of labels, and a power law through it.

    Attributes
    ----------
    n : ndarray of int
        Labels that heads were fitted to, rising.
    accuracy, low, high : ndarray of float
        Accuracy on rows left out, 0 to 1, and its 95 % interval.
    balanced : ndarray of float
        Balanced accuracy on the same rows: the mean over classes of the share found, 0 to 1.
    balanced_low, balanced_high : float
        Its 95 % interval at the largest n.
    majority : float
        Share right of always saying the commonest class.
    per_class : dict
        Share found of the left-out rows of each class, 0 to 1, at the largest n.
    sizes : dict
        Labels of each class.
    drop, power : float
        The law: error is drop * n ** -power, as a share, for labels spread over the classes as they are. The error is
        one minus the accuracy or, where classes are `uneven`, one minus the balanced accuracy: there a head that always
        says the commonest class looks good and learns nothing.
    own_power : float
        The power by which the error of a class falls with its own labels while the others' stay.
    """

    n: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    balanced: NDArray[np.float64]
    balanced_low: float
    balanced_high: float
    majority: float
    per_class: dict[Any, float]
    sizes: dict[Any, int]
    drop: float
    power: float
    own_power: float

    @property
    def n_labels(self) -> int:
        """Labels that there are."""
        return sum(self.sizes.values())

    @property
    def uneven(self) -> bool:
        """Whether the commonest class has more than 1.4 times its even share, so that advice is by balanced accuracy.

        Of two classes that is 70 %; of ten, 14 %, which ten rows a class drawn evenly seldom reach.
        """
        return self.majority > UNEVEN / len(self.per_class)

    @property
    def learned(self) -> bool:
        """Whether uneven classes are told apart better than by always saying one; even ones are taken to be."""
        return not self.uneven or self.balanced_low > 1 / len(self.per_class)

    def error(self, n: float) -> float:
        """Return the share that the law expects to be wrong with n labels."""
        return float(min(1.0, self.drop * n**-self.power))

    def gain(self, k: int) -> float:
        """Return the points, in hundredths, that k more labels like these are expected to buy.

        They are of accuracy, or of balanced accuracy where classes are uneven.
        """
        return 100 * (self.error(self.n_labels) - self.error(self.n_labels + k))

    def per_class_gain(self, k: int) -> dict[Any, float]:
        """Return for each class the points of its own share found that k more of its labels are expected to buy.

        The power is measured on all classes together: heads are also fitted with half of the classes at half their
        labels, and the errors of those classes compared.
        """
        return {
            name: 100 * (1 - found) * (1 - (self.sizes[name] / (self.sizes[name] + k)) ** self.own_power)
            for name, found in self.per_class.items()
        }

    @property
    def flat(self) -> bool:
        """Whether twice the labels are expected to buy less than a point; not while nothing has been learned."""
        return self.learned and self.gain(self.n_labels) < 1

    @property
    def says(self) -> list[str]:
        """What to do next, in sentences."""
        doubled = self.gain(self.n_labels)
        lines = [
            f"{self.n_labels:,} labels: {self.accuracy[-1]:.0%} right on rows left out "
            f"({self.low[-1]:.0%} to {self.high[-1]:.0%})."
        ]
        of = ""
        if self.uneven:
            of = " of balanced accuracy"
            lines[0] += (
                f" Always saying the commonest class is right for {self.majority:.0%}, so read the balanced accuracy, "
                f"the mean share found of a class: {self.balanced[-1]:.0%} ({self.balanced_low:.0%} to "
                f"{self.balanced_high:.0%}; always the commonest: {1 / len(self.per_class):.0%})."
            )
        if not self.learned:
            lines.append("The classes are not told apart yet, so what more labels would buy is not known.")
            return lines
        if self.flat:
            return [*lines, f"Twice the labels are expected to buy less than a point{of}: more labels will not help."]
        lines.append(f"{self.n_labels:,} more labels like these buy about {_points(doubled)}{of}.")
        k = 40
        best = sorted(self.per_class_gain(k).items(), key=lambda item: -item[1])[:3]
        return lines + [
            f"{k} more of class {name} buy about {_points(gain)} of that class (now {self.per_class[name]:.0%} found "
            f"with {self.sizes[name]:,})."
            for name, gain in best
            if gain >= 1
        ]


def learning_curve(
    head_factory: Callable[[], Any] | None, X: ArrayLike, y: ArrayLike, *, random_state: Any = 0
) -> LearningCurve:
    """Fit heads to growing parts of the labels and measure each on rows left out.

    Parameters
    ----------
    head_factory : callable or None
        Makes a classifier to fit; None takes `FewLabelHead`.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Labels; at least ten rows, and two classes with two rows each.
    random_state : int, RandomState or None, default=0
        Seed of the folds and of the parts.

    Returns
    -------
    LearningCurve
        What was measured, and what more labels are expected to buy.

    Raises
    ------
    UserError
        When the rows are too few to leave any out.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from codomain.classify import GDA
    >>> X, y = load_digits(return_X_y=True)
    >>> curve = learning_curve(GDA, X[:100], y[:100])
    >>> curve.flat, len(curve.per_class)
    (False, 10)
    """
    data, labels = np.asarray(X), whole_labels(y)
    classes, which = np.unique(labels, return_inverse=True)
    sizes = np.bincount(which)
    if len(labels) < 10 or np.count_nonzero(sizes > 1) < 2:
        raise UserError(
            f"{len(labels)} labels of {len(classes)} classes are too few for a learning curve.",
            needed="at least ten labels, and two classes with two each",
            todo="label more rows",
        )
    if head_factory is None:
        from codomain.classify.few_labels.head import FewLabelHead

        head_factory = lambda: FewLabelHead(random_state=0)  # noqa: E731 - a default for one argument
    rng = check_random_state(random_state)
    place = _places(which, sizes, rng)
    folds = (place + rng.permutation(len(sizes))[which]) % FOLDS
    right = np.zeros((len(SHARES), len(labels)), bool)
    counts = np.zeros((len(SHARES), FOLDS))
    wrong = np.zeros(2)  # of rows of the thinned classes: with all labels, and with half
    for fold in range(FOLDS):
        train = np.flatnonzero(folds != fold)
        test = np.flatnonzero((folds == fold) & (sizes[which] > 1))
        there = np.bincount(which[train], minlength=len(sizes))
        order = _places(which[train], there, rng)
        thin = rng.permutation(len(sizes)) < len(sizes) / 2
        shares = [np.full(len(sizes), share) for share in SHARES]
        for step, share in enumerate([*shares, np.where(thin, 0.5, 1.0)]):
            part = train[order < np.maximum(np.ceil(share * there), 1)[which[train]]]
            hits = head_factory().fit(data[part], labels[part]).predict(data[test]) == labels[test]
            if step < len(SHARES):
                counts[step, fold], right[step, test] = len(part), hits
            else:
                asked = thin[which[test]]
                wrong += np.count_nonzero(~right[-1, test] & asked), np.count_nonzero(~hits & asked)
    checked = sizes[which] > 1
    accuracy = right[:, checked].mean(axis=1)
    n = counts.mean(axis=1).round().astype(np.int64)
    low, high = np.array([wilson(share, int(checked.sum())) for share in accuracy]).T
    hits = np.array([np.bincount(which[checked], weights=step[checked], minlength=len(sizes)) for step in right])
    there = np.bincount(which[checked], minlength=len(sizes))
    level = np.array([balanced(step, there) for step in hits])
    majority, found = float(there.max() / there.sum()), hits[-1] / sizes
    error = 1 - (level[:, 0] if majority > UNEVEN / np.count_nonzero(there) else accuracy)
    names = classes.tolist()
    return LearningCurve(
        n, accuracy, low, high, level[:, 0], float(level[-1, 1]), float(level[-1, 2]), majority,
        {name: float(found[c]) for c, name in enumerate(names) if sizes[c] > 1},
        {name: int(sizes[c]) for c, name in enumerate(names)},
        *power_law(n, error), float(np.clip(np.log2((wrong[1] + 1) / (wrong[0] + 1)), 0, 2)),
    )  # fmt: skip


def power_law(n: NDArray[Any], error: NDArray[np.float64]) -> tuple[float, float]:
    """Return drop and power of the law drop * n ** -power through errors, a straight line in logarithms.

    A part of the error that no label mends is not fitted: five points do not tell it from a small power.
    """
    logs = np.log(np.maximum(error, 1e-4))
    slope, level = np.polyfit(np.log(n), logs, 1, w=np.sqrt(n))
    power = max(0.0, -float(slope))
    return float(np.exp(level if power else logs[-1])), power


def _places(which: NDArray[np.intp], sizes: NDArray[np.intp], rng: np.random.RandomState) -> NDArray[np.intp]:
    """Return each row's place, from 0, in a random order of the rows of its class."""
    shuffled = rng.permutation(len(which))
    order = shuffled[np.argsort(which[shuffled], kind="stable")]
    place = np.empty(len(which), np.intp)
    place[order] = np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return place


def _points(points: float) -> str:
    """Write points in words."""
    rounded = max(1, round(points))
    return "a point" if rounded == 1 else f"{rounded} points"
