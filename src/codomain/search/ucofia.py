"""Score documents against queries as wholes, by runs and by words, with less weight for hubs on each level."""

from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from codomain.core import Int, Method, Paper, Real, Trial, UserError, claim, sinkhorn, unit_rows
from codomain.search.shared.sets import check_offsets, sum_by_place

_PRODUCTS = 1 << 20  # similarities of words in memory at once, which a processor's cache can hold


def hub_bias(scores: NDArray[Any], temperature: float, n_iter: int) -> NDArray[Any]:
    """Return the log of Sinkhorn's column factors, (n_documents,), which add up to 1 before the log; low for hubs."""
    logits = np.asarray(scores, np.float64)
    plan = sinkhorn(logits, temperature=temperature, n_iter=n_iter)
    # The plan is exp(logit) times a factor of the row and one of the column, so any one row shows the latter.
    factors = np.log(plan[0]) - logits[0] / temperature
    return np.asarray(factors - logsumexp(factors), scores.dtype)


def soft_maximum(scores: NDArray[Any], starts: NDArray[np.int64], temperature: float, axis: int) -> NDArray[Any]:
    """Sum each run of scores along an axis, weighted by its softmax; a small temperature gives its maximum."""
    lengths = np.diff(starts)
    best = np.maximum.reduceat(scores, starts[:-1], axis=axis)
    weights = np.exp((scores - np.repeat(best, lengths, axis=axis)) / scores.dtype.type(temperature))
    whole = np.add.reduceat(weights, starts[:-1], axis=axis)
    return np.asarray(np.add.reduceat(weights * scores, starts[:-1], axis=axis) / whole)


class UCoFiA(Method):
    r"""Average coarse, middle and fine similarities after Sinkhorn-Knopp has lowered each level's hubs.

    Coarse is the cosine of whole query and whole document, middle that of the query and the document's runs, fine that
    of words and tokens. Runs, words and tokens are joined by :math:`\sum_i \mathrm{softmax}_i(s / \tau)\, s_i`, the
    fine level in both orders. On each level :math:`\tau \log b_j` is added, where :math:`b` are the factors that
    give every document the same share of a bank of other queries. The layer that the paper learns within the weights,
    together with its encoder, is not here.

    Parameters
    ----------
    n_groups : int, default=8
        Runs of tokens, as equal as can be, that a document is cut into; fewer where it has fewer tokens.
    temperature : float, default=0.01
        Cosines are divided by it in the weights and in Sinkhorn's iterations.
    max_iter : int, default=4
        Sinkhorn's iterations.

    Attributes
    ----------
    documents_ : ndarray of shape (n_documents,)
        Names of the documents, sorted: the columns of the scores.
    tokens_ : ndarray of shape (n_samples, n_features)
        Their tokens as given, one document after another.
    offsets_ : ndarray of shape (n_documents + 1,)
        Document i is tokens_[offsets_[i]:offsets_[i + 1]].
    biases_ : ndarray of shape (3, n_documents)
        What is added to each level, in the unit of cosines; 0 without a bank.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule; when offsets do not cut the tokens of queries.

    Notes
    -----
    Checked against the authors' code (Ziyang412/UCoFiA): the softmax weights at 0.01, both orders of the fine level,
    Sinkhorn's four iterations over a bank of training texts, and the mean of the three levels with log factors added
    are the same. There the coarse and the middle level are multiplied by a learned scale, about 100, in place of the
    bias by 0.01, and the fine level by nothing, so that it counts a hundredth; here all three count alike. Learned
    square matrices stand there beside the coarse and the fine cosines and within the weights; an encoder is trained.
    Second reading: on 400 documents ours finds .37 and the floor .32; with the biases of other documents, or with their
    sign turned, .26 and .25. The fine level alone finds .03 there, since a shared token without context has cosine 1,
    and the coarse one alone .33: the claim is about hubs, as the levels add nothing to each other on these tokens.

    References
    ----------
    Wang et al. (2023), arXiv:2309.10091.

    Examples
    --------
    >>> model = UCoFiA().fit([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], ["one", "one", "two"])
    >>> model.score_sets([[1.0, 0.0], [0.0, 1.0]], [0, 2]).round(2)  # columns "one" and "two"
    array([[0.9 , 0.93]])
    """

    paper = Paper.get("ucofia")
    rules: ClassVar = {"n_groups": Int(1), "temperature": Real(0, above=True), "max_iter": Int(1)}
    small: ClassVar = {"n_groups": 2, "temperature": 0.1}

    def __init__(self, n_groups: int = 8, *, temperature: float = 0.01, max_iter: int = 4) -> None:
        self.n_groups = n_groups
        self.temperature = temperature
        self.max_iter = max_iter

    def fit(self, X: ArrayLike, y: Any = None, *, bank: ArrayLike | None = None, offsets: Any = None) -> Self:
        """Store documents and estimate how much of a hub each is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens of the documents, in order; the longer a token, the more it counts in means.
        y : array-like of shape (n_samples,), default=None
            The document that each token belongs to; None makes every row a document.
        bank : array-like of shape (n_bank_tokens, n_features), default=None
            Tokens of queries that are like those to come, but not them; None adds no bias.
        offsets : array-like of shape (n_bank_queries + 1,), default=None
            Cut the bank's tokens into queries; None makes every row a query.

        Returns
        -------
        UCoFiA
            Fitted.
        """
        self._check_params()
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32))
        names = np.arange(len(data)) if y is None else column_or_1d(y)
        check_consistent_length(data, names)
        self.documents_, place = np.unique(names, return_inverse=True)
        self.tokens_ = data[np.argsort(place, kind="stable")]
        self.offsets_: NDArray[np.int64] = np.cumsum([0, *np.bincount(place)])
        self.biases_ = np.zeros((3, len(self.documents_)), data.dtype)
        if bank is not None:
            cuts = np.arange(len(np.asarray(bank)) + 1) if offsets is None else offsets
            for level, scores in enumerate(self.levels(bank, cuts)):
                self.biases_[level] = self.temperature * hub_bias(scores, self.temperature, self.max_iter)
        elif offsets is not None:
            raise UserError("Offsets without a bank.", needed="the tokens of the queries that they cut")
        return self

    def levels(self, tokens: ArrayLike, offsets: ArrayLike) -> NDArray[Any]:
        """Cosines from -1 to 1 of queries and documents on each level, before any bias.

        Parameters
        ----------
        tokens : array-like of shape (n_tokens, n_features)
            The tokens of all queries, one query after another.
        offsets : array-like of shape (n_queries + 1,)
            Query i is tokens[offsets[i]:offsets[i + 1]], never empty.

        Returns
        -------
        ndarray of shape (3, n_queries, n_documents)
            Coarse, middle, fine.
        """
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, tokens, reset=False, dtype=(np.float64, np.float32))
        data = data.astype(np.result_type(data, self.tokens_), copy=False)
        starts = check_offsets(offsets, len(data))
        wholes = _mean_directions(data, starts)
        # Run r of a document of n tokens starts at its token r n / g.
        lengths = np.diff(self.offsets_)
        counts = np.minimum(lengths, self.n_groups)
        cuts = np.cumsum([0, *counts])
        run = np.arange(cuts[-1]) - np.repeat(cuts[:-1], counts)
        begins = np.repeat(self.offsets_[:-1], counts) + run * np.repeat(lengths, counts) // np.repeat(counts, counts)
        out = np.empty((3, len(wholes), len(lengths)), data.dtype)
        out[0] = wholes @ _mean_directions(self.tokens_, self.offsets_).T
        middle = wholes @ _mean_directions(self.tokens_, np.append(begins, len(self.tokens_))).T
        out[1] = soft_maximum(middle, cuts, self.temperature, axis=1)
        words, own = unit_rows(data), unit_rows(self.tokens_)
        first = 0
        while first < len(wholes):  # one block of whole queries, at least one
            most = starts[first] + _PRODUCTS // len(own)
            after = max(first + 1, int(np.searchsorted(starts, most, "right")) - 1)
            products = words[starts[first] : starts[after]] @ own.T
            block = starts[first : after + 1] - starts[first]
            for one, other in (((block, 0), (self.offsets_, 1)), ((self.offsets_, 1), (block, 0))):
                half = soft_maximum(products, one[0], self.temperature, one[1])
                half = soft_maximum(half, other[0], self.temperature, other[1]) / 2
                out[2, first:after] = half if one[1] == 0 else out[2, first:after] + half
            first = after
        return out

    def score_sets(self, tokens: ArrayLike, offsets: ArrayLike) -> NDArray[Any]:
        """Mean of the levels and their biases, shape (n_queries, n_documents); tokens and offsets as in `levels`."""
        levels = self.levels(tokens, offsets)
        return np.asarray(np.mean(levels + self.biases_[:, None].astype(levels.dtype, copy=False), axis=0))


