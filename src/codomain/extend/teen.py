"""Add classes of a few rows by drawing their prototypes towards those of well-known classes."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from codomain.core import Paper, Real, Trial, claim, unit_rows
from codomain.extend.shared.means import GrowingHead


class TEEN(GrowingHead):
    r"""Predict the most similar prototype by cosine; those of new classes are calibrated without training.

    Classes of the first call are the base. A class that comes later has too few rows for its mean :math:`c`, which is
    therefore mixed with the base means :math:`c_b` that it resembles:
    :math:`\alpha c + (1 - \alpha) \sum_b s_b c_b`, where :math:`s` is the softmax over the base of
    :math:`\tau \cos(c, c_b)`. Base prototypes stay plain means.

    Parameters
    ----------
    weight_of_base : float, default=0.5
        Share of the base in a new prototype, the paper's :math:`1 - \alpha`, 0 to 1.
    temperature : float, default=0.0625
        What cosines are divided by, the paper's :math:`1 / \tau`, above 0.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes met so far, sorted.
    is_base_ : ndarray of shape (n_classes,)
        Whether a class was in the first call.
    means_ : ndarray of shape (n_classes, n_features)
        Mean of each, in the unit of X.
    counts_ : ndarray of shape (n_classes,)
        Rows of each so far.
    prototypes_ : ndarray of shape (n_classes, n_features)
        Means of base classes and calibrated means of new ones, in the unit of X.
    memory_bytes_ : int
        Bytes the head must keep: means, counts, which are base; prototypes follow from these.

    Raises
    ------
    ValueError
        In `fit` and `partial_fit`, when a parameter breaks its rule or labels change from numbers to words.

    References
    ----------
    Wang et al. (2023), arXiv:2312.05229.

    Examples
    --------
    >>> head = TEEN().fit([[1.0, 0.0], [0.0, 1.0]], ["cat", "dog"]).partial_fit([[-1.0, 0.0]], ["emu"])
    >>> head.prototypes_.round(3)
    array([[ 1. ,  0. ],
           [ 0. ,  1. ],
           [-0.5,  0.5]])
    """

    paper = Paper.get("teen")
    is_base_: NDArray[np.bool_]
    rules: ClassVar = {"weight_of_base": Real(0, 1), "temperature": Real(0, above=True)}

    def __init__(self, weight_of_base: float = 0.5, *, temperature: float = 0.0625) -> None:
        self.weight_of_base = weight_of_base
        self.temperature = temperature

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Class of the prototype with the highest cosine, of shape (n_samples,)."""
        data = self._check_rows(X)
        return self.classes_[(unit_rows(data) @ unit_rows(self.prototypes_).T.astype(data.dtype)).argmax(axis=1)]

    def _update(self, data: NDArray[Any], which: NDArray[np.intp], is_new: NDArray[np.bool_]) -> None:
        """Remember which classes are base and calibrate the others."""
        base = np.ones(len(self.classes_), dtype=bool)
        if not is_new.all():
            base = np.zeros_like(base)
            base[~is_new] = self.is_base_
        self.is_base_ = base
        directions = unit_rows(self.means_)
        similarity = softmax(directions[~base] @ directions[base].T / self.temperature, axis=1)
        self.prototypes_ = self.means_.copy()
        self.prototypes_[~base] += self.weight_of_base * (similarity @ self.means_[base] - self.means_[~base])

    def _memory_bytes(self) -> int:
        """Add the bytes of `is_base_`."""
        return super()._memory_bytes() + self.is_base_.nbytes


@claim(
    TEEN, needs=("wordllama",),
    unit="harmonic mean of the accuracies on base and on new classes, 0 to 1", margin=0.01, seconds=60,
    says="Leaning on base classes helps classes of five rows more than it hurts the base.",
    floor="plain class means, by cosine",
    peer="linear discriminant analysis with Ledoit-Wolf shrinkage, fitted to all rows at once",
)  # fmt: skip
def leans_on_the_base(seed: int) -> Trial:
    """Docstrings: 30 packages of twenty rows, then the other ones of five rows, four packages at a time."""
    from scipy.stats import hmean
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from codomain.extend import NMC
    from codomain.tasks.shots import docstring_packages
    from codomain.tasks.steps import class_steps

    X, y, Q, truth = docstring_packages(seed, 20)
    first, *later = class_steps(y, seed, [30, 4, 4, 4])
    few = [np.concatenate([rows[y[rows] == name][:5] for name in np.unique(y[rows])]) for rows in later]
    ours, floor = TEEN(), NMC("cosine")
    for rows in (first, *few):
        ours.partial_fit(X[rows], y[rows])
        floor.partial_fit(X[rows], y[rows])
    seen = np.concatenate([first, *few])
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(X[seen], y[seen])
    base = np.isin(truth, y[first])
    right = [head.predict(Q) == truth for head in (ours, floor, peer)]
    return Trial(*(float(hmean([part[base].mean(), part[~base].mean()])) for part in right))
