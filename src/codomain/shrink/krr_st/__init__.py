"""Synthesise a few rows and targets from which a net learns what it would from all rows."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim, need
from codomain.shrink.krr_st.kernel_head import Net, predict_from_few
from codomain.shrink.shared.targets import read_targets

POOL, LIFE = 4, 100  # nets that take turns, and steps that each is trained before a new one replaces it
BATCH = 512  # real rows in a step


class KRRST(Method):
    r"""Distil rows and their targets into a few synthetic pairs.

    For features :math:`\phi` of a net, a linear head fitted to the pairs :math:`(S, T)` by ridge regression predicts
    :math:`\phi(x) \phi(S)^\top (\phi(S) \phi(S)^\top + \lambda I)^{-1} T` for row x. S and T minimise the mean squared
    error of this for the targets of real rows; only the choice of rows is random.

    The nets, a pool of four, are themselves trained on the pairs, a step each time they are used, and replaced by new
    ones after 100. A step costs (512 + n_synthetic) * n_hidden * n_features + n_synthetic^3. Not in the paper: sizes.

    Parameters
    ----------
    n_synthetic : int, default=50
        Pairs to synthesise, at most n_samples.
    n_hidden : int, default=256
        Units of the nets' hidden layer.
    max_steps : int, default=600
        Steps of the pairs.
    learning_rate : float, default=0.01
        Length of a step, in units of the overall standard deviation of rows and of targets, above 0.
    random_state : int, RandomState or None, default=None
        Seed of the rows to start from, the batches and the nets.

    Attributes
    ----------
    rows_ : ndarray of shape (n_synthetic, n_features)
        Synthetic rows, in the unit of X.
    targets_ : ndarray of shape (n_synthetic, n_targets)
        Their targets, in the unit of the targets: for labels, one column for each class, 1 - 1 / n_classes in the
        row's class and -1 / n_classes elsewhere.
    classes_ : ndarray of shape (n_classes,) or None
        Classes in the order of the columns of targets_; None when y is not made of labels.
    losses_ : ndarray of shape (max_steps,)
        Mean squared error of each step, in units of the targets' variance.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, n_synthetic exceeds n_samples, or the steps are too long.

    Notes
    -----
    Checked against the authors' code (db-Lee/selfsup_dd): features with a constant, a ridge of a millionth of the
    kernel's trace, mean squared error against the teacher's features, a pool of nets trained on the pairs a step at a
    time. They train ten nets for 1,000 steps by SGD, and the pairs for 160,000 steps at a falling rate.
    Second reading: formulas as published, but the data cannot show the effect: raw pixels serve new classes by .90, a
    net without training by .91 and the teacher's features by .87, so that ours is .90 with its targets, and .91 with
    the targets of other rows.

    References
    ----------
    Lee et al. (2023), arXiv:2310.06511.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> small = KRRST(8, n_hidden=16, max_steps=5, random_state=0).fit(X, X[:, 0] > 0)
    >>> small.rows_.shape, small.targets_.shape, small.classes_.tolist()
    ((8, 5), (8, 2), [False, True])
    """

    paper = Paper.get("krr-st")
    rules: ClassVar = {
        "n_synthetic": Int(1), "n_hidden": Int(1), "max_steps": Int(1), "learning_rate": Real(0, above=True),
        "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_synthetic": 4, "n_hidden": 8, "max_steps": 3, "random_state": 0}

    def __init__(
        self,
        n_synthetic: int = 50,
        *,
        n_hidden: int = 256,
        max_steps: int = 600,
        learning_rate: float = 0.01,
        random_state: Any = None,
    ) -> None:
        self.n_synthetic = n_synthetic
        self.n_hidden = n_hidden
        self.max_steps = max_steps
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Distil X, of shape (n_samples, n_features), and labels or features y; without y a row is its own target.

        Features y, such as a self-supervised net's, have shape (n_samples, n_targets).
        """
        self._check_params()
        data, wanted, self.classes_ = read_targets(self, X, y)
        n = len(data)
        if self.n_synthetic > n:
            raise UserError(
                f"n_synthetic={self.n_synthetic} with n_samples={n}.", needed="at least as many rows", todo="lower it"
            )
        torch = need("torch", "torch")
        rng = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(int(rng.randint(2**31 - 1)))
        sizes = [part.std() or part.dtype.type(1) for part in (data, wanted)]
        A, B = (torch.from_numpy(part / size) for part, size in zip((data, wanted), sizes, strict=True))
        start = torch.from_numpy(rng.permutation(n)[: self.n_synthetic])
        S, T = (torch.nn.Parameter(part[start].clone()) for part in (A, B))
        optimizer = torch.optim.Adam([S, T], lr=self.learning_rate)

        widths = (A.shape[1], self.n_hidden, B.shape[1])
        # They start at different ages, so that new and trained nets take turns.
        pool = [Net(widths, generator, A.dtype, born) for born in rng.randint(LIFE, size=POOL)]
        for net in pool:
            for _ in range(net.steps):
                net.train(S.detach(), T.detach())
            net.steps //= 2
        losses = np.zeros(self.max_steps, dtype=data.dtype)
        for step in range(self.max_steps):
            which = rng.randint(POOL)
            net, batch = pool[which], torch.from_numpy(rng.permutation(n)[:BATCH])
            optimizer.zero_grad()
            loss = ((predict_from_few(net.features(S), T, net.features(A[batch])) - B[batch]) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses[step] = loss.item()
            if not np.isfinite(losses[step]):
                raise UserError(f"The error is {losses[step]} after {step} steps.", todo="lower learning_rate")
            if net.steps >= LIFE:
                pool[which] = Net(widths, generator, A.dtype)
            else:
                net.train(S.detach(), T.detach())
        self.rows_, self.targets_ = (part.detach().numpy() * size for part, size in zip((S, T), sizes, strict=True))
        self.losses_ = losses
        return self


@claim(
    KRRST, needs=("dataset-fashion-mnist", "torch"),
    unit="accuracy of a head on ten labels a class, 0 to 1", margin=0.02, seconds=150, scale="minutes",
    why="a net is also pretrained on all rows, for the premise",
    says="A net pretrained on 50 distilled pairs serves new classes better than one pretrained on 50 real pairs.",
    premise="a net pretrained on all rows serves them better than one pretrained on 50 random rows, by", least=0.05,
    floor="50 rows drawn at random with the teacher's features", peer="50 k-means centres with the teacher's features",
)  # fmt: skip
def pretrains_a_net(seed: int) -> Trial:
    """Pretrain on five kinds of clothes without labels, label the five others from ten rows each; 14 x 14 pixels.

    As published: targets are a self-supervised teacher's features, pairs start from real rows and their features, the
    test is a linear head on frozen features. Not: the teacher (a denoising autoencoder in place of Barlow Twins), nets
    without convolutions, 600 steps in place of 160,000. Tried first: scanned digits, where a net without any training
    serves as well (.88).
    """
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    from codomain.tasks.fashion import fashion
    from codomain.tasks.heads import head_hits

    (X, y), (Q, truth) = fashion(seed, n_train=6000, n_test=10_000)
    X, Q = (part.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196) for part in (X, Q))
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.unique(y))
    rows, new, asked = X[np.isin(y, kinds[:5])][:2000], kinds[5:], np.isin(truth, kinds[5:])
    shots = np.concatenate([rng.permutation(np.flatnonzero(y == kind))[:10] for kind in new])

    def train_net(width: int, rows: NDArray[Any], targets: NDArray[Any], max_iter: int = 200) -> Any:
        """Train a net and return its hidden layer."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net = MLPRegressor(hidden_layer_sizes=(width,), max_iter=max_iter, random_state=seed).fit(rows, targets)
        return lambda rows: np.maximum(rows @ net.coefs_[0] + net.intercepts_[0], 0)

    teacher = train_net(64, rows + rng.normal(0, 0.3, rows.shape).astype(np.float32), rows, 30)

    def hits(rows: NDArray[Any], targets: NDArray[Any], max_iter: int = 200) -> NDArray[np.bool_]:
        hidden = train_net(256, rows, targets, max_iter)
        return head_hits(hidden(X[shots]), y[shots], hidden(Q[asked]), truth[asked])

    few = KRRST(random_state=seed).fit(rows, teacher(rows))
    chosen = rows[rng.permutation(len(rows))[:50]]
    centres = KMeans(50, n_init=3, random_state=seed).fit(rows).cluster_centers_
    floor = hits(chosen, teacher(chosen))
    return Trial(
        ours=hits(few.rows_, few.targets_), floor=floor, peer=hits(centres, teacher(centres)), chance=0.2,
        premise=float(hits(rows, teacher(rows), 30).mean() - floor.mean()),
    )  # fmt: skip
