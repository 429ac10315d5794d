"""Sets of token vectors: the tokens of all sets one after another, and offsets that cut them."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import UserError

_PRODUCTS = 1 << 24  # inner products in memory at once


class SetEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """The transforms of a method that makes one vector of each set of tokens by its `_encode_sets`."""

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Encode every row of X, of shape (n_tokens, n_features), as a document of one token."""
        return self.encode_sets(X, np.arange(len(np.asarray(X)) + 1))

    def encode_sets(self, tokens: ArrayLike, offsets: ArrayLike, *, query: bool = False) -> NDArray[Any]:
        """Encode sets of tokens as single vectors.

        Parameters
        ----------
        tokens : array-like of shape (n_tokens, n_features)
            The tokens of all sets, one set after another.
        offsets : array-like of shape (n_sets + 1,)
            Set i is tokens[offsets[i]:offsets[i + 1]], never empty; the first offset is 0 and the last n_tokens.
        query : bool, default=False
            Whether the sets are queries or documents.

        Returns
        -------
        ndarray of shape (n_sets, n_features_out)
            The inner product of a query's vector with a document's estimates MaxSim, in the unit of inner products.
        """
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, tokens, reset=False, dtype=(np.float64, np.float32))
        return self._encode_sets(data, check_offsets(offsets, len(data)), query)

    @abstractmethod
    def _encode_sets(self, tokens: NDArray[Any], starts: NDArray[np.int64], query: bool) -> NDArray[Any]:
        """Encode checked tokens; set i is tokens[starts[i]:starts[i + 1]]."""


def check_offsets(offsets: ArrayLike, n_tokens: int) -> NDArray[np.int64]:
    """Return the offsets as whole numbers; refuse those that do not cut n_tokens tokens into sets."""
    given = np.asarray(offsets)
    starts = given.astype(np.int64) if given.dtype.kind in "iu" else np.empty(0, np.int64)
    if starts.ndim != 1 or len(starts) < 2 or starts[0] != 0 or starts[-1] != n_tokens or np.any(np.diff(starts) < 1):
        raise UserError(
            f"The offsets are an array of shape {given.shape} and dtype {given.dtype} for {n_tokens} tokens.",
            needed=f"whole numbers that rise from 0 to {n_tokens}, as no set may be empty",
            todo="numpy.cumsum([0, *lengths])",
        )
    return starts


def sum_by_place(values: NDArray[Any], place: NDArray[Any], n_places: int) -> NDArray[Any]:
    """Add up the rows of values, of shape (n, dim), that share a place, in their order; shape (n_places, dim)."""
    from scipy.sparse import csr_array

    ones = np.ones(len(values), values.dtype)
    return np.asarray(csr_array((ones, (place, np.arange(len(values)))), shape=(n_places, len(values))) @ values)


def max_sim(query: ArrayLike, tokens: ArrayLike, offsets: ArrayLike, *, rows: ArrayLike | None = None) -> NDArray[Any]:
    r"""Score sets of tokens against one query exactly: the sum of each query token's best inner product.

    :math:`\sum_{q \in Q} \max_{p \in P} \langle q, p \rangle`, known as MaxSim or Chamfer similarity.

    Parameters
    ----------
    query : array-like of shape (n_query_tokens, dim)
        Tokens of the query.
    tokens : array-like of shape (n_tokens, dim)
        The tokens of all sets, one set after another.
    offsets : array-like of shape (n_sets + 1,)
        Set i is tokens[offsets[i]:offsets[i + 1]], never empty.
    rows : array-like of int, default=None
        The sets to score, such as candidates to put in their true order; None scores all.

    Returns
    -------
    ndarray of shape (n_sets,) or (n_rows,)
        Higher is nearer, in the unit of inner products times n_query_tokens.

    Raises
    ------
    UserError
        When the offsets do not cut the tokens into sets, the widths differ, or a row has no set.
    """
    Q, data = (np.asarray(part) for part in (query, tokens))
    if Q.ndim != 2 or data.ndim != 2 or Q.shape[1] != data.shape[1] or not len(Q):
        raise UserError(f"A query of shape {Q.shape} and tokens of shape {data.shape}.", needed="two of one width")
    starts = check_offsets(offsets, len(data))
    if rows is not None:
        chosen = np.asarray(rows, np.int64)
        if chosen.ndim != 1 or np.any((chosen < 0) | (chosen >= len(starts) - 1)):
            raise UserError("There is no set for one of the rows.", needed=f"a list of 0 to {len(starts) - 2}")
        lengths = np.diff(starts)[chosen]
        cuts = np.concatenate([[0], np.cumsum(lengths)])
        data = data[np.arange(cuts[-1]) + np.repeat(starts[chosen] - cuts[:-1], lengths)]
        starts = cuts
    scores = np.empty(len(starts) - 1, np.result_type(Q, data))
    first = 0
    while first < len(scores):  # one block of whole sets, at least one
        after = max(first + 1, int(np.searchsorted(starts, starts[first] + _PRODUCTS // len(Q), "right")) - 1)
        products = Q @ data[starts[first] : starts[after]].T
        scores[first:after] = np.maximum.reduceat(products, starts[first:after] - starts[first], axis=1).sum(axis=0)
        first = after
    return scores
