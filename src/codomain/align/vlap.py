"""Map one space into another by predicting which words each row's partner is assigned to."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import (
    Int,
    Paired,
    Paper,
    Real,
    Seed,
    Trial,
    UserError,
    claim,
    descend,
    need,
    sinkhorn,
    unit_rows,
)


class VLAP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Paired):
    r"""A linear layer into a space of word vectors, learned by assignment prediction.

    Partners :math:`y_i` are assigned to word vectors :math:`w_j` by optimal transport that uses all words evenly, which
    gives shares :math:`q_{ij}`. The layer :math:`W` is trained so that
    :math:`\mathrm{softmax}_j(\cos(W x_i, w_j) / \tau)` predicts them. The partners' space is frozen, so the other
    direction, from a partner to the words of :math:`x_i`, has nothing to learn here.

    Parameters
    ----------
    n_words : int, default=512
        Rows of y drawn as words when `fit` is given none; fewer when y has fewer.
    temperature : float, default=0.05
        The tau above, in units of cosine; the transport uses it too.
    epochs : int, default=60
        Passes over the pairs.
    learning_rate : float, default=0.01
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the words drawn, of the layer's start and of the order of the pairs.

    Attributes
    ----------
    weights_ : ndarray of shape (n_features, n_features_out)
        The layer, applied to rows at length 1.
    words_ : ndarray of shape (n_words_, n_features_out)
        Word vectors at length 1.
    losses_ : ndarray of shape (epochs,)
        Mean cross-entropy of each pass, in nats.

    Raises
    ------
    ValueError
        In `fit`, when the other space is missing, has other rows, or a parameter breaks its rule.

    References
    ----------
    Park et al. (2024), arXiv:2404.09632.

    Examples
    --------
    >>> A = np.eye(4, dtype=np.float32)
    >>> B = np.roll(A, 1, axis=1)
    >>> VLAP(epochs=200, random_state=0).fit(A, B).transform(A).argmax(axis=1)
    array([1, 2, 3, 0])
    """

    paper = Paper.get("vlap")
    rules: ClassVar = {
        "n_words": Int(2), "temperature": Real(1e-3), "epochs": Int(1), "learning_rate": Real(1e-6),
        "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"epochs": 5, "random_state": 0}

    def __init__(
        self, n_words: int = 512, *, temperature: float = 0.05, epochs: int = 60, learning_rate: float = 0.01,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_words = n_words
        self.temperature = temperature
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, *, words: ArrayLike | None = None) -> Self:
        """Learn from pairs.

        Parameters
        ----------
        X : array-like of shape (n_pairs, n_features)
            Rows to map.
        y : array-like of shape (n_pairs, n_features_out)
            Their partners in the space of the words; row i meets row i.
        words : array-like of shape (n_words, n_features_out), default=None
            Word vectors; None draws rows of y instead.
        """
        A, B = self._pairs(X, y)
        B = unit_rows(B)
        rng = check_random_state(self.random_state)
        drawn = B[np.sort(rng.choice(len(B), min(self.n_words, len(B)), replace=False))] if words is None else words
        self.words_ = unit_rows(check_array(drawn, dtype=A.dtype, input_name="words"))
        if self.words_.shape[1] != B.shape[1]:
            raise UserError(f"words are {self.words_.shape[1]} wide and y {B.shape[1]}.", needed="one width")
        shares = sinkhorn(B @ self.words_.T, temperature=self.temperature)
        shares = shares / shares.sum(axis=1, keepdims=True)
        self.weights_, self.losses_ = self._learn(unit_rows(A), shares, rng)
        self._n_features_out = B.shape[1]
        return self

    def _learn(
        self, A: NDArray[Any], shares: NDArray[Any], rng: np.random.RandomState
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        torch = need("torch", "torch")
        rows, targets, words = (torch.from_numpy(np.ascontiguousarray(Z)) for Z in (A, shares, self.words_))
        start = rng.standard_normal((A.shape[1], words.shape[1])) / np.sqrt(A.shape[1])
        weights = torch.nn.Parameter(torch.from_numpy(start.astype(A.dtype)))

        def loss(some: Any) -> Any:
            mapped = torch.nn.functional.normalize(rows[some] @ weights, dim=1)
            log_shares = torch.log_softmax(mapped @ words.T / self.temperature, dim=1)
            return -(targets[some] * log_shares).sum(dim=1).mean()

        losses = descend(
            loss, [weights], len(A), epochs=self.epochs, learning_rate=self.learning_rate, random_state=rng
        )
        return weights.detach().numpy(), np.array(losses, dtype=A.dtype)

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Rows of X in the space of the words, at length 1, of shape (n_samples, n_features_out)."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return unit_rows(unit_rows(data) @ self.weights_.astype(data.dtype))

    def read(self, X: ArrayLike, n_candidates: int = 5) -> NDArray[np.intp]:
        """Numbers of the words nearest to each row, best first, of shape (n_samples, n_candidates)."""
        scores = self.transform(X) @ self.words_.T.astype(np.float32)
        return np.argsort(-scores, axis=1, kind="stable")[:, :n_candidates]


@claim(
    VLAP, needs=("torch", "wordllama"),
    unit="share of rows matched, 0 to 1", margin=0.02, seconds=40,
    says="A linear layer learned by assignment to words finds more partners of new texts than one learned by squares.",
    floor="a linear layer by ridge regression, penalty by generalised cross-validation",
    peer="the same linear layer learned by InfoNCE on the same pairs",
)  # fmt: skip
def finds_partners(seed: int) -> Trial:
    """Docstrings by TF-IDF with 256 singular directions into a static encoder's word space; 1,000 pairs, 500 new."""
    from collections import Counter

    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import RidgeCV

    from codomain.data import frozen_docstrings
    from codomain.encode import resolve

    torch = need("torch", "torch")
    texts = sorted(set(frozen_docstrings()["text"].to_pylist()))
    some = [texts[row] for row in np.random.default_rng(seed).choice(len(texts), 1500, replace=False)]
    vectors = TfidfVectorizer(sublinear_tf=True, min_df=2)
    A = unit_rows(TruncatedSVD(256, random_state=seed).fit_transform(vectors.fit_transform(some)).astype(np.float32))
    encoder = resolve("static:wordllama")
    B = unit_rows(encoder.encode(some))
    known = set(vectors.get_feature_names_out())
    common = Counter(word for text in some[:1000] for word in text.lower().split() if word in known).most_common(512)
    words = encoder.encode([word for word, _ in common])
    old, new = slice(1000), slice(1000, None)

    def match_rate(mapped: NDArray[Any]) -> float:
        return float(np.mean((unit_rows(mapped) @ B[new].T).argmax(axis=1) == np.arange(500)))

    rows, partners = torch.from_numpy(A[old]), torch.from_numpy(B[old])
    start = np.random.RandomState(seed).standard_normal((256, 256)) / 16
    layer = torch.nn.Parameter(torch.from_numpy(start.astype(np.float32)))

    def contrastive_loss(some: Any) -> Any:
        mapped = torch.nn.functional.normalize(rows[some] @ layer, dim=1)
        return torch.nn.functional.cross_entropy(mapped @ partners[some].T / 0.05, torch.arange(len(some)))

    descend(contrastive_loss, [layer], 1000, epochs=60, learning_rate=0.01, random_state=seed)
    return Trial(
        ours=match_rate(VLAP(random_state=seed).fit(A[old], B[old], words=words).transform(A[new])),
        floor=match_rate(RidgeCV(np.logspace(-2, 2, 9)).fit(A[old], B[old]).predict(A[new])),
        peer=match_rate(A[new] @ layer.detach().numpy()),
    )
