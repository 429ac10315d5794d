"""Search among docstrings as sets of tokens: queries are other docstrings, which look for the ten best."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codomain.data import frozen_docstrings
from codomain.tasks.tokens import Sets, minilm_tokens

_SEARCHED, _OTHERS, _ASKED = 1000, 500, 1500


class TokenSearch(NamedTuple):
    """Docstrings as sets of tokens by MiniLM: tokens and the offsets that cut them, and how well they match exactly.

    Parameters
    ----------
    searched, others : pair of ndarray
        1,000 docstrings to search and 500 others to learn from, at most 24 tokens of each; the same for every seed.
    queries : pair of ndarray
        1,000 drawn by the seed from 1,500 yet others, at most 12 tokens of each.
    best : ndarray of shape (n_query_tokens, 1000)
        Each query token's best cosine in each docstring that is searched.
    exact : ndarray of shape (1000, 1000)
        MaxSim of queries and docstrings: the sums of `best`.
    """

    searched: Sets
    queries: Sets
    others: Sets
    best: NDArray[np.float32]
    exact: NDArray[np.float32]


@lru_cache(maxsize=1)
def _pool() -> tuple[Sets, Sets, Sets, NDArray[np.float32]]:
    """Return what is searched, what is learned from, all queries, and their tokens' best cosines."""
    different = list(dict.fromkeys(frozen_docstrings()["text"].to_pylist()))
    texts = np.random.default_rng(0).permutation(np.array(different, object))
    parts = np.split(texts[: _SEARCHED + _OTHERS + _ASKED], [_SEARCHED, _SEARCHED + _OTHERS])
    searched, others, asked = (minilm_tokens(tuple(part), most) for part, most in zip(parts, (24, 24, 12), strict=True))
    tokens, starts = searched
    blocks = [asked[0][at : at + 1024] for at in range(0, len(asked[0]), 1024)]
    best = np.concatenate([np.maximum.reduceat(tokens @ block.T, starts[:-1], axis=0).T for block in blocks])
    return searched, others, asked, best


def docstring_sets(seed: int) -> TokenSearch:
    """Draw the queries among those whose exact answers are known."""
    searched, others, (tokens, starts), best = _pool()
    lengths = np.diff(starts)
    rows = np.sort(np.random.default_rng(seed).choice(_ASKED, 1000, replace=False))
    cuts = np.cumsum([0, *lengths[rows]])
    taken = np.arange(cuts[-1]) + np.repeat(starts[rows] - cuts[:-1], lengths[rows])
    exact = np.add.reduceat(best[taken], cuts[:-1], axis=0)
    return TokenSearch(searched, (tokens[taken], cuts), others, best[taken], exact)


def best_found(scores: NDArray[Any], exact: NDArray[Any], n_candidates: int) -> NDArray[np.bool_]:
    """Whether each query's best by `exact` is among its first candidates by `scores`, both (n_queries, n_sets)."""
    candidates = np.argpartition(-scores, n_candidates - 1, axis=1)[:, :n_candidates]
    found = np.take_along_axis(exact, candidates, 1).max(axis=1)
    return np.asarray(found >= exact.max(axis=1) - 1e-5)  # sets equal to the best are as good


def ten_best_recall(scores: NDArray[Any], exact: NDArray[Any]) -> NDArray[np.float64]:
    """Share of each query's ten best by `exact` among its 20 best by `scores`, both (n_queries, n_sets)."""
    candidates = np.argpartition(-scores, 19, axis=1)[:, :20] if scores.shape[1] > 20 else np.argsort(-scores, axis=1)
    bar = -np.partition(-exact, 9, axis=1)[:, 9:10] - 1e-5  # sets equal to the tenth are as good
    return np.minimum(np.sum(np.take_along_axis(exact, candidates, 1) >= bar, axis=1), 10) / 10
