"""Turn a wider encoder's features until their leading coordinates can be searched for in an older one's."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codomain.align.shared.compatible import Compatible, cross_entropy, learn, rotation, run_net, start_net
from codomain.core import Int, Paper, Real, Seed, Trial, claim, need
from codomain.core.maths.means import class_means


class OCA(Compatible):
    r"""Extra dimensions and an orthogonal layer, trained to be comparable with an older encoder.

    The new features :math:`x`, at length 1, get `n_extra` further columns of zeros, and a net adds what it learns:
    :math:`h = (x, 0) + f(x)`; a classifier reads :math:`h`. An orthogonal layer gives :math:`z = h Q`, in which every
    distance and cosine of :math:`h` is kept. The leading columns of :math:`z` learn to name the class by their cosines
    to the old features' class means. All are trained together.

    Parameters
    ----------
    n_extra : int, default=16
        Columns added to those of the new features.
    n_hidden : int, default=256
        Units of the net's hidden layer.
    weight_of_base : float, default=0.5
        Share of the old class means in the loss, 0 to 1.
    temperature : float, default=0.1
        What cosines are divided by, above 0.
    epochs : int, default=40
        Passes over the rows.
    learning_rate : float, default=0.003
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the weights' start and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes in training, sorted.
    rotation_ : ndarray of shape (n_features_out, n_features_out)
        The orthogonal layer; no rotation at all without old features.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass, in nats.
    n_features_old_ : int
        Leading columns to compare with old features; 0 without them.

    Raises
    ------
    ValueError
        In `fit`, when y is missing, old has other rows or more columns than the output, or a parameter breaks its rule.

    Notes
    -----
    Checked against the abstract only: extra dimensions, an orthogonal layer that is learned, no map at search time.
    How the two losses are mixed, the net and all constants are not known from it. The paper trains the whole backbone;
    here a net is added to the features of an encoder that stays as it is.

    References
    ----------
    Ricci et al. (2024), arXiv:2408.08793.

    Examples
    --------
    >>> X = [[0.0, 1.0], [0.1, 0.9], [1.0, 0.0], [0.9, 0.1]]
    >>> old = np.array([[-1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [0.0, -1.0]])
    >>> new = OCA(1, random_state=0).fit(X, [0, 0, 1, 1], old=old).transform(X)
    >>> new.shape, (new[:, :2] @ old.T).argmax(axis=1)
    ((4, 3), array([0, 0, 2, 2]))
    """

    paper = Paper.get("oca")
    rules: ClassVar = {
        "n_extra": Int(1), "n_hidden": Int(1), "weight_of_base": Real(0, 1), "temperature": Real(1e-3),
        "epochs": Int(1), "learning_rate": Real(1e-6), "random_state": Seed(),
    }  # fmt: skip

    def __init__(
        self, n_extra: int = 16, *, n_hidden: int = 256, weight_of_base: float = 0.5, temperature: float = 0.1,
        epochs: int = 40, learning_rate: float = 0.003, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_extra = n_extra
        self.n_hidden = n_hidden
        self.weight_of_base = weight_of_base
        self.temperature = temperature
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _widen(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return new features with columns of zeros behind them."""
        return np.pad(X, ((0, 0), (0, self.n_extra)))

    def _train(self, X: NDArray[Any], codes: NDArray[np.intp], old: NDArray[Any], rng: np.random.RandomState) -> None:
        torch = need("torch", "torch")
        wide = self._widen(X)
        width = wide.shape[1]
        start = start_net(X, self.n_hidden, width, rng)
        start["out"] *= 0  # training begins at the new features themselves
        start["classifier"] = rng.standard_normal((codes.max() + 1, width)).astype(X.dtype)
        start["skew"] = np.zeros((width, width), X.dtype)
        rows, given, labels, means = (
            torch.from_numpy(part) for part in (np.array(X), wide, codes, class_means(old, codes))
        )

        def loss(net: Any, some: Any) -> Any:
            h = given[some] + run_net(net, rows[some])
            own = cross_entropy(h, net["classifier"], labels[some], self.temperature)
            leading = h @ rotation(net["skew"])[:, : old.shape[1]]
            theirs = cross_entropy(leading, means, labels[some], self.temperature)
            return (1 - self.weight_of_base) * own + self.weight_of_base * theirs

        self._net, self.losses_ = learn(
            loss, start, len(X), epochs=self.epochs, learning_rate=self.learning_rate, rng=rng
        )
        self._turn = rotation(torch.from_numpy(self._net["skew"])).numpy()

    @property
    def rotation_(self) -> NDArray[Any]:
        """The orthogonal layer; no rotation at all without old features."""
        return np.asarray(self._turn) if self.n_features_old_ else np.eye(self.n_features_in_)

    def _features(self, X: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((self._widen(X) + run_net(self._net, X)) @ self.rotation_.astype(X.dtype))


@claim(
    OCA, needs=("torch", "wordllama", "wordnet-base"),
    unit="average precision, mean of a query's in the old and in the new gallery, 0 to 1", margin=0.01, rows="same",
    seconds=150, scale="minutes", why="three nets of 100 classes for each seed, as on CIFAR-100",
    says="With 16 added columns and an orthogonal layer a new encoder searches the old gallery and its own better than "
    "a net of equal width that is trained for both.",
    premise="The new net alone has a higher average precision in its own gallery than the net trained for both.",
    least=0.005,
    floor="backward-compatible training (BCT) of a net of equal width from the same texts",
    peer="the new net's features turned onto the old ones by scipy's orthogonal_procrustes",
)  # fmt: skip
def searches_old_and_new(seed: int) -> Trial:
    """100 kinds of thing in WordNet's glosses, of which the old net knows 50; nets of 32 columns, 48 with the added."""
    from scipy.linalg import orthogonal_procrustes

    from codomain.tasks.galleries import average_precision
    from codomain.tasks.updates import EPOCHS, WIDTH, train_encoder, updated_encoder

    train, gallery, queries = updated_encoder(seed)
    fitted = OCA(16, epochs=EPOCHS, random_state=seed).fit(train.new, train.y, old=train.old)
    both = train_encoder(train.texts, train.y, WIDTH + 16, seed, old=train.old)
    turn = orthogonal_procrustes(train.new, train.old)[0]

    def precisions(Q: NDArray[Any], G: NDArray[Any]) -> NDArray[Any]:
        across = average_precision(Q[:, :WIDTH], queries.y, gallery.old, gallery.y)
        return np.stack([across, average_precision(Q, queries.y, G, gallery.y)])

    ours = precisions(fitted.transform(queries.new), fitted.transform(gallery.new))
    theirs = precisions(both(queries.texts), both(gallery.texts))
    alone = average_precision(queries.new, queries.y, gallery.new, gallery.y)
    return Trial(
        ours=ours.mean(axis=0),
        floor=theirs.mean(axis=0),
        peer=precisions(queries.new @ turn, gallery.new @ turn).mean(axis=0),
        chance=0.01,
        premise=float((alone - theirs[1]).mean()),
        also={
            "ours in the old gallery": ours[0].mean(), "floor in the old gallery": theirs[0].mean(),
            "ours in the new gallery": ours[1].mean(), "floor in the new gallery": theirs[1].mean(),
            "the new net alone in its own gallery": alone.mean(),
        },
    )  # fmt: skip
