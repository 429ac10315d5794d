"""Classify sets of tokens by cross-covariances of learned heads and by their mean."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.classify.shared.linear import LinearHead
from codomain.core import Int, Paper, Real, Seed, Trial, UserError, claim, descend, need

FIRST, LAST = ("projection_", "shift_", "scale_", "offset_"), ("kernel_", "second_kernel_")


def both_moments(tokens: Any, parts: Sequence[Any]) -> Any:
    """Return the means of tokens (n, n_tokens, d), then their convolved cross-covariances, as one tensor (n, ...).

    `parts` are the arrays of `FIRST` and `LAST` as tensors.
    """
    torch = need("torch", "torch")
    projection, shift, scale, offset, kernel, second = parts
    functional = torch.nn.functional
    heads = (tokens @ projection + shift).unflatten(2, (len(kernel) + 1, -1))  # (n, n_tokens, n_heads, width)
    heads = functional.layer_norm(heads, heads.shape[3:], scale, offset)
    heads = heads - heads.mean(dim=(1, 3), keepdim=True)
    left, right = heads[:, :, :-1], heads[:, :, 1:]
    covariances = torch.einsum("nthi,nthj->nhij", left, right) / tokens.shape[1]
    covariances = functional.normalize(covariances, dim=2)
    fewer = functional.gelu(functional.conv2d(covariances, kernel, stride=2))
    return torch.cat([tokens.mean(dim=1), functional.conv2d(fewer, second, stride=2).flatten(1)], dim=1)


class MomentProbing(LinearHead):
    r"""Linear heads on the mean of a row's tokens and on cross-covariances of them that a net makes smaller.

    A projection splits each token into heads :math:`x^{(1)} \dots x^{(H)}`, which layer normalisation scales.
    Neighbours give :math:`\frac1n \sum_t x^{(h)}_t x^{(h+1)\top}_t`, whose columns are scaled to length 1. Two
    convolutions of 3 by 3 in steps of 2, the matrices being their channels and GELU between them, make these smaller.
    The score is the mean of a linear layer on the mean token and of one on what the convolutions give; all is trained
    together.
    The paper's recalibration inside the backbone is `RecalibratedProbing`.

    Parameters
    ----------
    n_heads : int, default=4
        Heads, as published; one matrix less comes of them.
    width : int, default=128
        Dimensions of a head, as published, at least 7.
    epochs : int, default=100
        Passes over the training rows.
    learning_rate : float, default=0.001
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the start and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    centre_ : ndarray of shape (d,)
        Mean of the training tokens, in the unit of X.
    spread_ : ndarray of shape (d,)
        Their standard deviation; tokens are standardised with both.
    projection_ : ndarray of shape (d, n_heads * width)
        What splits tokens into heads, without unit.
    shift_ : ndarray of shape (n_heads * width,)
        What is added.
    scale_ : ndarray of shape (width,)
        Factors of the layer normalisation, which the heads share.
    offset_ : ndarray of shape (width,)
        What it adds.
    kernel_ : ndarray of shape (n_heads - 1, n_heads - 1, 3, 3)
        The first convolution.
    second_kernel_ : ndarray of shape (n_heads - 1, n_heads - 1, 3, 3)
        The second convolution.
    coef_ : ndarray of shape (n_classes, d + n_moments)
        Half the weights of both linear layers, without unit.
    intercept_ : ndarray of shape (n_classes,)
        What is added to the scores.
    losses_ : ndarray of shape (epochs,)
        Mean cross-entropy of each pass, in nats.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or y has one class; in others, when tokens have another number or
        width.

    Notes
    -----
    Checked against the authors' code (mingzeG/Moment-Probing): projection, neighbouring heads, shared layer
    normalisation, the scalar mean that is subtracted, scaled columns, convolutions without padding or bias, and the
    mean of two linear layers are as there, as are the sizes and starts of all weights. That code reads a transformer's
    class token where there is one; here the mean of the tokens, as for its other nets. Not in the paper: tokens are
    standardised, as no trained layer is before them, and AdamW has one learning rate throughout. Second reading: the
    code does what the text above says, without opening that code again. The premise shows that the spread of tokens
    tells sections apart, not that it adds to the mean, and it was not checked whether the floor's training had
    converged. It is reasoned, not run, that with all tokens of a row alike the covariances hold nothing but the mean
    again.

    References
    ----------
    Gao et al. (2023), arXiv:2307.11342.

    Examples
    --------
    >>> together, apart = [[1.0, 1.0], [-1.0, -1.0]], [[1.0, -1.0], [-1.0, 1.0]]  # two tokens each, all of mean 0
    >>> head = MomentProbing(2, width=16, random_state=0).fit([together, apart] * 4, ["together", "apart"] * 4)
    >>> head.predict([together, apart])
    array(['together', 'apart'], dtype='<U8')
    """

    paper = Paper.get("moment-probing")
    rules: ClassVar = {
        "n_heads": Int(2), "width": Int(7), "epochs": Int(1), "learning_rate": Real(1e-6), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_heads": 2, "width": 7, "learning_rate": 0.03, "random_state": 0}

    def __init__(
        self, n_heads: int = 4, *, width: int = 128, epochs: int = 100, learning_rate: float = 0.001,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_heads = n_heads
        self.width = width
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from tokens X, of shape (n_samples, n_tokens, d), and y, of shape (n_samples,).

        Rows of shape (n_samples, d) are one token each; their cross-covariances hold little.
        """
        return self._fit(X, y)

    def _fit(self, X: ArrayLike, y: ArrayLike, tokens_of: Any = None, more: Sequence[Any] = ()) -> Self:
        """Learn from tokens as they are, or from `tokens_of(row numbers)`, and train the parameters `more` too."""
        data, which = self._check_training(X, y, allow_nd=True)
        torch = need("torch", "torch")
        self._shape = data.shape[1:]
        tokens = self._as_tokens(data)
        rows = tokens.reshape(-1, tokens.shape[2])
        self.centre_, spread = rows.mean(axis=0), rows.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1).astype(data.dtype)
        inputs, answers = torch.from_numpy((tokens - self.centre_) / self.spread_), torch.from_numpy(which)
        centre, scale = torch.from_numpy(self.centre_), torch.from_numpy(self.spread_)
        rng = check_random_state(self.random_state)
        d, wide, channels, n_classes = tokens.shape[2], self.n_heads * self.width, self.n_heads - 1, len(self.classes_)
        side = ((self.width - 3) // 2 - 2) // 2 + 1
        n_moments = channels * side**2
        kernels = (channels, channels, 3, 3)

        def draw(shape: tuple[int, ...], fan: int) -> Any:
            """Draw weights evenly up to one over the root of the inputs of each unit."""
            values = rng.uniform(-1, 1, shape) / np.sqrt(fan)
            return torch.nn.Parameter(torch.from_numpy(values.astype(data.dtype)))

        maps = [draw((d, wide), d), draw((wide,), d)]
        maps += [torch.nn.Parameter(torch.full((self.width,), start, dtype=inputs.dtype)) for start in (1.0, 0.0)]
        maps += [draw(kernels, 9 * channels), draw(kernels, 9 * channels)]
        of_mean, of_moments = draw((n_classes, d), d), draw((n_classes, n_moments), n_moments)
        biases = [draw((n_classes,), d), draw((n_classes,), n_moments)]

        def loss(some: Any) -> Any:
            seen = inputs[some] if tokens_of is None else (tokens_of(some) - centre) / scale
            coef, intercept = torch.cat([of_mean, of_moments], dim=1) / 2, sum(biases) / 2
            return torch.nn.functional.cross_entropy(both_moments(seen, maps) @ coef.T + intercept, answers[some])

        learned = [*maps, of_mean, of_moments, *biases, *more]
        losses = descend(
            loss, learned, len(data), epochs=self.epochs, learning_rate=self.learning_rate, random_state=rng
        )
        self.losses_ = np.array(losses, dtype=data.dtype)
        for name, part in zip(FIRST + LAST, maps, strict=True):
            setattr(self, name, part.detach().numpy())
        self.coef_ = np.hstack([of_mean.detach().numpy(), of_moments.detach().numpy()]) / 2
        self.intercept_ = sum(part.detach().numpy() for part in biases) / 2
        return self

    @staticmethod
    def _as_tokens(data: NDArray[Any]) -> NDArray[Any]:
        """Make rows of two axes one token each."""
        return data[:, None] if data.ndim == 2 else data

    def features(self, X: ArrayLike) -> NDArray[Any]:
        """Return what the linear layers read, without unit: mean of the tokens, then the convolved matrices."""
        check_is_fitted(self)
        torch = need("torch", "torch")
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32), allow_nd=True)
        if data.shape[1:] != self._shape:
            raise UserError(f"Rows of shape {data.shape[1:]}.", needed=f"rows of shape {self._shape}, as in fit")
        tokens = (self._as_tokens(data) - self.centre_.astype(data.dtype)) / self.spread_.astype(data.dtype)
        parts = [torch.from_numpy(getattr(self, name).astype(data.dtype)) for name in FIRST + LAST]
        with torch.no_grad():
            return np.asarray(both_moments(torch.from_numpy(tokens), parts))

    def _scores(self, X: ArrayLike) -> NDArray[Any]:
        """Return the score of every class, of shape (n_samples, n_classes)."""
        seen = self.features(X)
        return seen @ self.coef_.T.astype(seen.dtype) + self.intercept_.astype(seen.dtype)


