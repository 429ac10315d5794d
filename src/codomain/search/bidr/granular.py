"""Codes in memory over vectors on disk, searched in two steps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from codomain.core import Neighbors, UserError
from codomain.search.shared.codes import Floats
from codomain.search.shared.rows import unit_float32

BLOCK = 8192  # documents coded at once, and candidates read at once


@dataclass(frozen=True)
class BiGranular:
    """Codes in memory over vectors on disk.

    Attributes
    ----------
    codes : faiss.IndexPreTransform
        Codes of all documents.
    vectors : array-like of shape (n_documents, n_features)
        Candidates are read from it by row number: an array, a memory map or a space's vectors.
    coarse_turn, dense_turn : ndarray
        Maps of queries for the first and the second step.
    n_candidates : int
        Documents read for each query.
    """

    codes: Any
    vectors: Any
    coarse_turn: Floats
    dense_turn: Floats
    n_candidates: int

    def search(self, Q: ArrayLike, k: int = 10) -> Neighbors:
        """Find k documents for each query.

        Parameters
        ----------
        Q : array-like of shape (n_queries, n_query_features)
            Queries.
        k : int, default=10
            Documents for each, at most n_candidates.

        Returns
        -------
        Neighbors
            Rows of the vectors and their scores in the second step, best first; equal scores in the first step's order.
        """
        queries = unit_float32(check_array(Q, dtype=(np.float64, np.float32)))
        if queries.shape[1] != self.dense_turn.shape[1]:
            raise UserError(
                f"The queries have {queries.shape[1]} columns.", needed=f"{self.dense_turn.shape[1]}, as in fit"
            )
        depth = min(self.n_candidates, self.codes.ntotal)
        if not 1 <= k <= depth:
            raise UserError(f"k={k} hits of {depth} candidates.", needed=f"k from 1 to {depth}")
        codes = codes_under_map(self.codes)
        lists, scores = [], []
        step = max(1, BLOCK // depth)
        for start in range(0, len(queries), step):
            block = queries[start : start + step]
            near = codes.search(block @ self.coarse_turn.T, depth)[1]
            # Each row is read once, in its order on disk.
            rows, place = np.unique(near, return_inverse=True)
            read = unit_float32(np.asarray(self.vectors[rows]))[place.reshape(near.shape)]
            fine = np.einsum("qd,qcd->qc", block @ self.dense_turn.T, read)
            best = np.argsort(-fine, axis=1, kind="stable")[:, :k]
            lists.append(np.take_along_axis(near, best, 1))
            scores.append(np.take_along_axis(fine, best, 1))
        return Neighbors(np.concatenate(lists).astype(np.int32), np.concatenate(scores))


def codes_under_map(index: Any) -> Any:
    """Return the index without the map of documents, since queries have their own."""
    import faiss

    return faiss.downcast_index(index.index)
