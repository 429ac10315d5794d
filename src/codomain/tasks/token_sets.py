"""Search among docstrings as sets of tokens: queries are other docstrings, which look for the ten best."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import frozen_docstrings
from codomain.tasks.tokens import Sets, minilm_tokens


def docstring_sets(seed: int) -> tuple[Sets, Sets, Sets]:
    """Return tokens and offsets of 1,000 docstrings to search, of 100 queries drawn by the seed, and of 500 others.

    At most 32 tokens of each by MiniLM, and 12 of a query. Seeds from 0 to 4 have queries of their own; what is
    searched is always the same.
    """
    texts = np.random.default_rng(0).permutation(np.array(frozen_docstrings()["text"].to_pylist(), object))
    ask = texts[1000 + 100 * seed : 1100 + 100 * seed]
    searched, asked, others = (
        minilm_tokens(tuple(some), most) for some, most in ((texts[:1000], 32), (ask, 12), (texts[1500:2000], 32))
    )
    return searched, asked, others


def ten_best_recall(scores: NDArray[Any], exact: NDArray[Any]) -> float:
    """Share of each query's ten best by `exact` among its 20 best by `scores`, both (n_queries, n_sets); a mean."""
    candidates = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    bar = np.sort(exact, axis=1)[:, -10:-9] - 1e-5  # sets equal to the tenth are as good
    return float(np.minimum(np.sum(np.take_along_axis(exact, candidates, 1) >= bar, axis=1), 10).mean() / 10)