def second_moments(tokens: NDArray[Any], axes: NDArray[Any]) -> NDArray[Any]:
    """Return covariances of tokens (n, n_tokens, d) along axes (d, k), each pair once."""
    strays = (tokens - tokens.mean(axis=1, keepdims=True)) @ axes
    covariances = np.einsum("nti,ntj->nij", strays, strays) / tokens.shape[1]
    return np.asarray(covariances[(slice(None), *np.triu_indices(axes.shape[1]))])


@claim(
    MomentProbing, needs=("minilm", "torch", "apt-lists"),
    unit="accuracy, 0 to 1", margin=0.02, seconds=60,
    says="Mean and cross-covariances of tokens tell sections apart better than linear probing of the mean.",
    premise="accuracy, above one tenth, of a linear head that sees only how tokens vary about their mean", least=0.1,
    floor="linear probing of the mean token, with the same training or to its end, the better on the test rows",
    peer="one hidden layer on the mean token, with as many weights and the same training",
)  # fmt: skip
def reads_more_than_the_mean(seed: int) -> Trial:
    """Descriptions from ten sections of Debian, 16 tokens by MiniLM: thirty of each to train on, 100 to test on.

    Heads are half as wide as published, as MiniLM's tokens are half as wide as those of the paper's transformers.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    from codomain.measure import head_accuracy
    from codomain.tasks.token_rows import section_tokens

    torch = need("torch", "torch")
    (X, y), (Q, truth) = section_tokens(seed, n_train=30)
    ours = MomentProbing(width=64, epochs=60, random_state=seed).fit(X, y)
    A, B = ((rows.mean(axis=1) - ours.centre_) / ours.spread_ for rows in (X, Q))
    d, n_weights = A.shape[1], sum(getattr(ours, name).size for name in (*FIRST, *LAST, "coef_", "intercept_"))
    hidden = round((n_weights - 10) / (d + 1 + 10))
    answers = torch.from_numpy(np.searchsorted(ours.classes_, y))

    def train(net: Any) -> NDArray[Any]:
        """Train a net on the mean tokens and return which test rows it gets right."""
        rows, queries = (torch.from_numpy(some.astype(np.float32)) for some in (A, B))

        def loss(some: Any) -> Any:
            return torch.nn.functional.cross_entropy(net(rows[some]), answers[some])

        descend(loss, net.parameters(), len(A), epochs=60, learning_rate=0.001, random_state=seed)
        with torch.no_grad():
            return np.asarray(ours.classes_[net(queries).argmax(dim=1).numpy()] == truth)

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        linear = torch.nn.Linear(d, 10)
        deep = torch.nn.Sequential(torch.nn.Linear(d, hidden), torch.nn.GELU(), torch.nn.Linear(hidden, 10))
    axes = PCA(16, random_state=0).fit(X.reshape(-1, d)).components_.T
    to_its_end = LogisticRegression(max_iter=2000).fit(A, y).predict(B) == truth
    spread = [second_moments(rows, axes) for rows in (X, Q)]
    return Trial(
        ours.predict(Q) == truth, max(train(linear), to_its_end, key=np.mean), train(deep), chance=0.1,
        premise=head_accuracy(spread[0], y, spread[1], truth) - 0.1,
    )  # fmt: skip
