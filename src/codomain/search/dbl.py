"""Match two views of the same items, with margins that a second, plainer matcher sets."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, Paired, Paper, Real, Seed, Trial, UserError, claim, descend, need, unit_rows

_ROWS = 128  # pairs of a step
_RATE = 3e-3


def hardest_loss(scores: Any, margins: Any) -> Any:
    """Return the mean over pairs of the worst shortfall in both directions; scores (b, b), pairs on the diagonal.

    `margins` holds one table of that shape for rows and one for columns, or a number for both.
    """
    torch: Any = need("torch", "torch")
    by_row, by_column = margins if isinstance(margins, tuple) else (margins, margins)
    right = scores.diagonal()
    own = torch.eye(len(scores), dtype=torch.bool)
    rows = (by_row - right[:, None] + scores).masked_fill(own, 0).clamp(min=0)
    columns = (by_column - right[None] + scores).masked_fill(own, 0).clamp(min=0)
    return (rows.amax(dim=1) + columns.amax(dim=0)).mean()


def relative_margins(anchor: Any, margin: float) -> tuple[Any, Any]:
    """Return margins, for rows and for columns: what the anchor's similarities reach, and `margin` more."""
    right = anchor.diagonal()
    return margin + right[:, None] - anchor, margin + right[None] - anchor


