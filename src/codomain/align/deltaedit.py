"""Learn what a difference in one space does in another, and apply it to differences of another kind of item."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.align.shared.compatible import learn, run_net, start_net
from codomain.core import Int, Paired, Paper, Real, Seed, Trial, UserError, claim, need, unit_rows


def change_loss(predicted: Any, true: Any) -> Any:
    """Mean squared error of each row's change plus one minus its cosine; torch tensors of shape (n, d)."""
    similarity = need("torch", "torch").nn.functional.cosine_similarity(predicted, true, dim=1)
    return ((predicted - true) ** 2).sum(dim=1).mean() + (1 - similarity).mean()


class DeltaEdit(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Paired):
    r"""A net from differences of features to differences of codes.

    Trained on random pairs of rows, a net predicts :math:`y_j - y_i` from the code :math:`y_i`, the features
    :math:`x_i` and the direction of :math:`x_j - x_i`, features and direction at length 1; the loss is the squared
    error plus one minus the cosine. Where images and texts share a space but lie apart in it, their differences agree,
    so a net trained on images alone can be used with the difference of two texts.

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
        Mean of the rows at length 1, from which `transform` starts.
    code_mean_ : ndarray of shape (n_features_out,)
        Mean of the codes.
    spread_ : float
        Usual distance of a code from the mean code, the unit of what the net reads and predicts.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass: squared error in units of spread_, plus one minus the cosine.

    Raises
    ------
    ValueError
        In `fit`, when the codes are missing, have other rows, or a parameter breaks its rule.

    Notes
    -----
    Checked against the authors' code (Yueming6568/DeltaEdit): features at length 1, differences at length 1 again, the
    code of the row as a third input, random partners, squared error and one minus the cosine with equal weights. There
    the squared error is the mean over the code's numbers in their own unit, and three branches of three nets with four
    layers each serve the levels of an image generator; here it is the sum in units of `spread_`, and one net with one
    hidden layer for codes without levels. Not in the paper: this net's constants.

    Second reading: inputs, both losses and their equal weights as published. The code is an input, so the way from it
    to the mean code is a guess that needs no direction, and by cosine it scores .680 with seed 0; the claim gave 0 as
    chance and now gives that guess. Only reasoned about: with the codes shuffled in training no more can be learnt.

    References
    ----------
    Lyu et al. (2023), arXiv:2310.08785.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> X /= np.linalg.norm(X, axis=1, keepdims=True)
    >>> fitted = DeltaEdit(epochs=100, random_state=0).fit(X, X[:, ::-1])
    >>> move = fitted.move(X[:1], X[:1, ::-1], before=[[1.0, 0.0, 0.0]], after=[[0.0, 1.0, 0.0]])
    >>> int(move.argmin()), int(move.argmax())
    (2, 1)
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
        data = unit_rows(data)
        self.mean_, self.code_mean_ = data.mean(axis=0), codes.mean(axis=0)
        self.spread_ = float(np.sqrt(np.square(codes - self.code_mean_).sum(axis=1).mean())) or 1.0
        scaled = ((codes - self.code_mean_) / codes.dtype.type(self.spread_)).astype(data.dtype)
        torch = need("torch", "torch")
        rng = check_random_state(self.random_state)
        rows, targets = torch.from_numpy(data), torch.from_numpy(scaled)

        def read(here: Any, there: Any) -> Any:
            direction = torch.nn.functional.normalize(rows[there] - rows[here], dim=1)
            return torch.hstack([targets[here], rows[here], direction])

        def loss(net: Any, here: Any) -> Any:
            there = torch.from_numpy(rng.randint(len(data), size=len(here)))
            return change_loss(run_net(net, read(here, there)), targets[there] - targets[here])

        first = read(torch.arange(len(data)), torch.from_numpy(rng.permutation(len(data)))).numpy()
        start = start_net(first, self.n_hidden, codes.shape[1], rng)
        self._net, self.losses_ = learn(
            loss, start, len(data), epochs=self.epochs, learning_rate=self.learning_rate, rng=rng
        )
        self._n_features_out = codes.shape[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Predict how the mean code changes from the mean row towards rows of X, shape (n_samples, n_features_out)."""
        check_is_fitted(self)
        data: NDArray[Any] = unit_rows(validate_data(self, X, reset=False, dtype=(np.float64, np.float32)))
        mean = np.broadcast_to(self.mean_.astype(data.dtype), data.shape)
        codes = np.zeros((len(data), self._n_features_out), data.dtype)
        return self._predict(codes, mean, data - mean)

    def move(self, X: ArrayLike, codes: ArrayLike, before: ArrayLike, after: ArrayLike) -> NDArray[Any]:
        """Predict how codes change.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows as in training, whose codes are to change; lengths do not matter.
        codes : array-like of shape (n_samples, n_features_out)
            Their codes.
        before, after : array-like of shape (n_samples, n_features)
            Two items of any one kind, such as texts that describe the row as it is and as it should be; lengths do not
            matter.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            What to add to the code of each row.
        """
        check_is_fitted(self)
        data: NDArray[Any] = unit_rows(validate_data(self, X, reset=False, dtype=(np.float64, np.float32)))
        now = check_array(codes, dtype=data.dtype, input_name="codes")
        one = unit_rows(check_array(before, dtype=data.dtype, input_name="before"))
        two = unit_rows(check_array(after, dtype=data.dtype, input_name="after"))
        if one.shape != data.shape or two.shape != data.shape:
            raise UserError(f"before is {one.shape} and after {two.shape}.", needed=f"{data.shape} both, as X")
        if now.shape != (len(data), self._n_features_out):
            raise UserError(f"codes is {now.shape}.", needed=f"{(len(data), self._n_features_out)}")
        return self._predict(
            (now - self.code_mean_.astype(data.dtype)) / data.dtype.type(self.spread_), data, two - one
        )

    def _predict(self, codes: NDArray[Any], source: NDArray[Any], difference: NDArray[Any]) -> NDArray[Any]:
        predicted = run_net(self._net, np.hstack([codes, source, unit_rows(difference)]))
        return np.asarray(predicted * self.spread_, dtype=difference.dtype)


