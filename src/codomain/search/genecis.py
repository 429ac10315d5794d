"""Search under a condition: a network composes an example and what should differ into one query."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.validation import validate_data

from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim, need
from codomain.search.shared.combiner import (
    Combiner,
    check_conditions,
    compose,
    cross_entropy,
    learn,
    start_weights,
)
from codomain.search.shared.partners import draw_partners
from codomain.search.shared.rows import unit_float32


class GeneCIS(Combiner, Method):
    r"""Learn from rows with a subject and a description to find "the same subject, but with this description".

    Triplets are mined, not labelled: two rows of one subject are reference and target, and the target's description is
    the condition. The query :math:`q = g C c + (1 - g) R x + h(Cc, Rx)`, with a gate :math:`g` and a correction
    :math:`h` from one hidden layer, minimises InfoNCE against the targets :math:`T x'` of its minibatch. The paper
    trains the encoders too; here their vectors are frozen under the linear heads R, C, T.

    Parameters
    ----------
    n_components : int, default=256
        Width of queries and targets.
    n_hidden : int, default=256
        Units of the hidden layer.
    temperature : float, default=0.01
        Cosines are divided by it, as published.
    epochs : int, default=20
        Passes over the rows; each pass draws new partners.
    random_state : int, RandomState or None, default=None
        Seed of the start, the order of rows and the partners.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Heads "reference", "condition" and "target" of shape (width, n_components), and the layers that join them.
    n_triplets_ : int
        Rows that have a partner: the triplets of a pass.

    Raises
    ------
    ValueError
        In `fit`, when the subjects are missing, no subject has two rows, or a parameter breaks its rule.

    Notes
    -----
    Checked against the authors' code (facebookresearch/genecis): the gated mean of both features plus a correction from
    one hidden layer, queries and targets of length 1, the temperature and the loss with targets of the minibatch as
    negatives are the same. There the gate has a hidden layer of its own, both features pass a layer before they are
    joined, and half of all units are dropped in training; the encoders, which linear heads stand for here, are trained
    from their own start, so heads start as one rotation. Not in the paper: all sizes, rates and passes, as here data
    are a thousand times fewer; triplets are drawn by given subjects and not by parsing captions. Second reading: gate,
    temperature and loss as published; with the conditions shuffled in training ours falls from .87 to .78 by one seed,
    below the floor's .85.

    References
    ----------
    Vaze et al. (2023), arXiv:2306.07969.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> subject, colour = np.divmod(np.arange(120), 6)
    >>> rows = np.hstack([rng.normal(size=(20, 8))[subject], np.eye(6)[colour]])
    >>> model = GeneCIS(16, epochs=60, random_state=0).fit(rows, subject, conditions=np.eye(6)[colour])
    >>> query = model.transform(rows[[0]], conditions=np.eye(6)[[4]])  # subject 0 in colour 4
    >>> int((query @ model.transform_targets(rows).T).argmax())
    4
    """

    paper = Paper.get("genecis")
    rules: ClassVar = {
        "n_components": Int(1), "n_hidden": Int(1), "temperature": Real(0, above=True), "epochs": Int(1),
        "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_components": 2, "n_hidden": 4, "epochs": 2, "random_state": 0}
    needs_y = True

    def __init__(
        self, n_components: int = 256, *, n_hidden: int = 256, temperature: float = 0.01, epochs: int = 20,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, *, conditions: ArrayLike | None = None) -> Self:
        """Mine triplets and learn to compose.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Vectors of the rows, scaled to length 1 here.
        y : array-like of shape (n_samples,)
            Subject of each row; rows of one subject are each other's references and targets.
        conditions : array-like of shape (n_samples, n_condition_features), default=None
            Vectors of what describes each row besides its subject; None takes the rows themselves.

        Returns
        -------
        GeneCIS
            Fitted.
        """
        self._check_params()
        if y is None:
            raise UserError("GeneCIS: requires y to be passed, but the target y is None.", needed="subjects as y")
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32), ensure_min_samples=2)
        subjects = column_or_1d(y)
        check_consistent_length(data, subjects)
        descriptions = check_conditions(conditions, data)
        random = check_random_state(self.random_state)
        rows = np.flatnonzero(draw_partners(subjects, random) >= 0)
        if len(rows) < 2:
            raise UserError("No subject has two rows.", needed="rows that share a subject, to mine triplets from")
        torch: Any = need("torch", "torch")
        items, conditional = (torch.from_numpy(unit_float32(part[rows])) for part in (data, descriptions))
        _, groups = np.unique(subjects[rows], return_inverse=True)
        widths = {"reference": data.shape[1], "condition": descriptions.shape[1], "target": data.shape[1]}

        def loss(weights: dict[str, Any], batch: Any, epoch: int) -> Any:
            # One partner for every row; those of the minibatch are used.
            partners = torch.from_numpy(draw_partners(groups, random))[batch]
            queries = compose(weights, items[batch], conditional[partners])
            targets = torch.nn.functional.normalize(items[partners] @ weights["target"], dim=1)
            return cross_entropy(queries @ targets.T / self.temperature, partners[:, None] == partners)

        start = start_weights(widths, self.n_components, self.n_hidden, random)
        self.weights_ = learn(start, loss, len(rows), self.epochs, random)
        self.n_triplets_ = len(rows)
        self._n_features_out = self.n_components
        return self


@claim(
    GeneCIS, needs=("torch", "wordllama", "apt-lists"),
    unit="recall at 1 among 15, 0 to 1", margin=0.05, seconds=60,
    says="A combiner trained on mined triplets finds the package that words ask for, of sources never seen.",
    premise="both parts of a query are needed: their sum finds more than the better one alone, by 3 points", least=0.03,
    floor="the sum of the reference's and the words' vectors", peer="the sum with a weight tuned on such triplets",
)  # fmt: skip
def finds_another_package_of_the_source(seed: int) -> Trial:
    """Ask by a package's summary and words as in "documentation" for the summary of another package of its source.

    Against it are up to seven other packages of the source, and others of the kind asked for, to make 15. Tried first:
    docstrings with names of siblings, then with the names' first words, which find about as much alone as in the sum.
    """
    from codomain.tasks.package_kinds import package_kinds
    from codomain.tasks.triplets import tune_share

    train, test = package_kinds(seed, 2000, 1500)
    random, (sources, kinds, Z, words) = np.random.RandomState(seed), test
    ours = GeneCIS(random_state=seed).fit(train.summaries, train.sources, conditions=train.words)
    share = tune_share(train.summaries, train.words, draw_partners(train.sources, random))

    rows = random.permutation(len(Z))[:1000]
    right = draw_partners(sources, random)[rows]
    own, places = sources[rows, None] == sources, np.arange(len(Z))
    rank = random.random_sample(own.shape)
    sibling = own & (places != rows[:, None]) & (places != right[:, None])
    siblings = np.argsort(np.where(sibling, rank, 2), axis=1)[:, :7]
    # Others of the kind, in any order; where there are too few, others of any kind.
    strangers = np.argsort(np.where(own, 3, rank + (kinds[right, None] != kinds)), axis=1)[:, :14]
    some = np.where(np.take_along_axis(sibling, siblings, 1), siblings, strangers[:, 7:])
    choices = np.hstack([right[:, None], some, strangers[:, :7]])

    def recall(queries: NDArray[Any], rows_of: NDArray[Any]) -> NDArray[np.bool_]:
        scores = np.einsum("qd,qcd->qc", queries, rows_of[choices])
        return np.asarray(scores[:, 0] > scores[:, 1:].max(axis=1))

    one, asked = Z[rows], words[right]
    floor = recall(one + asked, Z)
    return Trial(
        ours=recall(ours.transform(one, conditions=asked), ours.transform_targets(Z)), floor=floor,
        peer=recall((1 - share) * one + share * asked, Z), chance=1 / 15,
        premise=float(floor.mean() - max(recall(one, Z).mean(), recall(asked, Z).mean())),
    )  # fmt: skip
