"""Code rows into a few bytes with codewords that are all used, learned from rows that should rank first."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim
from codomain.search.engine.neighbors import neighbors
from codomain.search.shared.codes import (
    Batch,
    Floats,
    assign_evenly,
    code_entropy,
    flat_index,
    learn,
    linear_map,
    quantiser,
    warm_start,
)
from codomain.search.shared.rows import unit_float32


def neighbour_batches(
    rows: Floats, near: NDArray[Any], n_neighbors: int, random: np.random.RandomState
) -> Callable[[NDArray[np.int64]], Batch]:
    """Return what makes a step's batch: rows as queries, one neighbour of each, and as many near rows as negatives."""

    def batch(queries: NDArray[np.int64]) -> Batch:
        at = np.arange(len(queries))
        right = near[queries, random.randint(n_neighbors, size=len(queries))]
        hard = near[queries, random.randint(min(n_neighbors, near.shape[1] - 1), near.shape[1], len(queries))]
        pool = np.concatenate([right, hard])
        # The row itself and its other neighbours are no negatives.
        masked = (near[queries, :n_neighbors, None] == pool).any(axis=1) | (queries[:, None] == pool)
        masked[at, at] = False
        return rows[queries], rows[pool], at, masked

    return batch


def code_rows(rows: Floats, turn: Floats, codebooks: Floats) -> NDArray[np.uint8]:
    """Return the number of the nearest codeword of each part of mapped rows, of shape (n, n_parts)."""
    import faiss

    packed = quantiser(codebooks).compute_codes(linear_map(turn).apply(rows))
    return faiss.unpack_bitstrings(packed, len(codebooks), codebooks.shape[1].bit_length() - 1).astype(np.uint8)


class RepCONC(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Method):
    r"""Product quantisation whose linear map and codebooks learn to keep near rows first.

    A row, scaled to length 1, is mapped by :math:`A` and cut into parts, each coded by one of :math:`K` codewords.
    Starting from optimised product quantisation, minibatches minimise :math:`-\log \frac{e^{q \cdot \hat d^+ / \tau}}
    {\sum_d e^{q \cdot \hat d / \tau}} + \|d - \hat d\|^2`, where :math:`q` is a row, :math:`d^+` one of its neighbours
    and :math:`\hat d` is decoded. In training, Sinkhorn's iterations make each part use every codeword equally. The
    paper trains a whole encoder on labelled pairs; here rows are frozen vectors and their neighbours the labels.

    Parameters
    ----------
    n_parts : int, default=16
        Parts of a row, from 1 to n_features.
    n_bits : int, default=8
        Bits of a part's code, 3 to 8, which is what faiss can search: 2 to that power codewords.
    n_neighbors : int, default=10
        Nearest rows that should rank first; the next three times as many are the hard negatives.
    temperature : float, default=0.05
        Inner products are divided by it in the ranking loss.
    epochs : int, default=10
        Passes over the rows.
    random_state : int, RandomState or None, default=None
        Seed of the first codebooks, the order of rows and the draws of neighbours.

    Attributes
    ----------
    turn_ : ndarray of shape (n_out, n_features)
        The linear map; n_out is n_features, rounded up to a multiple of n_parts.
    codebooks_ : ndarray of shape (n_parts, 2**n_bits, n_out / n_parts)
        Codewords of each part, in the unit of mapped rows.
    entropy_ : float
        Mean entropy in bits of the use of a part's codewords by the rows of fit, nearest codeword each; at most n_bits.
    bytes_per_row_ : int
        Bytes of a row in the index.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, rows are fewer than codewords, or features fewer than parts.

    Notes
    -----
    Checked against the authors' code (jingtaozhan/RepCONC): the warm start by optimised product quantisation, squared
    distances scaled to -1 to 1 in each part, 100 iterations of Sinkhorn at 0.003, the plan's largest entry as the code,
    the straight-through gradient and the sum of ranking loss and squared error are the same. There the squared error
    weighs 0.0001 against inner products that are not divided; here 1 against cosines divided by a temperature. There an
    encoder of queries and one of documents are trained, with labels; here one map of rows, with their neighbours.
    Second reading: formulas as published; with random codewords in training ours falls from .54 to .44 by one seed
    (floor .56), and without the constraint it is the floor. Codes of the floor carry 5.87 of 6 bits already, so that
    the constraint has little to even out.

    References
    ----------
    Zhan et al. (2021), arXiv:2110.05789.

    Examples
    --------
    >>> from codomain.core import unit_rows
    >>> X = np.random.default_rng(0).normal(size=(300, 8))
    >>> coder = RepCONC(4, n_bits=4, epochs=2, random_state=0).fit(X)
    >>> index = coder.index(X)
    >>> coder.bytes_per_row_, index.search(unit_rows(X[:2]).astype(np.float32), 5)[1].shape
    (2, (2, 5))
    """

    paper = Paper.get("repconc")
    rules: ClassVar = {
        "n_parts": Int(1), "n_bits": Int(3, 8), "n_neighbors": Int(1), "temperature": Real(0, above=True),
        "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_parts": 2, "n_bits": 3, "n_neighbors": 3, "epochs": 2, "random_state": 0}

    def __init__(
        self, n_parts: int = 16, *, n_bits: int = 8, n_neighbors: int = 10, temperature: float = 0.05,
        epochs: int = 10, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_parts = n_parts
        self.n_bits = n_bits
        self.n_neighbors = n_neighbors
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Declare that codes are whole numbers, whatever the dtype of the rows."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn map and codebooks from X, of shape (n_samples, n_features); y is ignored."""
        self._check_params()
        rows = self._rows(X, reset=True)
        random = check_random_state(self.random_state)
        turn, codebooks = warm_start(rows, self.n_parts, self.n_bits, random.randint(2**31 - 1))
        if self.n_neighbors >= len(rows):
            raise UserError(f"n_neighbors={self.n_neighbors} with n_samples={len(rows)}.", needed="more rows")
        near = neighbors(rows, k=min(4 * self.n_neighbors, len(rows) - 1)).indices

        self.turn_, self.codebooks_, _ = learn(
            turn, codebooks, None, neighbour_batches(rows, near, self.n_neighbors, random), len(rows),
            assign=assign_evenly, temperature=self.temperature, epochs=self.epochs, random=random,
        )  # fmt: skip
        self.bytes_per_row_ = int(quantiser(self.codebooks_).code_size)
        self.entropy_ = code_entropy(self._codes(rows), 2**self.n_bits)
        self._n_features_out = self.n_parts
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.uint8]:
        """Return the number of the nearest codeword of each part, of shape (n_samples, n_parts)."""
        check_is_fitted(self)
        return self._codes(self._rows(X))

    def index(self, X: ArrayLike, *, n_lists: int = 0) -> Any:
        """Build a faiss index of rows, which is searched with queries of length 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to find, scaled to length 1 here.
        n_lists : int, default=0
            Inverted lists, of which a search reads `nprobe` (faiss's default is 1); 0 reads every code.

        Returns
        -------
        faiss.IndexPreTransform
            Ranks by inner product of the mapped query with decoded rows; its ids are rows of X.
        """
        import faiss

        check_is_fitted(self)
        rows = self._rows(X)
        if not 0 <= n_lists <= len(rows):
            raise UserError(f"n_lists={n_lists} for {len(rows)} rows.", needed="0, or no more lists than rows")
        index = flat_index(self.turn_, self.codebooks_)
        if n_lists:
            coarse = faiss.Kmeans(len(self.turn_), n_lists, spherical=True, seed=0, min_points_per_centroid=1)
            coarse.train(rows @ self.turn_.T)
            lists: Any = faiss.IndexIVFPQ(
                coarse.index, len(self.turn_), n_lists, self.n_parts, self.n_bits, faiss.METRIC_INNER_PRODUCT
            )
            # Codes are of the row, not of its difference from its list's centre.
            lists.by_residual, lists.pq, lists.is_trained = False, quantiser(self.codebooks_), True
            index = faiss.IndexPreTransform(linear_map(self.turn_), lists)
        index.add(rows)
        return index

    def _rows(self, X: ArrayLike, reset: bool = False) -> Floats:
        """Check rows and scale them to length 1."""
        return unit_float32(validate_data(self, X, reset=reset, dtype=(np.float64, np.float32)))

    def _codes(self, rows: Floats) -> NDArray[np.uint8]:
        """Nearest codewords of rows of length 1."""
        return code_rows(rows, self.turn_, self.codebooks_)


