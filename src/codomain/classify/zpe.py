"""Weight the templates that a class's name is put into by how well they fit unlabelled rows."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from codomain.classify.shared.by_words import WordsHead
from codomain.core import Paper, Real, UserError, no_claim


class ZPE(WordsHead):
    r"""Average the templates of each class with weights that unlabelled rows give, without a label.

    With template :math:`t` the cosine of row :math:`z` to class :math:`c` is :math:`l_{tzc}`. A template near to
    all rows, or a class that it favours, would score high for no reason, so the mean over rows is subtracted:
    :math:`s_t = \frac{1}{n} \sum_z \max_c (l_{tzc} - E_{tc})`, weights are the softmax of :math:`s_t / \tau`.
    :math:`E_{tc}` is the mean over the rows or, with `background` rows that stand for what the encoder was trained on,
    halfway between the two means. A class's score is the weighted mean of its cosines.

    Parameters
    ----------
    temperature : float, default=0.01
        What the templates' scores are divided by, above 0, as published; larger is nearer to equal weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, sorted.
    descriptions_ : ndarray of shape (n_descriptions, n_features)
        The rows of X, one for each class in each template, at length 1.
    description_classes_ : ndarray of shape (n_descriptions,)
        The class of each.
    templates_ : ndarray of shape (n_templates,)
        Templates, sorted.
    template_scores_ : ndarray of shape (n_templates,)
        Score of each as above, in units of a cosine; zeros when no rows were given.
    template_weights_ : ndarray of shape (n_templates,)
        Weights, which sum to 1.
    prototypes_ : ndarray of shape (n_classes, n_features)
        Weighted means of each class's templates, without unit.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, y has one class or other arrays do not fit X.

    Notes
    -----
    Checked against the authors' code (google/uncertainty-baselines, the notebook of results): vectors of length 1, the
    subtracted mean, halfway between rows and background, the mean over rows of the largest score, and the softmax of
    these, whose scores are a hundred cosines there, agree. The notebook also shows weights equal to the scores and a
    choice of templates by their distance to the median, which are left out.
    Second reading: that no encoder of pictures and captions is here is true and reason enough; that no template was
    better than the mean is too strong. The pool is not kept, so another was tried: 20 templates around names of WordNet
    nouns, averaged word vectors, seeds 0 and 1, 2,576 rows each. The mean of all gets .175 and .162, the best single
    template .179 and .170, the weights .174 and .167: there is little to gain, not nothing (an error of some .006 is
    expected from the number of rows). With the sign of the scores swapped they get .169 and .156.

    References
    ----------
    Allingham et al. (2023), arXiv:2302.06235.

    Examples
    --------
    >>> X = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.1, 0.0, 1.0], [0.0, 0.1, 1.0]]
    >>> head = ZPE().fit(X, ["cat", "dog", "cat", "dog"], rows=[[3.0, 1.0, 0.0], [1.0, 2.0, 0.0]])
    >>> head.template_weights_.round(3)
    array([1., 0.])
    """

    paper = Paper.get("zpe")
    rules: ClassVar = {"temperature": Real(0, above=True)}
    claim: ClassVar = no_claim(
        "The templates are for encoders of pictures and captions, of which none is here; with encoders of texts alone "
        "the best of twenty templates is better than their mean by less than a hundredth, so that weights gain nothing."
    )

    def __init__(self, temperature: float = 0.01) -> None:
        self.temperature = temperature

    def fit(
        self, X: ArrayLike, y: ArrayLike, templates: ArrayLike | None = None, rows: ArrayLike | None = None,
        background: ArrayLike | None = None,
    ) -> Self:  # fmt: skip
        """Weight X, a vector per class y and template, by unlabelled rows of shape (n_samples, n_features).

        Without `templates`, of shape (n_descriptions,), the first row of each class is of template 0 and so on; without
        `rows` all templates have the same weight.
        """
        which = self._keep_descriptions(X, y)
        names = _count_earlier(which) if templates is None else np.asarray(templates)
        if names.shape != which.shape:
            raise UserError(f"templates has shape {names.shape}.", needed=f"one for each of {len(which)} rows of X")
        self.templates_, of = np.unique(names, return_inverse=True)
        scores = np.zeros(len(self.templates_), dtype=self.descriptions_.dtype)
        if rows is not None:
            seen = self._check_vectors(rows, "rows")
            other = seen if background is None else self._check_vectors(background, "background")
            # The mean of cosines to a vector is the cosine to the mean: no need for all of them.
            usual = (seen.mean(axis=0) + other.mean(axis=0)) / 2
            for number in range(len(scores)):
                descriptions = self.descriptions_[of == number].T
                scores[number] = (seen @ descriptions - usual @ descriptions).max(axis=1).mean()
        self.template_scores_ = scores
        self.template_weights_ = softmax(scores / self.temperature).astype(scores.dtype)
        shares = np.zeros((len(self.classes_), len(which)), dtype=scores.dtype)
        # Relative to the class's own best template, so that no class is left without weight.
        best = np.full(len(self.classes_), -np.inf)
        np.maximum.at(best, which, scores[of])
        shares[which, np.arange(len(which))] = np.exp((scores[of] - best[which]) / self.temperature)
        self.prototypes_ = shares / shares.sum(axis=1, keepdims=True) @ self.descriptions_
        return self


def _count_earlier(which: NDArray[np.intp]) -> NDArray[np.intp]:
    """Count for each row the earlier rows of the same class."""
    order = np.argsort(which, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(which))])
    turns = np.empty_like(which)
    turns[order] = np.arange(len(which)) - starts[which[order]]
    return turns
