"""Judge each retrieved candidate by itself, rank by the judgement, and refuse what is not likely enough."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, Paired, Paper, Real, Seed, Trial, UserError, claim, descend, need
from codomain.search.ragllava.judge import best_threshold, log_odds, start_weights
from codomain.search.shared.rows import unit_float32

_ROWS, _WRONG, _RATE = 64, 7, 2e-3  # queries in a step, wrong candidates for each of them, and the learning rate


class RagLLaVA(Paired):
    r"""Learn to say whether a candidate answers a query; rank by the probability of yes, refuse below a threshold.

    :math:`p(\text{yes}) = \sigma(w \cdot (Aq \circ Bd) + v \cdot h(Aq \circ Bd, |Aq - Bd|) + b)`, with one hidden layer
    :math:`h`, learns from each query's right document and from wrong ones that the retriever returned, all under noise.
    The threshold is the one with the highest F1 on a held-out fifth of the queries. The paper asks a large model for
    its yes, adds noise to its images and trains its reader too; this is only the reranker, on given vectors. Not in the
    paper: the threshold, sizes and rates.

    Parameters
    ----------
    n_components : int, default=128
        Width of the space in which queries and documents are compared.
    n_hidden : int, default=64
        Units of the hidden layer.
    noise : float, default=0.3
        Standard deviation of the noise added in training to a document of length 1, over all its entries together: for
        each entry it is divided by the root of their number.
    epochs : int, default=20
        Passes over the queries.
    random_state : int, RandomState or None, default=None
        Seed of the start, the held-out queries, the wrong candidates and the noise.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        "query" and "document", both (width, n_components), and the layers of the judgement.
    threshold_ : float
        Probability from which on a candidate is kept: the one with the highest F1 on held-out queries.

    Raises
    ------
    ValueError
        In `fit`, when documents are missing or do not fit, candidates are no rows of them, or a parameter breaks its
        rule.

    References
    ----------
    Chen et al. (2024), arXiv:2407.21439.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> A = rng.normal(size=(300, 6))
    >>> judge = RagLLaVA(16, epochs=60, random_state=0).fit(A, A @ rng.normal(size=(6, 5)))
    >>> 0 < judge.threshold_ < 1
    True
    """

    paper = Paper.get("ragllava")
    rules: ClassVar = {
        "n_components": Int(1), "n_hidden": Int(1), "noise": Real(0), "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_components": 2, "n_hidden": 4, "epochs": 2, "random_state": 0}
    partner = "the documents"

    def __init__(
        self, n_components: int = 128, *, n_hidden: int = 64, noise: float = 0.3, epochs: int = 20,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.noise = noise
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, *, candidates: ArrayLike | None = None) -> Self:
        """Learn to judge.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Queries; rows are scaled to length 1 here, those of documents too.
        y : array-like of shape (n_samples, n_document_features) or (n_samples,)
            Documents; document i answers query i and is taken to answer no other.
        candidates : array-like of int of shape (n_samples, n_candidates), default=None
            Documents that the retriever returned to each query, right or wrong; None draws others at random.

        Returns
        -------
        RagLLaVA
            Fitted.
        """
        data, documents = self._pairs(X, y, least=2)
        n, random = len(data), check_random_state(self.random_state)
        near = random.randint(n, size=(n, 2 * _WRONG)) if candidates is None else np.asarray(candidates)
        if near.ndim != 2 or len(near) != n or near.dtype.kind not in "iu" or np.any((near < 0) | (near >= n)):
            raise UserError(
                f"Candidates of shape {near.shape} and dtype {near.dtype}.",
                needed=f"{n} lists of whole numbers from 0 to {n - 1}, the rows of y",
            )
        torch: Any = need("torch", "torch")
        generator = torch.Generator().manual_seed(random.randint(2**31 - 1))
        Q, D = (torch.from_numpy(unit_float32(part)) for part in (data, documents))
        order = random.permutation(n)
        held_out, train = order[: max(1, n // 5)], order[max(1, n // 5) :]
        live = {
            name: torch.nn.Parameter(torch.from_numpy(values))
            for name, values in start_weights(Q.shape[1], D.shape[1], self.n_components, self.n_hidden, random).items()
        }

        def loss(rows: Any) -> Any:
            chosen = train[rows.numpy()]
            negatives = near[chosen[:, None], random.randint(near.shape[1], size=(len(chosen), _WRONG))]
            pairs = np.hstack([chosen[:, None], negatives])
            counts = torch.from_numpy(
                np.hstack([np.ones((len(chosen), 1)), negatives != chosen[:, None]]).astype(np.float32)
            )
            noisy = D[pairs.ravel()]
            noisy = noisy + self.noise / noisy.shape[1] ** 0.5 * torch.randn(noisy.shape, generator=generator)
            odds = log_odds(live, Q[np.repeat(chosen, pairs.shape[1])], noisy).reshape(pairs.shape)
            yes = torch.zeros_like(odds)
            yes[:, 0] = 1
            return torch.nn.functional.binary_cross_entropy_with_logits(odds, yes, counts)

        descend(
            loss, live.values(), len(train), epochs=self.epochs, batch=_ROWS, learning_rate=_RATE,
            random_state=random,
        )  # fmt: skip
        self.weights_ = {name: values.detach().numpy() for name, values in live.items()}
        right = self._probabilities(Q[held_out], D[held_out])
        askers, found = np.repeat(held_out, near.shape[1]), near[held_out].ravel()
        askers, found = askers[askers != found], found[askers != found]
        wrong = self._probabilities(Q[askers], D[found])
        self.threshold_ = best_threshold(right, wrong)
        return self

    def _probabilities(self, queries: Any, documents: Any) -> NDArray[np.float32]:
        """Probability of yes for pairs of tensors."""
        torch: Any = need("torch", "torch")
        with torch.no_grad():
            fixed = {name: torch.from_numpy(values) for name, values in self.weights_.items()}
            return np.asarray(torch.sigmoid(log_odds(fixed, queries, documents)).numpy())

    def score_pairs(self, queries: ArrayLike, documents: ArrayLike) -> NDArray[Any]:
        """Probability, 0 to 1, that document i answers query i, of shape (n_pairs,); compare with `threshold_`."""
        check_is_fitted(self)
        torch: Any = need("torch", "torch")
        Q: NDArray[Any] = validate_data(self, queries, reset=False, dtype=(np.float64, np.float32))
        D: NDArray[Any] = check_array(documents, dtype=(np.float64, np.float32))
        check_consistent_length(Q, D)
        if D.shape[1] != len(self.weights_["document"]):
            raise UserError(f"{D.shape[1]} columns.", needed=f"{len(self.weights_['document'])}, as y had in fit")
        return self._probabilities(*(torch.from_numpy(unit_float32(part)) for part in (Q, D))).astype(Q.dtype)


@claim(
    RagLLaVA, needs=("torch", "wordllama"),
    unit="F1 of the candidates kept, 0 to 1", margin=0.02, seconds=60,
    says="A judge of candidates with a bar keeps more right and fewer wrong ones than taking the retriever's first.",
    floor="the retriever's first candidate, always",
    peer="logistic regression on the entries' products of the same pairs, with a bar set the same way",
)  # fmt: skip
def keeps_what_follows_a_first_line(seed: int) -> Trial:
    """Search 1,000 docstrings without first lines by 400 of these, 20 candidates each; 1,000 other pairs teach."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    from codomain.tasks.docstrings import docstring_views

    A, B = docstring_views("first", "rest")
    order = np.random.default_rng(seed).permutation(len(A))
    (Q, D), (queries, store) = ((A[rows], B[rows]) for rows in (order[:1000], order[1000:2000]))
    queries = queries[:400]
    near, found = (np.argsort(-(q @ d.T), axis=1)[:, :20] for q, d in ((Q, D), (queries, store)))
    right = found == np.arange(400)[:, None]

    def f1(kept: NDArray[Any]) -> float:
        return float(2 * np.sum(kept & right) / (kept.sum() + 400))

    ours = RagLLaVA(random_state=seed).fit(Q, D, candidates=near)
    scores = ours.score_pairs(np.repeat(queries, 20, axis=0), store[found.ravel()]).reshape(found.shape)

    # The same pairs: each query with its right document and its wrong candidates.
    pairs = np.hstack([np.arange(1000)[:, None], near])
    yes = np.tile(np.arange(21) == 0, (1000, 1))
    used = yes | (pairs != np.arange(1000)[:, None])
    held_out = (np.arange(1000) < 200)[:, None]
    products = 256 * Q[:, None] * D[pairs]
    fits = [LogisticRegression(C=C).fit(products[used & ~held_out], yes[used & ~held_out]) for C in (0.01, 1.0)]
    test = used & held_out
    plain = max(fits, key=lambda fit: -log_loss(yes[test], fit.predict_proba(products[test])[:, 1]))
    bar = best_threshold(*(plain.predict_proba(products[test & which])[:, 1] for which in (yes, ~yes)))
    chance = plain.predict_proba((256 * queries[:, None] * store[found]).reshape(8000, -1))[:, 1]
    return Trial(
        ours=f1(scores >= ours.threshold_),
        floor=f1(np.arange(20) == np.zeros((400, 1))),
        peer=f1(chance.reshape(found.shape) >= bar),
    )
