"""Learn classes one after another by keeping the mean of each."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics.pairwise import euclidean_distances

from codomain.core import OneOf, Paper, Trial, claim, unit_rows
from codomain.extend.shared.means import GrowingHead


class NMC(GrowingHead):
    """Predict the class whose mean is nearest, where classes and rows may arrive in any order and number.

    A batch of a class with mean b and n rows moves the class mean m over N rows by (b - m) n / (N + n). The final
    means do not depend on the order of arrival, so nothing is forgotten: the head is the same as after one fit to
    all rows, up to rounding.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}, default="euclidean"
        How near a row is to a mean.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes met so far, sorted.
    means_ : ndarray of shape (n_classes, n_features)
        Mean of each, in the unit of X.
    counts_ : ndarray of shape (n_classes,)
        Rows of each so far.
    memory_bytes_ : int
        Bytes the head must keep: means and counts.

    Raises
    ------
    ValueError
        In `fit` and `partial_fit`, when a parameter breaks its rule or labels change from numbers to words.

    References
    ----------
    Janson et al. (2022), arXiv:2210.04428.

    Examples
    --------
    >>> head = NMC().fit([[0.0], [2.0]], ["cat", "cat"])
    >>> head.partial_fit([[9.0]], ["dog"]).predict([[3.0], [7.0]])
    array(['cat', 'dog'], dtype='<U3')
    """

    paper = Paper.get("nmc-cl")
    rules: ClassVar = {"metric": OneOf("euclidean", "cosine")}

    def __init__(self, metric: str = "euclidean") -> None:
        self.metric = metric

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Class of the nearest mean, of shape (n_samples,); the first in order where two are equally near."""
        data = self._check_rows(X)
        means = self.means_.astype(data.dtype)
        if self.metric == "cosine":
            return self.classes_[(unit_rows(data) @ unit_rows(means).T).argmax(axis=1)]
        return self.classes_[euclidean_distances(data, means, squared=True).argmin(axis=1)]


@claim(
    NMC, needs=("wordllama",),
    unit="accuracy over all classes after seven steps, 0 to 1", margin=0.20, seconds=60,
    says="Class means remember what a fine-tuned head forgets, when classes arrive six at a time.",
    floor="a logistic head fine-tuned on the rows of each step in turn",
    peer="linear discriminant analysis with Ledoit-Wolf shrinkage, fitted to all rows at once",
)  # fmt: skip
def forgets_nothing(seed: int) -> Trial:
    """Twenty docstrings of each of the largest packages, by a static encoder."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from codomain.tasks.shots import docstring_packages
    from codomain.tasks.steps import class_steps, fine_tune

    X, y, Q, truth = docstring_packages(seed, 20)
    steps = list(class_steps(y, seed, [6] * 7))
    ours = NMC()
    for rows in steps:
        ours.partial_fit(X[rows], y[rows])
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(X, y)
    floor = fine_tune(X, y, steps, seed, "log_loss")
    return Trial(*(float(head.score(Q, truth)) for head in (ours, floor, peer)))