def _mean_directions(tokens: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """Return the mean token of each run, scaled to length 1."""
    return unit_rows(sum_by_place(tokens, np.repeat(np.arange(len(starts) - 1), np.diff(starts)), len(starts) - 1))


@cache
def _named_docstrings() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], float]:
    """Return scores of 1,100 docstrings (columns) by the names of all (rows), and what hubs take of first places.

    Scores: the mean of three levels, that mean with biases, and CSLS of it; both from 3,300 names of other docstrings.
    """
    from codomain.tasks.docstrings import docstring_texts
    from codomain.tasks.tokens import wordllama_tokens

    heads, texts = docstring_texts("head", "text")
    chosen = np.random.default_rng(0).permutation(len(heads))[:4400]
    queries, starts = wordllama_tokens([heads[row] for row in chosen[:1100]], 12)
    bank, cuts = wordllama_tokens([heads[row] for row in chosen[1100:]], 12)
    tokens, offsets = wordllama_tokens([texts[row] for row in chosen[:1100]], 16)
    model = UCoFiA().fit(tokens, np.repeat(np.arange(1100), np.diff(offsets)), bank=bank, offsets=cuts)
    levels, known = model.levels(queries, starts), model.levels(bank, cuts).mean(axis=0)
    crowding = np.sort(known, axis=0)[-10:].mean(axis=0)  # nearness of each document to its ten nearest of the bank
    firsts = np.sort(np.bincount(known.argmax(axis=1), minlength=1100))[-55:].sum() / len(known)
    plain = levels.mean(axis=0)
    return plain, (levels + model.biases_[:, None]).mean(axis=0), 2 * plain - crowding, float(firsts)


@claim(
    UCoFiA, needs=("wordllama",),
    unit="recall at 1 of 1,100, 0 to 1", margin=0.03, seconds=60,
    says="Sinkhorn-Knopp on every level's similarities brings more right documents to the first place.",
    premise="a twentieth of the documents takes a quarter of the first places by the plain sum", least=0.25,
    floor="the plain sum of the same levels", peer="CSLS on the plain sum, from the same bank of queries",
)  # fmt: skip
def finds_what_a_name_stands_for(seed: int) -> Trial:
    """1,100 docstrings searched by 1,000 names with signatures, the seed's draw; three times as many are the bank."""
    *scores, firsts = _named_docstrings()
    rows = np.random.default_rng(seed).permutation(1100)[:1000]
    plain, ours, peer = (one.argmax(axis=1)[rows] == rows for one in scores)
    return Trial(ours=ours, floor=plain, peer=peer, chance=1 / 1100, premise=firsts)