@claim(
    DeltaEdit, needs=("torch", "wordllama", "wordnet-base"),
    unit="cosine between predicted and true change, -1 to 1", margin=0.02, rows="same", seconds=60,
    says="Trained on definitions alone, differences of words tell how codes change better than words themselves do.",
    premise="Differences of the two kinds of view agree more than the views, by cosine, by so much.", least=0.02,
    floor="the same net trained on the partner itself instead of the direction to it",
    peer="ridge regression from features to codes, each kind's mean taken off first",
)  # fmt: skip
def is_asked_with_another_kind(seed: int) -> Trial:
    """WordNet's nouns in a space learned by contrast: definitions with their codes to learn from, words to ask with.

    8,000 nouns to learn from, 2,000 changes between 2,000 others. Tried as well, for the premise alone: descriptions
    and summaries of Debian's packages in such a space, with temperatures of 0.01 and 0.07. The kinds of view, which lie
    apart in CLIP, have a common mean after training or none, and so no gap.
    """
    from sklearn.linear_model import RidgeCV

    from codomain.tasks.two_views import two_views

    torch = need("torch", "torch")
    old, new = two_views(seed)
    here = np.arange(len(new.codes))
    there = np.roll(here, 1)
    true = new.codes[there] - new.codes[here]
    fitted = DeltaEdit(epochs=20, random_state=seed).fit(old.definitions, old.codes)
    rng = np.random.RandomState(seed)
    middle, spread = fitted.code_mean_, np.float32(fitted.spread_)
    rows, codes = torch.from_numpy(old.definitions), torch.from_numpy((old.codes - middle) / spread)

    def loss(net: Any, some: Any) -> Any:
        partner = torch.from_numpy(rng.randint(len(rows), size=len(some)))
        return change_loss(
            run_net(net, torch.hstack([codes[some], rows[some], rows[partner]])), codes[partner] - codes[some]
        )

    first = np.hstack([codes, rows, rows[rng.permutation(len(rows))]])
    start = start_net(first, fitted.n_hidden, codes.shape[1], rng)
    naive, _ = learn(loss, start, len(rows), epochs=20, learning_rate=fitted.learning_rate, rng=rng)
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(old.definitions, old.codes)
    partner = new.words[there] - old.words.mean(axis=0) + old.definitions.mean(axis=0)

    def cosines(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((unit_rows(one) * unit_rows(two)).sum(axis=1))

    differences = cosines(new.definitions[there] - new.definitions[here], new.words[there] - new.words[here]).mean()
    views = cosines(new.definitions, new.words).mean()
    asked = np.hstack([(new.codes - middle) / spread, new.definitions, new.words[there]])
    return Trial(
        ours=cosines(fitted.move(new.definitions, new.codes, new.words[here], new.words[there]), true),
        floor=cosines(run_net(naive, asked), true),
        peer=cosines(ridge.predict(partner) - ridge.predict(new.definitions), true),
        chance=float(cosines(middle - new.codes, true).mean()),
        premise=float(differences - views),
        also={
            "cosine of differences": differences, "cosine of views": views,
            "ours asked with definitions": cosines(
                fitted.move(new.definitions, new.codes, new.definitions[here], new.definitions[there]), true
            ).mean(),
        },
    )  # fmt: skip
