"""Turn a wider net's features until their leading coordinates can be searched for in an older net's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.align.shared.compatible import (
    Compatible,
    cross_entropy,
    learn,
    plain_net,
    rotation,
    run_net,
    start_net,
)  # fmt: skip
from codomain.core import Paper, Trial, claim, need, unit_rows
from codomain.core.maths.means import class_means


class OCA(Compatible):
    r"""Extra dimensions and an orthogonal layer, trained to be comparable with an old net.

    A net gives :math:`h`, `n_extra` columns wider than the old features; a classifier reads it. An orthogonal layer
    gives :math:`z = h Q`, in which every distance and cosine of :math:`h` is kept. The leading columns of :math:`z`
    learn to name the class by their cosines to the old features' class means. All are trained together. Not in the
    paper: how both losses are mixed, the net and its constants.

    Parameters
    ----------
    n_extra : int, default=16
        Columns added to those of the old features.
    n_hidden : int, default=64
        Units of the net's hidden layer.
    weight_of_base : float, default=0.5
        Share of the old class means in the loss, 0 to 1.
    temperature : float, default=0.1
        What cosines are divided by, above 0.
    epochs : int, default=40
        Passes over the rows.
    learning_rate : float, default=0.01
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the weights' start and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes in training, sorted.
    rotation_ : ndarray of shape (n_features_out, n_features_out)
        The orthogonal layer.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass, in nats.
    n_features_old_ : int
        Leading columns to compare with old features; 0 without them.

    Raises
    ------
    ValueError
        In `fit`, when y is missing, old has other rows, or a parameter breaks its rule.

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

    def _train(self, X: NDArray[Any], codes: NDArray[np.intp], old: NDArray[Any], rng: np.random.RandomState) -> int:
        torch = need("torch", "torch")
        n_old, width = old.shape[1], old.shape[1] + self.n_extra
        start = start_net(X, self.n_hidden, width, rng)
        start["classifier"] = rng.standard_normal((codes.max() + 1, width)).astype(X.dtype)
        start["skew"] = np.zeros((width, width), X.dtype)
        rows, labels = torch.from_numpy(np.array(X)), torch.from_numpy(codes)
        means = torch.from_numpy(class_means(old, codes))

        def loss(net: Any, some: Any) -> Any:
            h = run_net(net, rows[some])
            own = cross_entropy(h, net["classifier"], labels[some], self.temperature)
            if not n_old:
                return own
            leading = h @ rotation(net["skew"])[:, :n_old]
            theirs = cross_entropy(leading, means, labels[some], self.temperature)
            return (1 - self.weight_of_base) * own + self.weight_of_base * theirs

        net, self.losses_ = learn(loss, start, len(X), epochs=self.epochs, learning_rate=self.learning_rate, rng=rng)
        self.rotation_ = rotation(torch.from_numpy(net["skew"])).numpy()
        self._net = net
        return width

    def _features(self, X: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(run_net(self._net, X) @ self.rotation_)


@claim(
    OCA, needs=("torch",),
    unit="mean average precision, mean of new queries in an old and in a new gallery, 0 to 1", margin=0.2,
    seconds=60, says="A net of ten digits can search its own gallery and that of an old net that knew five.",
    floor="a net of the same width trained for itself",
    peer="that net turned onto the old one by scipy's orthogonal_procrustes",
)  # fmt: skip
def searches_old_and_new(seed: int) -> Trial:
    """Old net of 16 columns on the digits 0 to 4, new ones of 32 on all; galleries and queries hold all ten."""
    from scipy.linalg import orthogonal_procrustes

    from codomain.tasks.galleries import digit_gallery, precision

    data = digit_gallery(seed)
    few = data.y < 5
    old_net, _ = plain_net(data.X[few], data.y[few], 16, np.random.RandomState(seed + 1000))
    old, gallery_old = run_net(old_net, data.X), run_net(old_net, data.gallery)
    fitted = OCA(random_state=seed).fit(data.X, data.y, old=old)
    plain, _ = plain_net(data.X, data.y, 32, np.random.RandomState(seed))
    widened = np.pad(unit_rows(old), ((0, 0), (0, 16)))
    turn = orthogonal_procrustes(unit_rows(run_net(plain, data.X)), widened)[0]

    def mean_precision(queries: NDArray[Any], gallery: NDArray[Any]) -> float:
        across = precision(queries[:, :16], data.queries_y, gallery_old, data.gallery_y)
        return (across + precision(queries, data.queries_y, gallery, data.gallery_y)) / 2

    theirs = run_net(plain, data.queries), run_net(plain, data.gallery)
    return Trial(
        ours=mean_precision(fitted.transform(data.queries), fitted.transform(data.gallery)),
        floor=mean_precision(*theirs),
        peer=mean_precision(*(Z @ turn for Z in theirs)),
    )