@claim(
    RepCONC, needs=("torch", "wordllama"),
    unit="recall of the exact ten nearest, 0 to 1", margin=0.02, seconds=60,
    says="At 6 bytes a row, an even use of codewords in training finds more of the exact ten nearest.",
    premise="without the constraint codewords are used unevenly: their entropy falls short by 0.1 of 6 bits", least=0.1,
    floor="map and codebooks learned by the same loss from the same neighbours, nearest codeword each, same bytes",
    peer="optimised product quantisation of the same size, which both start from",
)  # fmt: skip
def finds_neighbours_in_few_bytes(seed: int) -> Trial:
    """Docstrings in wordllama's space (256): 2,000 are learned from and searched by 1,000 others."""
    from codomain.tasks.docstrings import docstring_views

    (vectors,) = docstring_views("text")
    order = np.random.default_rng(seed).permutation(len(vectors))
    queries, rows = unit_float32(vectors[order[:1000]]), unit_float32(vectors[order[1000:3000]])
    cosines = queries @ rows.T
    bar = np.sort(cosines, axis=1)[:, -10:-9] - 1e-6  # rows equal to the tenth are as good

    def recall(index: Any) -> NDArray[np.float64]:
        return np.mean(np.take_along_axis(cosines, index.search(queries, 10)[1], 1) >= bar, axis=1)

    ours = RepCONC(8, n_bits=6, random_state=seed).fit(rows)
    random = np.random.RandomState(seed)
    start = warm_start(rows, 8, 6, random.randint(2**31 - 1))
    batch = neighbour_batches(rows, neighbors(rows, k=40).indices, 10, random)
    learned = learn(
        *start, None, batch, len(rows), assign=None, temperature=ours.temperature, epochs=ours.epochs, random=random
    )[:2]
    indices = [flat_index(*maps) for maps in (learned, start)]
    for index in indices:
        index.add(rows)
    floor, peer = map(recall, indices)
    return Trial(
        ours=recall(ours.index(rows)), floor=floor, peer=peer, chance=10 / len(rows),
        premise=6 - code_entropy(code_rows(rows, *learned), 64), also={"bits of 6 that codes carry": ours.entropy_},
    )  # fmt: skip
