"""Classify frozen features by Gaussians that share one shrunk covariance, with the classes' names mixed in."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.classify.shared.linear import LinearHead
from codomain.core import Flag, Paper, Real, Trial, UserError, claim, unit_rows


def shrunk_precision(centred: NDArray[Any]) -> NDArray[Any]:
    r"""Return the empirical Bayes ridge estimate of a precision matrix.

    It is :math:`d\,((n-1) S + \mathrm{tr}(S) I)^{-1}` for the sample covariance :math:`S`, invertible
    however few rows there are.

    Parameters
    ----------
    centred : ndarray of shape (n_samples, n_features)
        Rows minus the mean of their class.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        In the inverse square of the unit of the rows, float64.
    """
    data = centred.astype(np.float64)
    scatter, d = data.T @ data, data.shape[1]
    spread = np.trace(scatter) / max(len(data) - 1, 1)
    # If every row equals its class mean, all directions count equally: the Euclidean metric.
    return np.asarray(d * np.linalg.inv(scatter + spread * np.eye(d))) if spread > 0 else np.eye(d)


class GDA(LinearHead):
    r"""Read features by Gaussian discriminant analysis, without training and from a few rows per class.

    With class means :math:`\mu_c` and the shared precision :math:`P`, the score of a class is
    :math:`x^\top P \mu_c - \frac12 \mu_c^\top P \mu_c`, all classes equally likely beforehand. Where the names of the
    classes have vectors :math:`t_c` in the same space, :math:`\cos(x, t_c) / \tau` is added.

    Parameters
    ----------
    normalise : bool, default=True
        Whether to scale the rows to length 1 first, as contrastive encoders expect.
    temperature : float, default=0.01
        What cosines to the classes' names are divided by, the paper's :math:`\tau`; unused without names.
    weight_of_shots : float, default=1.0
        What the Gaussian scores are multiplied by when names are mixed in, the paper's alpha; unused without names.
        The more rows there are, the smaller the estimate makes these scores: choose the weight on rows held out.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (n_classes, n_features)
        Weights of the linear score, in the inverse unit of the rows.
    intercept_ : ndarray of shape (n_classes,)
        What is added to it, without unit.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, y has one class or the names' vectors have another shape.

    References
    ----------
    Wang et al. (2024), arXiv:2402.04087.

    Examples
    --------
    >>> head = GDA(normalise=False).fit([[0.0], [2.0], [8.0], [10.0]], ["low", "low", "high", "high"])
    >>> head.predict([[4.0], [6.0]])
    array(['low', 'high'], dtype='<U4')
    """

    paper = Paper.get("gda-clip")
    rules: ClassVar = {"normalise": Flag(), "temperature": Real(0, above=True), "weight_of_shots": Real(0)}
    small: ClassVar = {"normalise": False}

    def __init__(self, normalise: bool = True, *, temperature: float = 0.01, weight_of_shots: float = 1.0) -> None:
        self.normalise = normalise
        self.temperature = temperature
        self.weight_of_shots = weight_of_shots

    def fit(self, X: ArrayLike, y: ArrayLike, names: ArrayLike | None = None) -> Self:
        """Learn from X, (n_samples, n_features), y and, in order of the classes, (n_classes, n_features) names."""
        data, which, means = self._training(X, y)
        W = means.astype(np.float64) @ shrunk_precision(data - means[which])
        bias = -0.5 * np.einsum("ij,ij->i", W, means)
        if names is not None:
            texts = np.asarray(names, dtype=np.float64)
            if texts.shape != means.shape:
                raise UserError(
                    f"names has shape {texts.shape}.",
                    needed=f"one vector for each of the sorted classes, so shape {means.shape}",
                )
            W, bias = self.weight_of_shots * W + unit_rows(texts) / self.temperature, self.weight_of_shots * bias
        self.coef_, self.intercept_ = W.astype(data.dtype), bias.astype(data.dtype)
        return self


@claim(
    GDA, needs=("wordllama",),
    unit="accuracy, 0 to 1", margin=0.02, seconds=40,
    says="Four docstrings of each package and the packages' names find the package without training a head.",
    floor="the better of logistic regression on the same rows and the names alone",
    peer="linear discriminant analysis with Ledoit-Wolf shrinkage on the same rows",
)  # fmt: skip
def needs_no_training(seed: int) -> Trial:
    """Docstrings of the largest packages of the standard library by a static encoder."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from codomain.encode import resolve
    from codomain.measure import head_accuracy
    from codomain.tasks.shots import docstring_packages

    encoder = resolve("static:wordllama")
    X, y, Q, truth = docstring_packages(seed, 4)
    packages = np.unique(y)
    names = encoder.encode(list(packages))
    by_name = float(np.mean(packages[(unit_rows(Q) @ unit_rows(names).T).argmax(axis=1)] == truth))
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(unit_rows(X), y)
    return Trial(
        ours=GDA().fit(X, y, names).score(Q, truth),
        floor=max(by_name, head_accuracy(X, y, Q, truth)),
        peer=float(peer.score(unit_rows(Q), truth)),
    )
