"""Classify sets of tokens by the covariances of their features and by their mean."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.classify.shared.linear import LinearHead
from codomain.core import Int, Paper, Real, Seed, Trial, UserError, claim, descend, need


def both_moments(tokens: Any, left: Any, right: Any, kernel: Any) -> Any:
    """Return the means of tokens (n, n_tokens, d), then their convolved cross-covariances, as one tensor (n, ...)."""
    torch = need("torch", "torch")
    means = tokens.mean(dim=1)
    strays = tokens - means[:, None]
    A, B = (torch.einsum("nti,hij->nhtj", strays, projection) for projection in (left, right))
    covariances = A.transpose(2, 3) @ B / tokens.shape[1]  # (n, n_heads, width, width)
    fewer = torch.nn.functional.conv2d(covariances, kernel, stride=2, padding=1)
    return torch.cat([means, fewer.flatten(1)], dim=1)


class MomentProbing(LinearHead):
    r"""A linear head on the mean of a row's tokens and on learned cross-covariances of them.

    A row is cut into tokens :math:`x_1 \dots x_n`. Each head :math:`h` has two projections and gives the matrix
    :math:`\frac1n \sum_t A_h^\top (x_t - \bar x)(x_t - \bar x)^\top B_h`; a convolution over these matrices, the heads
    being its channels, makes them smaller. Mean and matrices feed one linear layer, and everything is trained together.
    Not in the paper: the kernel of 3 by 3 and its step of 2. The paper's recalibration inside the backbone is
    `RecalibratedProbing`.

    Parameters
    ----------
    n_parts : int, default=8
        Tokens of a row: X holds them one after another, each n_features / n_parts wide.
    n_heads : int, default=4
        Pairs of projections.
    width : int, default=8
        Dimensions that a projection keeps.
    epochs : int, default=100
        Passes over the training rows.
    learning_rate : float, default=0.003
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the start and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    centre_ : ndarray of shape (n_features / n_parts,)
        Mean of the training tokens, in the unit of X.
    spread_ : ndarray of shape (n_features / n_parts,)
        Their standard deviation; tokens are standardised with both.
    left_ : ndarray of shape (n_heads, n_features / n_parts, width)
        First projection of each head, without unit.
    right_ : ndarray of shape (n_heads, n_features / n_parts, width)
        Second projection.
    kernel_ : ndarray of shape (n_heads, n_heads, 3, 3)
        The convolution.
    coef_ : ndarray of shape (n_classes, n_features / n_parts + n_heads * ceil(width / 2)**2)
        Weights of the linear layer, without unit.
    intercept_ : ndarray of shape (n_classes,)
        What is added to it.
    losses_ : ndarray of shape (epochs,)
        Mean cross-entropy of each pass, in nats.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, y has one class or rows cannot be cut into n_parts equal tokens.

    References
    ----------
    Gao et al. (2023), arXiv:2307.11342.

    Examples
    --------
    >>> together, apart = [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, -1.0, 1.0]  # two tokens of two numbers, both of mean 0
    >>> head = MomentProbing(2, random_state=0).fit([together, apart] * 4, ["together", "apart"] * 4)
    >>> head.predict([together, apart])
    array(['together', 'apart'], dtype='<U8')
    """

    paper = Paper.get("moment-probing")
    rules: ClassVar = {
        "n_parts": Int(1), "n_heads": Int(1), "width": Int(1), "epochs": Int(1), "learning_rate": Real(1e-6),
        "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_parts": 1, "n_heads": 2, "width": 2, "learning_rate": 0.03, "random_state": 0}

    def __init__(
        self, n_parts: int = 8, *, n_heads: int = 4, width: int = 8, epochs: int = 100, learning_rate: float = 0.003,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_parts = n_parts
        self.n_heads = n_heads
        self.width = width
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from X, of shape (n_samples, n_parts * width of a token), and y, of shape (n_samples,)."""
        return self._fit(X, y)

    def _fit(self, X: ArrayLike, y: ArrayLike, tokens_of: Any = None, more: Sequence[Any] = ()) -> Self:
        """Learn from tokens as they are, or from `tokens_of(row numbers)`, and train the parameters `more` too."""
        data, which, _ = self._training(X, y)
        n, d = data.shape
        if d % self.n_parts:
            raise UserError(
                f"X has {d} features, which cannot be cut into {self.n_parts} equal tokens.",
                needed="n_parts tokens of one width in every row",
                todo="set n_parts to the number of tokens in a row",
            )
        torch = need("torch", "torch")
        tokens = data.reshape(n * self.n_parts, -1)
        self.centre_, spread = tokens.mean(axis=0), tokens.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1).astype(data.dtype)
        inputs, answers = torch.from_numpy(self._split_tokens(data)), torch.from_numpy(which)
        centre, scale = torch.from_numpy(self.centre_), torch.from_numpy(self.spread_)
        rng = check_random_state(self.random_state)
        wide, heads = inputs.shape[2], self.n_heads
        n_moments = wide + heads * ((self.width + 1) // 2) ** 2
        shapes = [(heads, wide, self.width)] * 2 + [(heads, heads, 3, 3), (len(self.classes_), n_moments)]
        fans = [wide, wide, 9 * heads, n_moments]  # inputs of each unit, so that scales do not change at the start
        starts = [rng.standard_normal(shape) / np.sqrt(fan) for shape, fan in zip(shapes, fans, strict=True)]
        starts.append(np.zeros(len(self.classes_)))
        learned = [torch.nn.Parameter(torch.from_numpy(start.astype(data.dtype))) for start in starts]
        *maps, coef, intercept = learned

        def loss(some: Any) -> Any:
            seen = inputs[some] if tokens_of is None else (tokens_of(some) - centre) / scale
            return torch.nn.functional.cross_entropy(both_moments(seen, *maps) @ coef.T + intercept, answers[some])

        losses = descend(
            loss, [*learned, *more], n, epochs=self.epochs, learning_rate=self.learning_rate, random_state=rng
        )
        self.losses_ = np.array(losses, dtype=data.dtype)
        found = [part.detach().numpy() for part in learned]
        self.left_, self.right_, self.kernel_, self.coef_, self.intercept_ = found
        return self

    def _split_tokens(self, data: NDArray[Any]) -> NDArray[Any]:
        """Cut rows into standardised tokens, of shape (n_samples, n_parts, n_features / n_parts)."""
        cut = data.reshape(len(data), self.n_parts, -1)
        return (cut - self.centre_.astype(data.dtype)) / self.spread_.astype(data.dtype)

    def features(self, X: ArrayLike) -> NDArray[Any]:
        """Return what the linear layer reads, without unit: mean of the tokens, then the convolved matrices."""
        check_is_fitted(self)
        torch = need("torch", "torch")
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        maps = (torch.from_numpy(part.astype(data.dtype)) for part in (self.left_, self.right_, self.kernel_))
        return np.asarray(both_moments(torch.from_numpy(self._split_tokens(data)), *maps))

    def _scores(self, X: ArrayLike) -> NDArray[Any]:
        """Return the score of every class, of shape (n_samples, n_classes)."""
        seen = self.features(X)
        return seen @ self.coef_.T.astype(seen.dtype) + self.intercept_.astype(seen.dtype)


@claim(
    MomentProbing, needs=("minilm", "torch"),
    unit="accuracy, 0 to 1", margin=0.01, seconds=60,
    says="Cross-covariances of token features tell packages apart better than a net of as many weights on the mean.",
    floor="one hidden layer on the mean of the tokens, with as many weights and the same training",
    peer="logistic regression on the mean of the tokens",
)  # fmt: skip
def reads_more_than_the_mean(seed: int) -> Trial:
    """Docstrings of ten packages, their first 16 tokens by MiniLM: ten rows of each to train on, 30 to test on."""
    from sklearn.preprocessing import StandardScaler

    from codomain.measure import head_accuracy
    from codomain.tasks.token_rows import docstring_tokens

    torch = need("torch", "torch")
    (X, y), (Q, truth) = docstring_tokens(seed, n_train=10)
    ours = MomentProbing(16, random_state=seed).fit(X, y)
    A, B = (part.reshape(len(part), 16, -1).mean(axis=1) for part in (X, Q))
    n_weights = sum(part.size for part in (ours.left_, ours.right_, ours.kernel_, ours.coef_, ours.intercept_))
    hidden = round((n_weights - 10) / (A.shape[1] + 1 + 10))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(A.shape[1], hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 10))
    scaler = StandardScaler().fit(A)
    rows, answers = torch.from_numpy(scaler.transform(A)), torch.from_numpy(np.searchsorted(ours.classes_, y))

    def loss(some: Any) -> Any:
        return torch.nn.functional.cross_entropy(net(rows[some]), answers[some])

    descend(loss, net.parameters(), len(A), epochs=100, learning_rate=0.003, random_state=seed)
    with torch.no_grad():
        predicted = net(torch.from_numpy(scaler.transform(B))).argmax(dim=1).numpy()
    return Trial(
        ours=ours.score(Q, truth),
        floor=float(np.mean(ours.classes_[predicted] == truth)),
        peer=head_accuracy(A, y, B, truth),
    )
