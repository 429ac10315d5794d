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

    Notes
    -----
    Checked against the authors' code (Pauljanson002/pretrained-cl): the mean of each class, frozen features and the
    nearest mean by Euclidean distance are the whole of the method. That code scales features to length 1 before it
    takes means; here that is up to the caller, and the claim's features have length 1. The paper's encoder is a vision
    transformer and its classes those of CIFAR-100 in ten steps and of CoRe50; the claim has ten steps as well. Its
    rivals train prompts inside that transformer; here the rival trains a head on the same frozen features and may store
    rows. Second reading: with shuffled labels ours falls from .377 to .021, chance, on 43 topics of 20 rows. Where a
    mean forgets its earlier rows at each batch the claim does not change (.360, floor .258): a topic arrives in one
    batch, so the claim does not test means that are updated. The rival's head on all rows at once reaches .324 there:
    part of the gap is the head, not forgetting.

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
    NMC, needs=("wordllama", "wordnet-base"),
    unit="accuracy over all topics after ten steps, 0 to 1", margin=0.015, seconds=60,
    says="Class means of frozen features beat a head that is fine-tuned step by step and rehearses stored rows.",
    premise="a head fine-tuned step by step without rehearsal loses accuracy to the same head on all rows at once",
    least=0.1,
    floor="a logistic head fine-tuned step by step with five stored rows of each earlier class, more than NMC stores",
    peer="linear discriminant analysis with Ledoit-Wolf shrinkage, fitted to all rows at once",
)  # fmt: skip
def forgets_nothing(seed: int) -> Trial:
    """Glosses of 41 topics of WordNet by a static encoder, 20 of each to learn; topics arrive in ten steps."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from codomain.tasks.steps import class_steps, fine_tune
    from codomain.tasks.topics import gloss_topics

    X, y, Q, truth = gloss_topics(seed, 20, 100)
    steps = list(class_steps(y, seed, [5] + [4] * 9))
    ours = NMC()
    for rows in steps:
        ours.partial_fit(X[rows], y[rows])
    right = [
        head.predict(Q) == truth
        for head in (
            ours,
            fine_tune(X, y, steps, seed, "log_loss", n_stored=5),
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(X, y),
            fine_tune(X, y, [np.arange(len(y))], seed, "log_loss"),
            fine_tune(X, y, steps, seed, "log_loss"),
        )
    ]
    at_once, forgetful = (float(part.mean()) for part in right[3:])
    return Trial(  # type: ignore[misc]
        *right[:3], chance=1 / len(ours.classes_), premise=at_once - forgetful,
        also={
            "accuracy of the logistic head on all rows at once": at_once,
            "accuracy of the head fine-tuned without rehearsal": forgetful,
        },
    )  # fmt: skip
