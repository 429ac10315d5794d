"""Count how many numbers a net must learn to solve a task, whatever the number of its parameters."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim

BATCH = 128
FINE = 1.15  # sizes are searched to this factor


def unpack(theta: NDArray[Any], widths: tuple[int, int, int]) -> list[NDArray[Any]]:
    """Cut a vector of parameters into the two weight matrices, each with its bias as a last row."""
    d, h, k = widths
    first, second = np.split(theta, [(d + 1) * h])
    return [first.reshape(d + 1, h), second.reshape(h + 1, k)]


def forward(rows: NDArray[Any], parts: list[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the hidden layer and the logits."""
    hidden = np.maximum(rows @ parts[0][:-1] + parts[0][-1], 0)
    return hidden, hidden @ parts[1][:-1] + parts[1][-1]


def gradient(
    rows: NDArray[Any], truth: NDArray[Any], theta: NDArray[Any], widths: tuple[int, int, int]
) -> NDArray[Any]:
    """Return the gradient of the mean cross entropy by all parameters, as one vector."""
    parts = unpack(theta, widths)
    hidden, logits = forward(rows, parts)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = (odds / odds.sum(axis=1, keepdims=True) - truth) / len(rows)
    back = (error @ parts[1][:-1].T) * (hidden > 0)
    pieces = (rows.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0))
    return np.concatenate([piece.ravel() for piece in pieces])