class DBL(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Paired):
    r"""Linear heads of two views, with margins above those that an anchor pair of heads already reaches.

    Anchor heads learn by the triplet loss with the hardest negative, :math:`[m - s^+ + s^-]_+`. Beside them, from
    another start, target heads minimise that loss plus :math:`[(a^+ - a^-) + m - (s^+ - s^-)]_+`, where :math:`a` are
    the anchor's similarities of the same pairs, held fixed: each pair has a margin of its own, the anchor's and
    :math:`m` more. These are the paper's relative margins; its heads are whole networks, here they are linear maps of
    frozen features.

    Parameters
    ----------
    n_components : int, default=128
        Width of the common space.
    margin : float, default=0.2
        Cosine by which the right partner should lead, and the target's lead exceed the anchor's, above 0.
    epochs : int, default=30
        Passes over the pairs.
    random_state : int, RandomState or None, default=None
        Seed of the starts and of the order of pairs.

    Attributes
    ----------
    components_ : ndarray of shape (n_features, n_components)
        Target head of the first view.
    other_components_ : ndarray of shape (n_other_features, n_components)
        Target head of the other view.
    anchor_components_ : ndarray of shape (n_features, n_components)
        Anchor head of the first view: the plain triplet loss alone.
    anchor_other_components_ : ndarray of shape (n_other_features, n_components)
        Anchor head of the other view.

    Raises
    ------
    ValueError
        In `fit`, when the other view is missing or has other rows, or a parameter breaks its rule.

    Notes
    -----
    Checked against the authors' code (Paranioar/DBL, two branches in one step, relative margins): both losses, their
    hardest negatives in either direction, the sum of plain and relative loss with weight 1 for the target, the anchor
    held fixed within it, margin 0.2 and minibatches of 128 are the same; means stand for sums, which moves no minimum.
    Not in the paper: linear heads, their rate and width. Second reading: formulas as published, where the absolute form
    of the margins is the default and gradients are clipped. Ours was ahead of the plain loss at the same margin, 0.2,
    .312 against .284 by one seed, and so was one constant, wider margin; the claim lets both choose theirs since.

    References
    ----------
    Diao et al. (2024), arXiv:2404.18114.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> A, turn = rng.normal(size=(200, 4)), rng.normal(size=(4, 6))
    >>> model = DBL(4, epochs=200, random_state=0).fit(A, A @ turn)
    >>> cosines = model.transform(A[:3]) @ model.transform_other(A[:3] @ turn).T
    >>> cosines.argmax(axis=1)
    array([0, 1, 2])
    """

    paper = Paper.get("dbl")
    rules: ClassVar = {
        "n_components": Int(1), "margin": Real(0, above=True), "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_components": 2, "epochs": 2, "random_state": 0}
    partner = "the other view"

    def __init__(
        self, n_components: int = 128, *, margin: float = 0.2, epochs: int = 30, random_state: Any = None
    ) -> None:
        self.n_components = n_components
        self.margin = margin
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from X, (n_samples, n_features), and y, (n_samples, n_other_features); row i of both is one pair."""
        A, B = self._pairs(X, y, least=2)
        torch: Any = need("torch", "torch")
        random = check_random_state(self.random_state)
        views = [torch.from_numpy(np.array(unit_rows(view), np.float32)) for view in (A, B)]

        def head(width: int) -> Any:
            start = random.standard_normal((width, self.n_components)) / np.sqrt(width)
            return torch.nn.Parameter(torch.tensor(start, dtype=torch.float32))

        heads = [head(view.shape[1]) for view in (*views, *views)]  # anchor, then target

        def loss(rows: Any) -> Any:
            ends = [
                torch.nn.functional.normalize(view[rows] @ one, dim=1)
                for view, one in zip(views * 2, heads, strict=True)
            ]
            anchor, target = ends[0] @ ends[1].T, ends[2] @ ends[3].T
            # The anchor gets no gradient from the margins, so it learns by the plain loss alone.
            wider = relative_margins(anchor.detach(), self.margin)
            return hardest_loss(anchor, self.margin) + hardest_loss(target, self.margin) + hardest_loss(target, wider)

        descend(loss, heads, len(A), epochs=self.epochs, batch=_ROWS, learning_rate=_RATE, random_state=random)
        learned = [one.detach().numpy().astype(A.dtype) for one in heads]
        self.anchor_components_, self.anchor_other_components_, self.components_, self.other_components_ = learned
        self._n_features_out = self.n_components
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Rows of the first view in the common space, of length 1 and shape (n_samples, n_components)."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return unit_rows(unit_rows(data) @ self.components_.astype(data.dtype, copy=False))

    def transform_other(self, Y: ArrayLike) -> NDArray[Any]:
        """Rows of the other view, (n_samples, n_other_features), in the common space, of length 1."""
        check_is_fitted(self)
        data: NDArray[Any] = check_array(Y, dtype=(np.float64, np.float32))
        if data.shape[1] != len(self.other_components_):
            raise UserError(f"{data.shape[1]} columns.", needed=f"{len(self.other_components_)}, as y had in fit")
        return unit_rows(unit_rows(data) @ self.other_components_.astype(data.dtype, copy=False))


@claim(
    DBL, needs=("torch", "wordllama"),
    unit="recall at 1, mean of both directions, 0 to 1", margin=0.01, seconds=120, scale="minutes",
    why="ours and the floor choose their margin among four on pairs held out",
    says="Margins set by an anchor bring more partners to the first place than one margin for all, chosen as well.",
    premise="the triplet loss teaches: it finds 2 points more than the cosine of the vectors as they are", least=0.02,
    floor="the anchor: the same heads with the plain triplet loss, its margin the best of four on pairs held out",
    peer="the same heads with InfoNCE at temperature 0.05",
)  # fmt: skip
def finds_partners(seed: int) -> Trial:
    """Name and signature against docstring, wordllama: 2,000 pairs are learned from, all others are matched.

    Both choose their margin (0.2 as published, and wider) on 400 of the 2,000 pairs. With 0.2 for both, as first tried,
    ours was ahead by .028: the anchor's margin was too narrow.
    """
    import torch

    from codomain.tasks.docstrings import docstring_views

    A, B = docstring_views("head", "text")
    order = np.random.default_rng(seed).permutation(len(A))
    train, test = order[:2000], order[2000:]

    def recall(one: NDArray[Any], other: NDArray[Any], rows: NDArray[Any] = test) -> NDArray[np.float64]:
        scores, pairs = unit_rows(A[rows] @ one) @ unit_rows(B[rows] @ other).T, np.arange(len(rows))
        return np.mean([scores.argmax(axis=axis) == pairs for axis in (0, 1)], axis=0)

    def heads(margin: float, rows: NDArray[Any]) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
        fitted = DBL(margin=margin, random_state=seed).fit(A[rows], B[rows])
        return {
            "anchor": (fitted.anchor_components_, fitted.anchor_other_components_),
            "target": (fitted.components_, fitted.other_components_),
        }

    margins = (0.2, 0.4, 0.6, 0.8)
    tried = [heads(margin, train[400:]) for margin in margins]
    chosen = {
        kind: margins[int(np.argmax([recall(*one[kind], train[:400]).mean() for one in tried]))]
        for kind in ("anchor", "target")
    }
    random = np.random.RandomState(seed)
    plain = [
        torch.nn.Parameter(torch.tensor(random.standard_normal((256, 128)) / 16, dtype=torch.float32)) for _ in "AB"
    ]
    views = [torch.from_numpy(view[train]) for view in (A, B)]

    def info_nce(rows: Any) -> Any:
        ends = [torch.nn.functional.normalize(v[rows] @ one, dim=1) for v, one in zip(views, plain, strict=True)]
        scores, right = ends[0] @ ends[1].T / 0.05, torch.arange(len(rows))
        return torch.nn.functional.cross_entropy(scores, right) + torch.nn.functional.cross_entropy(scores.T, right)

    descend(info_nce, plain, len(train), epochs=DBL().epochs, batch=_ROWS, learning_rate=_RATE, random_state=random)
    floor = recall(*heads(chosen["anchor"], train)["anchor"])
    return Trial(
        ours=recall(*heads(chosen["target"], train)["target"]), floor=floor,
        peer=recall(*(one.detach().numpy() for one in plain)), chance=1 / len(test),
        premise=float(floor.mean() - recall(np.eye(256), np.eye(256)).mean()),
        also={f"margin of the {kind}": margin for kind, margin in chosen.items()},
    )  # fmt: skip
