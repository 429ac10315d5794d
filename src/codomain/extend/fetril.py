"""Train a linear head for new classes with old ones made up from them by translation."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.svm import LinearSVC

from codomain.core import Flag, Paper, Real, Trial, claim, unit_rows
from codomain.extend.shared.means import GrowingHead


class FeTrIL(GrowingHead):
    r"""Learn classes in steps by a linear head over the step's rows and pseudo-features of earlier classes.

    Of a class :math:`p` from an earlier step only its mean :math:`\mu_p` is kept. For training it borrows the rows of
    the present class :math:`n` whose mean is most similar by cosine and moves them: :math:`x - \mu_n + \mu_p`. A
    support vector machine, one class against the rest, is then trained anew on rows and pseudo-features.

    Parameters
    ----------
    C : float, default=1.0
        Weight of the training errors of the machine, above 0.
    normalise : bool, default=True
        Whether rows and pseudo-features are scaled to length 1 before the machine sees them.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes met so far, sorted.
    means_ : ndarray of shape (n_classes, n_features)
        Mean of each, in the unit of X.
    counts_ : ndarray of shape (n_classes,)
        Rows of each so far.
    head_ : LinearSVC or None
        The machine; None while there is one class.
    memory_bytes_ : int
        Bytes the head must keep: means, counts and the machine's weights.

    Raises
    ------
    ValueError
        In `fit` and `partial_fit`, when a parameter breaks its rule or labels change from numbers to words.

    Notes
    -----
    Checked against the authors' code (GregoirePetit/FeTrIL): translation, length 1 after it, one class against the
    rest with squared hinge loss and anew in each step, all as there. That code chooses the lender by Euclidean distance
    of the means, the paper's text by cosine, as here. C is 1 in its settings for CIFAR-100, with the tolerance used
    here. Not in the paper: a class may get rows in several steps. Second reading: formulas as
    there. On a smaller draw than the claim's, glosses of 43 topics in two steps with 20 rows of each, ours falls from
    .338 to .195 where an old class's rows are moved to the mean of another, and on old classes from .328 to .019; class
    means reach .377. After the claim's last step ours beats machines trained in each step apart by 6 to 12 points.

    References
    ----------
    Petit et al. (2022), arXiv:2211.13131.

    Examples
    --------
    >>> head = FeTrIL(normalise=False).fit([[0.0, 0.0], [2.0, 0.0]], ["cat", "cat"])
    >>> head.partial_fit([[0.0, 9.0], [2.0, 9.0]], ["dog", "dog"]).predict([[1.0, 1.0], [1.0, 8.0]])
    array(['cat', 'dog'], dtype='<U3')
    """

    paper = Paper.get("fetril")
    rules: ClassVar = {"C": Real(0, above=True), "normalise": Flag()}
    small: ClassVar = {"normalise": False}

    def __init__(self, C: float = 1.0, *, normalise: bool = True) -> None:
        self.C = C
        self.normalise = normalise

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Class with the highest score of the machine, of shape (n_samples,)."""
        data = self._check_rows(X)
        if self.head_ is None:
            return np.repeat(self.classes_, len(data))
        return self.classes_[self.head_.predict(self._scale(data))]

    def _update(self, data: NDArray[Any], which: NDArray[np.intp], is_new: NDArray[np.bool_]) -> None:
        """Train the machine on a batch and pseudo-features of the classes that it lacks."""
        self.head_ = None
        if len(self.classes_) == 1:
            return
        Z, classes = self._add_pseudo_features(data, which)
        self.head_ = LinearSVC(C=self.C, dual=False, max_iter=10_000).fit(self._scale(Z), classes)

    def _add_pseudo_features(
        self, data: NDArray[Any], which: NDArray[np.intp]
    ) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the batch followed by pseudo-features of every class that is not in it, with their classes."""
        here = np.unique(which)
        absent = np.setdiff1d(np.arange(len(self.classes_)), here)
        directions = unit_rows(self.means_)
        lenders = here[(directions[absent] @ directions[here].T).argmax(axis=1)]
        rows, classes = [data], [which]
        for old, lender in zip(absent, lenders, strict=True):
            lent = data[which == lender]
            # Subtract the mean of the rows lent: the mean of their class also counts rows of earlier batches.
            rows.append(lent - lent.mean(axis=0) + self.means_[old])
            classes.append(np.full(len(lent), old))
        return np.concatenate(rows), np.concatenate(classes)

    def _scale(self, data: NDArray[Any]) -> NDArray[Any]:
        """Scale the rows as the machine sees them."""
        return unit_rows(data) if self.normalise else data

    def _memory_bytes(self) -> int:
        """Add the machine's weights."""
        weights = 0 if self.head_ is None else self.head_.coef_.nbytes + self.head_.intercept_.nbytes
        return super()._memory_bytes() + weights


@claim(
    FeTrIL, needs=("apt-lists", "wordllama"),
    unit="accuracy over the sections met so far, mean of three steps, 0 to 1", margin=0.015, seconds=60,
    says="A head trained with translated rows in the place of old classes beats the nearest class mean.",
    premise="the same machine trained on the rows of all sections beats the nearest class mean", least=0.03,
    floor="nearest class mean, which stores the same means",
    peer="linear discriminant analysis with Ledoit-Wolf shrinkage, fitted anew to the rows of all steps so far",
)  # fmt: skip
def keeps_old_classes(seed: int) -> Trial:
    """Descriptions of 28 sections of Debian, 200 of each: 13 sections at once, then five at a time.

    The first step is left out of the mean: there FeTrIL is a support vector machine on the real rows. Docstrings of 42
    packages, 20 of each, came first: on other seeds than the claim's the machine on all rows gained only 0.014 there.
    Then came 100 rows of each of 32 sections, where it gained 0.028 and the premise failed.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from codomain.extend import NMC
    from codomain.tasks.sections import debian_sections
    from codomain.tasks.steps import class_steps

    X, y, Q, truth = debian_sections(seed, 200, 100)
    first, *later = class_steps(y, seed, [13, 5, 5, 5])
    heads = FeTrIL().fit(X[first], y[first]), NMC().fit(X[first], y[first])
    apart = [LinearSVC(dual=False).fit(unit_rows(X[first]), y[first])]
    shares, seen = np.zeros((3, len(truth))), first
    for rows in later:
        seen = np.concatenate([seen, rows])
        for head in heads:
            head.partial_fit(X[rows], y[rows])
        peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(X[seen], y[seen])
        apart.append(LinearSVC(dual=False).fit(unit_rows(X[rows]), y[rows]))
        met = np.isin(truth, y[seen])
        for share, head in zip(shares, (*heads, peer), strict=True):
            share[met] += (head.predict(Q[met]) == truth[met]) * len(truth) / met.sum() / len(later)
    at_once = LinearSVC(dual=False).fit(unit_rows(X), y).score(unit_rows(Q), truth)
    scores = np.concatenate([machine.decision_function(unit_rows(Q)) for machine in apart], axis=1)
    names = np.concatenate([machine.classes_ for machine in apart])
    return Trial(
        shares[0], shares[1], shares[2], chance=1 / len(np.unique(y)),
        premise=float(at_once - heads[1].score(Q, truth)),
        also={
            "accuracy after the last step": heads[0].score(Q, truth),
            "the floor's after the last step": heads[1].score(Q, truth),
            "of machines trained in each step apart": float(np.mean(names[scores.argmax(axis=1)] == truth)),
            "of the machine on all rows at once": float(at_once),
        },
    )  # fmt: skip
