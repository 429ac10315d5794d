"""Keep all of a new net's features and rotate them, with a few added columns, so that an old net's come first."""

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
from codomain.core import Paper, Trial, UserError, claim, need, unit_rows
from codomain.core.maths.means import class_means

# How much longer the new net's part is than the added one; as in the authors' code for CIFAR-100.
LENGTH = 2.0


def _assemble(Z: Any, n_old: int, first: Any, second: Any, unit: Any, library: Any) -> Any:
    """Cut the net's columns into the new and the added part and change bases; for numpy and torch."""
    new, added = unit(Z[:, :n_old]), unit(Z[:, n_old:])
    mixed = library.hstack([added, LENGTH * (new @ first)])
    return library.hstack([mixed[:, :n_old] @ second, mixed[:, n_old:]])


class BT2(Compatible):
    r"""Two changes of basis that put an old net's features in front of a new net's.

    A net learns the features :math:`\phi` of another net trained on its own, as wide as the old ones, and `n_extra`
    added columns :math:`a`, both at length 1. The first change of basis leaves in :math:`2 \phi Q_1` some columns
    beside :math:`a`; :math:`Q_2` rotates those and :math:`a` into the leading columns, which learn the old features and
    to name the class by their means. Nothing of :math:`\phi` is lost. Not in the paper: how the losses are mixed, the
    net and its constants.

    Parameters
    ----------
    n_extra : int, default=16
        Added columns, at most as many as the old features have.
    n_hidden : int, default=64
        Units of the hidden layer of both nets.
    weight_of_base : float, default=0.5
        Share of the old features and their class means in the loss, 0 to 1.
    temperature : float, default=0.1
        What cosines are divided by, above 0.
    epochs : int, default=40
        Passes over the rows by each net.
    learning_rate : float, default=0.01
        Length of a training step.
    random_state : int, RandomState or None, default=None
        Seed of the weights' start and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes in training, sorted.
    rotations_ : ndarray of shape (2, n_features_old, n_features_old)
        Both changes of basis.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass; cross-entropies in nats plus one minus each cosine.
    n_features_old_ : int
        Leading columns to compare with old features; 0 without them, and then the net is trained on its own.

    Raises
    ------
    ValueError
        In `fit`, when y is missing, old has other rows or fewer columns than n_extra, or a parameter breaks its rule.

    References
    ----------
    Zhou et al. (2022), arXiv:2211.03989.

    Examples
    --------
    >>> X = [[0.0, 1.0], [0.1, 0.9], [1.0, 0.0], [0.9, 0.1]]
    >>> old = np.array([[-1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [0.0, -1.0]])
    >>> new = BT2(1, epochs=200, random_state=0).fit(X, [0, 0, 1, 1], old=old).transform(X)
    >>> new.shape, (new[:, :2] @ old.T).argmax(axis=1)
    ((4, 3), array([0, 0, 2, 2]))
    """

    paper = Paper.get("bt2")

    def _train(self, X: NDArray[Any], codes: NDArray[np.intp], old: NDArray[Any], rng: np.random.RandomState) -> int:
        torch = need("torch", "torch")
        n_old = old.shape[1]
        if 0 < n_old < self.n_extra:
            raise UserError(f"n_extra={self.n_extra} and old is {n_old} wide.", needed="n_extra of at most that width")
        plain, self.losses_ = plain_net(
            X, codes, n_old or self.n_extra, rng, n_hidden=self.n_hidden, temperature=self.temperature,
            epochs=self.epochs, learning_rate=self.learning_rate,
        )  # fmt: skip
        self.rotations_ = np.zeros((2, n_old, n_old), X.dtype)
        if not n_old:
            self._net = plain
            return self.n_extra
        start = start_net(X, self.n_hidden, n_old + self.n_extra, rng)
        start["classifier"] = rng.standard_normal((codes.max() + 1, n_old)).astype(X.dtype)
        start |= {name: np.zeros((n_old, n_old), X.dtype) for name in ("first", "second")}
        arrays = np.array(X), codes, old, class_means(old, codes), unit_rows(run_net(plain, X))
        rows, labels, before, means, wanted = (torch.from_numpy(part) for part in arrays)
        unit = torch.nn.functional.normalize

        def loss(net: Any, some: Any) -> Any:
            Z = run_net(net, rows[some])
            new = unit(Z[:, :n_old])
            lead = _assemble(Z, n_old, rotation(net["first"]), rotation(net["second"]), unit, torch)[:, :n_old]
            own = cross_entropy(new, net["classifier"], labels[some], self.temperature)
            own = own + 1 - (new * wanted[some]).sum(dim=1).mean()
            theirs = cross_entropy(lead, means, labels[some], self.temperature)
            theirs = theirs + 1 - (unit(lead) * before[some]).sum(dim=1).mean()
            return (1 - self.weight_of_base) * own + self.weight_of_base * theirs

        self._net, self.losses_ = learn(
            loss, start, len(X), epochs=self.epochs, learning_rate=self.learning_rate, rng=rng
        )
        self.rotations_ = np.stack(
            [rotation(torch.from_numpy(self._net[name])).numpy() for name in ("first", "second")]
        )
        return n_old + self.n_extra

    def _features(self, X: NDArray[Any]) -> NDArray[Any]:
        Z = run_net(self._net, X)
        if not self.n_features_old_:
            return unit_rows(Z)
        first, second = self.rotations_.astype(Z.dtype)
        return np.asarray(_assemble(Z, self.n_features_old_, first, second, unit_rows, np))


@claim(
    BT2, needs=("torch",),
    unit="mean average precision, mean of new queries in an old and in a new gallery, 0 to 1", margin=0.01,
    seconds=60, says="Four added columns let a net of ten digits search an old gallery without losing its own.",
    floor="a net without added columns, trained for both (BCT)",
    peer="a net with four added columns, trained for both without changes of basis",
)  # fmt: skip
def searches_old_and_new(seed: int) -> Trial:
    """Old net of 16 columns on the digits 0 to 4, new ones of 16 and 20 on all; galleries and queries hold all ten."""
    from codomain.tasks.galleries import digit_gallery, precision

    data = digit_gallery(seed)
    few = data.y < 5
    old_net, _ = plain_net(data.X[few], data.y[few], 16, np.random.RandomState(seed + 1000))
    old, gallery_old = run_net(old_net, data.X), run_net(old_net, data.gallery)
    fitted = BT2(4, random_state=seed).fit(data.X, data.y, old=old)
    narrow, wide = (plain_net(data.X, data.y, width, np.random.RandomState(seed), old=old)[0] for width in (16, 20))

    def mean_precision(queries: NDArray[Any], gallery: NDArray[Any]) -> float:
        across = precision(queries[:, :16], data.queries_y, gallery_old, data.gallery_y)
        return (across + precision(queries, data.queries_y, gallery, data.gallery_y)) / 2

    return Trial(
        ours=mean_precision(fitted.transform(data.queries), fitted.transform(data.gallery)),
        floor=mean_precision(run_net(narrow, data.queries), run_net(narrow, data.gallery)),
        peer=mean_precision(run_net(wide, data.queries), run_net(wide, data.gallery)),
    )