class IntrinsicDimension(Method):
    r"""Find the smallest random subspace in which a net still learns a task.

    Parameters of a net with one hidden layer are :math:`\theta = \theta_0 + P z`, with a fixed random start and fixed
    random directions P, and only z is learned. The dimension is the least length of z whose held-out accuracy reaches
    a share of that of the net trained whole: lengths are doubled until they do, then the last doubling is bisected.
    P is sparse: a direction has the root of n_parameters entries of random sign. The net is then a seed and z.

    Parameters
    ----------
    n_hidden : int, default=64
        Units of the hidden layer.
    share_of_baseline : float, default=0.9
        What part of the whole net's accuracy must be reached, above 0 and at most 1.
    max_directions : int, default=512
        Largest subspace tried.
    learning_rate : float, default=0.3
        Length of the first step of Adam in the space of parameters, falling to 0, the same in every subspace, above 0.
    max_steps : int, default=300
        Training steps in each subspace, on up to 128 rows.
    random_state : int, RandomState or None, default=None
        Seed of the held-out third of the rows, the start, the directions and the minibatches.

    Attributes
    ----------
    dimension_ : int or None
        The intrinsic dimension, None when no subspace tried was large enough.
    dimensions_ : ndarray of shape (n_tried,)
        Subspaces tried, in rising order.
    accuracies_ : ndarray of shape (n_tried,)
        Held-out accuracy in each, 0 to 1.
    baseline_ : float
        Held-out accuracy of the net trained whole.
    n_parameters_ : int
        Parameters of the whole net.
    code_ : ndarray of shape (dimension_,)
        The learned z in that subspace.
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the logits.
    mean_ : ndarray of shape (n_features,)
        Subtracted from rows before the net reads them.
    scale_ : float
        Rows are then divided by this.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, labels are missing or there are fewer than three rows.

    Notes
    -----
    Checked against the authors' code (uber-research/intrinsic-dimension): a fixed random start, sparse random
    directions of length 1, Adam on the coordinates alone, and 0.9 of the whole net's accuracy. The code trains for
    100 passes with a rate of 0.001 and tries a fixed list of sizes; here the rate falls with the step and the sizes
    are searched by bisection. Second reading: with one entry in each direction in place of the root of their number,
    512 directions are too few at width 256 and no dimension is found. The seeds draw from the same 1,797 digits,
    which the interval does not count; the gap is three times the margin.

    References
    ----------
    Li et al. (2018), arXiv:1804.08838.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 10))
    >>> found = IntrinsicDimension(random_state=0).fit(X, X[:, 0] > 0)
    >>> found.n_parameters_, found.dimension_ < 20
    (834, True)
    """

    paper = Paper.get("objective-intrinsic-dimension")
    rules: ClassVar = {
        "n_hidden": Int(1), "share_of_baseline": Real(0, 1, above=True), "max_directions": Int(1),
        "learning_rate": Real(0, above=True), "max_steps": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_hidden": 4, "max_directions": 4, "max_steps": 5, "random_state": 0}
    needs_y = True

    def __init__(
        self,
        n_hidden: int = 64,
        *,
        share_of_baseline: float = 0.9,
        max_directions: int = 512,
        learning_rate: float = 0.3,
        max_steps: int = 300,
        random_state: Any = None,
    ) -> None:
        self.n_hidden = n_hidden
        self.share_of_baseline = share_of_baseline
        self.max_directions = max_directions
        self.learning_rate = learning_rate
        self.max_steps = max_steps
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Sweep subspaces for X, of shape (n_samples, n_features), and labels y, of shape (n_samples,)."""
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32), ensure_min_samples=3)
        self.classes_, which = np.unique(labels, return_inverse=True)
        self.mean_ = data.mean(axis=0, dtype=np.float64).astype(data.dtype)
        self.scale_ = float((data - self.mean_).std(dtype=np.float64)) or 1.0
        rows = (data - self.mean_) / data.dtype.type(self.scale_)
        truth = np.eye(len(self.classes_), dtype=data.dtype)[which]
        rng = check_random_state(self.random_state)
        order = rng.permutation(len(rows))
        held, kept = np.split(order, [len(rows) // 3])
        self._seed = int(rng.randint(2**31 - 1))

        def accuracy(theta: NDArray[Any]) -> float:
            """Share of held-out rows whose label gets the largest logit."""
            return float(np.mean(forward(rows[held], unpack(theta, self._widths))[1].argmax(axis=1) == which[held]))

        start, _ = self._frame(0)
        self.n_parameters_ = len(start)
        whole = self._learn(rows[kept], truth[kept], None)
        self.baseline_ = accuracy(start + whole)
        self.dimension_, reached, low, size = None, {}, 0, 1
        top = min(self.max_directions, len(start))
        while True:
            code = self._learn(rows[kept], truth[kept], size)
            reached[size] = accuracy(self._theta(code))
            if reached[size] >= self.share_of_baseline * self.baseline_:
                self.dimension_, self.code_ = size, code
            else:
                low = size
            if self.dimension_ is None:
                if size == top:
                    self.code_ = code
                    break
                size = min(2 * size, top)
            else:
                size = round((low * self.dimension_) ** 0.5)
                if self.dimension_ <= FINE * low or size in {0, low, self.dimension_}:
                    break
        self.dimensions_ = np.array(sorted(reached))
        self.accuracies_ = np.array([reached[size] for size in sorted(reached)], dtype=data.dtype)
        return self

    @property
    def _widths(self) -> tuple[int, int, int]:
        """Features, units and classes of the net."""
        return len(self.mean_), self.n_hidden, len(self.classes_)

    def _frame(self, size: int) -> tuple[NDArray[Any], Any]:
        """Draw the start and that many directions, (n_parameters, size), of length about 1, from the seed."""
        d, h, k = self._widths
        rng, dtype = np.random.default_rng(self._seed), self.mean_.dtype.type
        shapes = (((d, h), 2 / d), ((1, h), 0), ((h, k), 1 / h), ((1, k), 0))
        start = [np.sqrt(spread) * rng.standard_normal(shape, dtype=dtype) for shape, spread in shapes]
        theta: NDArray[Any] = np.concatenate([part.ravel() for part in start]).astype(dtype)
        entries = round(len(theta) ** 0.5)
        places = rng.integers(len(theta), size=entries * size), np.repeat(np.arange(size), entries)
        signs = rng.choice(np.array([-1, 1], dtype=dtype), size=entries * size) / dtype(np.sqrt(entries))
        return theta, csr_array((signs, places), shape=(len(theta), size))

    def _learn(self, rows: NDArray[Any], truth: NDArray[Any], size: int | None) -> NDArray[Any]:
        """Learn z by Adam; without a size, the change of all parameters."""
        start, directions = self._frame(size or 0)
        rng, back = np.random.default_rng([self._seed, 1]), directions.T.tocsr()
        z = np.zeros(size or len(start), dtype=rows.dtype)
        slope, square = np.zeros_like(z), np.zeros_like(z)
        step_length = self.learning_rate / np.sqrt(len(z))  # Adam moves every coordinate about equally far
        for step in range(1, self.max_steps + 1):
            batch = rng.permutation(len(rows))[:BATCH]
            theta = start + (directions @ z if size else z)
            down = gradient(rows[batch], truth[batch], theta, self._widths)
            down = back @ down if size else down
            slope += 0.1 * (down - slope)
            square += 0.01 * (down**2 - square)
            pace = step_length * (1 - (step - 1) / self.max_steps)
            z -= (pace * slope / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)).astype(z.dtype)
        return z

    def _theta(self, code: NDArray[Any]) -> NDArray[Any]:
        """Rebuild all parameters from the seed and the code."""
        start, directions = self._frame(len(code))
        theta: NDArray[Any] = start + directions @ code
        return theta

    def weights(self) -> list[NDArray[Any]]:
        """Rebuild the net: (n_features + 1, n_hidden) and (n_hidden + 1, n_classes), each with its bias as last row."""
        check_is_fitted(self)
        return unpack(self._theta(self.code_), self._widths)


@claim(
    IntrinsicDimension, unit="minus the size of the power of the width by which a gauge grows, at most 0", margin=0.20,
    seconds=60, rows="fresh",
    says="How many numbers a net must learn to read digits hardly depends on how wide it is; its parameters grow in "
    "proportion.",
    premise="held-out accuracy of the worst of the nets, trained whole", least=0.9,
    floor="fewest weights, the largest first, with which a trained net keeps 0.9 of its accuracy",
    peer="principal components that hold 90 % of the trained hidden layer's variance",
)  # fmt: skip
@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]  # its products are small
def hardly_depends_on_width(seed: int) -> Trial:
    """Read scanned digits with nets of one hidden layer of 16, 64 or 256 units; 0.9 of the accuracy as published."""
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    from codomain.tasks.hidden_layers import hidden_layers

    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32) / 16
    seen, unseen, y_seen, y_unseen = train_test_split(X, y, test_size=1 / 3, random_state=seed, stratify=y)

    def count_needed(net: MLPClassifier) -> int:
        """Fewest weights, to a factor, with which the net keeps its share of the accuracy on unseen digits."""
        goal, whole = 0.9 * net.score(unseen, y_unseen), [weights.copy() for weights in net.coefs_]
        sizes = np.sort(np.abs(np.concatenate(whole, axis=None)))[::-1]
        count = 1.0
        while True:
            least = sizes[min(int(count), len(sizes)) - 1]
            net.coefs_ = [np.where(np.abs(weights) >= least, weights, 0) for weights in whole]
            if net.score(unseen, y_unseen) >= goal:
                return int(count)
            count *= FINE

    widths, gauges, worst = (16, 64, 256), [], 1.0
    for width in widths:
        found = IntrinsicDimension(width, random_state=seed).fit(X, y)
        if found.dimension_ is None:
            raise UserError(f"No subspace of width {width} was large enough.", todo="raise max_directions")
        net = MLPClassifier((width,), learning_rate_init=0.01, random_state=seed)
        for _ in range(30):
            net.partial_fit(seen, y_seen, classes=range(10))
        worst = min(worst, float(net.score(unseen, y_unseen)))
        components = PCA(0.9).fit(hidden_layers(net, seen)[0]).n_components_
        gauges.append((found.dimension_, count_needed(net), components, found.n_parameters_))
    powers = np.polyfit(np.log(widths), np.log(gauges), 1)[0]
    ours, floor, peer, parameters = -np.abs(powers)
    return Trial(
        ours, floor, peer, chance=parameters, premise=worst,
        also={f"dimension at width {width}": gauge[0] for width, gauge in zip(widths, gauges, strict=True)},
    )  # fmt: skip
