"""Learn what a difference in one space does in another, and apply it to differences of another kind of item."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.align.shared.compatible import learn, run_net, start_net
from codomain.core import Int, Paired, Paper, Real, Seed, Trial, UserError, claim, need


def _difference(here: Any, there: Any) -> Any:
    """Return what the net reads about a row's partner."""
    return there - here


class DeltaEdit(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Paired):
    r"""A net from differences of features to differences of codes.

    Trained on random pairs of rows, a net predicts :math:`y_j - y_i` from :math:`x_i` and :math:`x_j - x_i`; the loss
    is the squared error plus one minus the cosine. Where images and texts share a space but lie apart in it, their
    differences agree, so a net trained on images alone can be used with the difference of two texts. The paper's net
    reads :math:`y_i` too and has a branch for each level of its generator; this one is for codes without levels. Not
    in the paper: its constants.

    Parameters
    ----------
    n_hidden : int, default=128
        Units of the net's hidden layer.
    epochs : int, default=60
        Passes over the rows, each with a new partner.
    learning_rate : float, default=0.003
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the weights' start, of the pairs and of their order.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of the rows, from which `transform` starts.
    spread_ : float
        Usual distance of a code from the mean code, the unit of what the net predicts.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass: squared error in units of spread_, plus one minus the cosine.

    Raises
    ------
    ValueError
        In `fit`, when the codes are missing, have other rows, or a parameter breaks its rule.

    References
    ----------
    Lyu et al. (2023), arXiv:2310.08785.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> fitted = DeltaEdit(epochs=100, random_state=0).fit(X, X[:, ::-1])
    >>> fitted.move([[0.0, 0.0]], before=[[9.0, 5.0]], after=[[10.0, 5.0]]).round() + 0.0
    array([[0., 1.]])
    """

    paper = Paper.get("deltaedit")
    rules: ClassVar = {"n_hidden": Int(1), "epochs": Int(1), "learning_rate": Real(1e-6), "random_state": Seed()}
    small: ClassVar = {"n_hidden": 8, "epochs": 3, "random_state": 0}
    partner = "the codes"

    def __init__(
        self, n_hidden: int = 128, *, epochs: int = 60, learning_rate: float = 0.003, random_state: Any = None
    ) -> None:
        self.n_hidden = n_hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from rows of X, (n_samples, n_features), and their codes y, (n_samples, n_features_out)."""
        data, codes = self._pairs(X, y)
        self.mean_ = data.mean(axis=0)
        self.spread_ = float(np.sqrt(np.square(codes - codes.mean(axis=0)).sum(axis=1).mean())) or 1.0
        self._net, self.losses_ = self._learn(data, codes / codes.dtype.type(self.spread_))
        self._n_features_out = codes.shape[1]
        return self

    def _learn(
        self, X: NDArray[Any], codes: NDArray[Any], read: Callable[[Any, Any], Any] = _difference
    ) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
        torch = need("torch", "torch")
        rng = check_random_state(self.random_state)
        rows, targets = torch.from_numpy(np.array(X)), torch.from_numpy(codes)

        def loss(net: Any, here: Any) -> Any:
            there = torch.from_numpy(rng.randint(len(X), size=len(here)))
            predicted = run_net(net, torch.hstack([rows[here], read(rows[here], rows[there])]))
            wanted = targets[there] - targets[here]
            similarity = torch.nn.functional.cosine_similarity(predicted, wanted, dim=1)
            return ((predicted - wanted) ** 2).sum(dim=1).mean() + (1 - similarity).mean()

        start = start_net(np.hstack([X, read(X, X[rng.permutation(len(X))])]), self.n_hidden, codes.shape[1], rng)
        return learn(loss, start, len(X), epochs=self.epochs, learning_rate=self.learning_rate, rng=rng)

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Predict what a difference does to a code, starting at the mean row, of shape (n_samples, n_features_out)."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return self._predict(np.broadcast_to(self.mean_.astype(data.dtype), data.shape), data)

    def move(self, X: ArrayLike, before: ArrayLike, after: ArrayLike) -> NDArray[Any]:
        """Predict how codes change.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows as in training, whose codes are to change.
        before, after : array-like of shape (n_samples, n_features)
            Two items of any one kind, such as texts that describe the row as it is and as it should be.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            What to add to the code of each row.
        """
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        one = check_array(before, dtype=data.dtype, input_name="before")
        two = check_array(after, dtype=data.dtype, input_name="after")
        if one.shape != data.shape or two.shape != data.shape:
            raise UserError(f"before is {one.shape} and after {two.shape}.", needed=f"{data.shape} both, as X")
        return self._predict(data, two - one)

    def _predict(self, source: NDArray[Any], difference: NDArray[Any]) -> NDArray[Any]:
        predicted = run_net(self._net, np.hstack([source, difference]))
        return np.asarray(predicted * self.spread_, dtype=difference.dtype)


@claim(
    DeltaEdit, needs=("torch", "wordllama"),
    unit="cosine between predicted and true change, -1 to 1", margin=0.02, seconds=60,
    says="Trained on prose alone, differences of signatures tell how codes change better than signatures do.",
    floor="the same net trained on the partner itself instead of the difference",
    peer="ridge regression from features to codes, each kind's mean taken off first",
)  # fmt: skip
def is_asked_with_another_kind(seed: int) -> Trial:
    """Docstrings, their signatures and TF-IDF codes of 64 directions; 800 to learn from, 400 pairs of 400 others."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import RidgeCV

    from codomain.data import frozen_docstrings
    from codomain.encode import resolve

    table = frozen_docstrings(80).select(["module", "name", "signature", "text"]).to_pylist()
    items = [table[row] for row in np.random.default_rng(seed).choice(len(table), 1200, replace=False)]
    prose = [item["text"] for item in items]
    encoder = resolve("static:wordllama")
    X = encoder.encode(prose)
    signatures = encoder.encode([f"{item['module']} {item['name']} {item['signature']}" for item in items])
    words = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(prose)
    codes = TruncatedSVD(64, random_state=seed).fit_transform(words).astype(np.float32)
    old, here = slice(800), np.arange(800, 1200)
    there = np.roll(here, 1)
    true = codes[there] - codes[here]

    def mean_cosine(predicted: NDArray[Any]) -> float:
        lengths = np.linalg.norm(predicted, axis=1) * np.linalg.norm(true, axis=1)
        return float(np.mean((predicted * true).sum(axis=1) / np.maximum(lengths, 1e-12)))

    fitted = DeltaEdit(random_state=seed).fit(X[old], codes[old])
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(X[old], codes[old])
    naive, _ = DeltaEdit(random_state=seed)._learn(X[old], codes[old] / fitted.spread_, read=lambda here, there: there)
    partner = signatures[there] - signatures.mean(axis=0) + X[old].mean(axis=0)
    return Trial(
        ours=mean_cosine(fitted.move(X[here], signatures[here], signatures[there])),
        floor=mean_cosine(run_net(naive, np.hstack([X[here], signatures[there]]))),
        peer=mean_cosine(ridge.predict(partner) - ridge.predict(X[here])),
    )
