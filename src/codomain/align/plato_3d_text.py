"""Align two spaces in the few directions that they share, instead of in all of them."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, OneOf, Paired, Paper, Real, Trial, UserError, claim, unit_rows


class SubspaceAlignment(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Paired):
    r"""Project two spaces onto their canonical directions and match rows there.

    From pairs :math:`A, B`, centred and whitened with a penalty, canonical correlation analysis finds the directions
    :math:`U, V` in which they agree, by :math:`\tilde A^\top \tilde B = U \Sigma V^\top`. The first `n_components` of
    them are kept; there, A is mapped onto B by an affine map, or both are compared by their kernels with the pairs.

    Parameters
    ----------
    n_components : int, default=64
        Shared directions to keep; fewer when the spaces are narrower.
    matching : {"affine", "kernel"}, default="affine"
        How `scores` compares rows: by cosine after the affine map, or by the cosine between each row's centred inner
        products with its own side of the pairs.
    penalty : float, default=0.1
        Added to the variances before whitening, as a share of the mean variance.

    Attributes
    ----------
    correlations_ : ndarray of shape (n_components_,)
        Agreement along each kept direction on the pairs, 0 to 1.
    n_components_ : int
        Directions kept.

    Raises
    ------
    ValueError
        In `fit`, when the other space is missing, has other rows, or a parameter breaks its rule.

    References
    ----------
    Hadgi et al. (2025), arXiv:2503.05283.

    Examples
    --------
    >>> A = [[1.0, 5.0], [2.0, -3.0], [3.0, 4.0], [4.0, -6.0]]
    >>> B = [[-1.0], [-2.0], [-3.0], [-4.0]]
    >>> SubspaceAlignment(1).fit(A, B).match([[3.0, 0.0], [1.0, 0.0]], B)
    array([2, 0])
    """

    paper = Paper.get("plato-3d-text")
    rules: ClassVar = {"n_components": Int(1), "matching": OneOf("affine", "kernel"), "penalty": Real(0)}
    small: ClassVar = {"n_components": 2}

    def __init__(self, n_components: int = 64, *, matching: str = "affine", penalty: float = 0.1) -> None:
        self.n_components = n_components
        self.matching = matching
        self.penalty = penalty

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from pairs: row i of X, (n_pairs, n_features), is row i of y, (n_pairs, n_features_other)."""
        A, B = self._pairs(X, y, least=2)
        self._means = A.mean(axis=0), B.mean(axis=0)
        whiten_A, whiten_B = (_whitening(Z - Z.mean(axis=0), self.penalty) for Z in (A, B))
        across = whiten_A.T @ ((A - self._means[0]).T @ (B - self._means[1]) / len(A)) @ whiten_B
        U, correlations, Vt = np.linalg.svd(across, full_matrices=False)
        self.n_components_ = min(self.n_components, len(correlations))
        self.correlations_ = np.clip(correlations[: self.n_components_], 0, 1)
        self._projections = whiten_A @ U[:, : self.n_components_], whiten_B @ Vt[: self.n_components_].T
        self._known = self._project(A, 0), self._project(B, 1)
        gram = self._known[0].T @ self._known[0]
        ridge = 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram), dtype=A.dtype)
        self._affine = np.linalg.solve(gram + ridge, self._known[0].T @ self._known[1])
        self._n_features_out = self.n_components_
        return self

    def _project(self, Z: NDArray[Any], side: int) -> NDArray[Any]:
        return np.asarray((Z - self._means[side].astype(Z.dtype)) @ self._projections[side].astype(Z.dtype))

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Rows of X in the shared directions of the other space, of shape (n_samples, n_components_)."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return np.asarray(self._project(data, 0) @ self._affine.astype(data.dtype))

    def transform_other(self, Y: ArrayLike) -> NDArray[Any]:
        """Rows of the other space in the same directions, of shape (n_samples, n_components_)."""
        check_is_fitted(self)
        rows = check_array(Y, dtype=(np.float64, np.float32))
        if rows.shape[1] != len(self._means[1]):
            raise UserError(f"Y has {rows.shape[1]} columns.", needed=f"{len(self._means[1])}, as y had in fit")
        return self._project(rows, 1)

    def scores(self, X: ArrayLike, Y: ArrayLike) -> NDArray[Any]:
        """How well each row of X matches each row of Y, from -1 to 1, of shape (n_samples, n_samples_other)."""
        there = self.transform_other(Y)
        here = self.transform(X)
        if self.matching == "kernel":
            here = self._project(validate_data(self, X, reset=False, dtype=here.dtype), 0)
            here, there = (_kernel(Z, pairs) for Z, pairs in zip((here, there), self._known, strict=True))
        return np.clip(unit_rows(here) @ unit_rows(there).T, -1, 1)

    def match(self, X: ArrayLike, Y: ArrayLike) -> NDArray[np.intp]:
        """Best row of Y for each row of X, of shape (n_samples,)."""
        return np.asarray(self.scores(X, Y).argmax(axis=1), dtype=np.intp)


def _whitening(Z: NDArray[Any], penalty: float) -> NDArray[Any]:
    """Map that makes the variances of centred rows 1, or less where they are small beside the penalty."""
    values, vectors = np.linalg.eigh(Z.T @ Z / len(Z))
    values = np.maximum(values, 0) + penalty * max(float(values.mean()), 0.0)
    real = values > 1e-10 * max(float(values.max()), 1e-30)
    return np.asarray(vectors[:, real] / np.sqrt(values[real]), dtype=Z.dtype)


def _kernel(Z: NDArray[Any], pairs: NDArray[Any]) -> NDArray[Any]:
    """Inner products with the pairs, minus each one's mean over the pairs."""
    return np.asarray(unit_rows(Z) @ unit_rows(pairs).T - unit_rows(pairs) @ unit_rows(pairs).mean(axis=0))


@claim(
    SubspaceAlignment, needs=("wordllama",),
    unit="share of rows matched, 0 to 1", margin=0.05, seconds=30,
    says="In 64 shared directions two encoders' vectors of new texts find each other better than in all of them.",
    floor="the best rotation between the whole spaces", peer="ridge regression between the whole spaces, by GCV",
)  # fmt: skip
def matches_in_a_subspace(seed: int) -> Trial:
    """Docstrings by a static encoder and by TF-IDF with 256 singular directions; 1,000 pairs, 500 texts to match."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import RidgeCV

    from codomain.align.procrustes import Procrustes
    from codomain.data import frozen_docstrings
    from codomain.encode import resolve

    texts = sorted(set(frozen_docstrings()["text"].to_pylist()))
    rows = np.random.default_rng(seed).choice(len(texts), 1500, replace=False)
    some = [texts[row] for row in rows]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(some)
    A = resolve("static:wordllama").encode(some)
    B = unit_rows(TruncatedSVD(256, random_state=seed).fit_transform(words).astype(np.float32))
    old, new = slice(1000), slice(1000, None)

    def match_rate(mapped: NDArray[Any]) -> float:
        return float(np.mean((unit_rows(mapped) @ B[new].T).argmax(axis=1) == np.arange(500)))

    ours = SubspaceAlignment().fit(A[old], B[old]).match(A[new], B[new])
    return Trial(
        ours=float(np.mean(ours == np.arange(500))),
        floor=match_rate(Procrustes().fit(A[old], B[old]).transform(A[new])),
        peer=match_rate(RidgeCV(np.logspace(-3, 3, 13)).fit(A[old], B[old]).predict(A[new])),
    )
