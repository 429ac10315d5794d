"""Keep a few bytes of each document in memory and its vector on disk, and train each for its own step."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from codomain.core import Int, Paired, Paper, Real, Seed, Trial, UserError, claim, descend, need, unit_rows
from codomain.search.bidr.granular import BLOCK, BiGranular, codes_under_map
from codomain.search.shared.codes import Batch, Floats, flat_index, learn, warm_start
from codomain.search.shared.rows import unit_float32

_SEEDS, _LOCAL = 32, 7  # queries that start a minibatch, and candidates of each whose own queries join it


class BiDR(Paired):
    r"""Search by learned codes, then by dense vectors trained on what those codes return.

    First :math:`A, B` and codebooks minimise the loss of :math:`Bq \cdot \widehat{Ad}` with the other documents of a
    minibatch as negatives. Then, with those codes fixed, :math:`G` in :math:`Gq \cdot d` learns to separate the right
    document from its neighbours on the candidate lists: a minibatch is a few queries and the owners of documents on
    their lists. The paper trains two encoders; here one linear map of the query does the same as linear maps of both
    sides, and vectors on disk stay as they are.

    Parameters
    ----------
    n_parts : int, default=16
        Parts of a document's code, from 1 to n_features.
    n_bits : int, default=8
        Bits of a part's code, 3 to 8, which is what faiss can search.
    n_candidates : int, default=100
        Documents that the codes return for each query, and that are read from disk.
    temperature : float, default=0.05
        Inner products are divided by it, in both losses.
    epochs : int, default=20
        Passes over the pairs, for each of the two steps.
    random_state : int, RandomState or None, default=None
        Seed of the first codebooks, the order of pairs and the draws of candidates.

    Attributes
    ----------
    turn_ : ndarray of shape (n_out, n_features)
        Map of documents before coding.
    codebooks_ : ndarray of shape (n_parts, 2**n_bits, n_out / n_parts)
        Codewords of each part.
    coarse_turn_ : ndarray of shape (n_out, n_query_features)
        Map of queries that are compared with codes.
    dense_turn_ : ndarray of shape (n_features, n_query_features)
        Map of queries that are compared with vectors.

    Raises
    ------
    ValueError
        In `fit`, when queries are missing, a parameter breaks its rule, or rows are fewer than codewords.

    Notes
    -----
    Checked against the authors' code (microsoft/BiDR): codebooks and rotation from optimised product quantisation,
    cross-entropy of decoded documents plus squared error, then dense vectors learned on minibatches grown from
    candidates of the codes are the same. There the gradient reaches a row through a softmax over its codewords; here
    straight through the nearest. There the first step adds the same loss of vectors that are not decoded, squared error
    weighs a millionth against inner products that are not divided, one negative of each query is drawn beside, and
    minibatches grow along a graph of candidates over several hops; here, along one. Two encoders are trained there. Not
    in the paper: linear maps, their rates, passes and sizes of minibatches. Second reading: with minibatches of the
    second step grown along random documents ours falls no further than from .478 to .468 by one seed (floor .389), so
    that codes learned with queries bring the gain. Of the documents to be found, 6 in 100 have a copy among those
    learned from; without them it is .456 against .362.

    References
    ----------
    Xiao et al. (2022), arXiv:2201.05409.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> documents = rng.normal(size=(300, 8))
    >>> queries = documents + 0.1 * rng.normal(size=(300, 8))
    >>> model = BiDR(4, n_bits=4, n_candidates=20, random_state=0).fit(documents, queries)
    >>> model.store(documents).search(queries[:3], 1).indices.ravel().tolist()
    [0, 1, 2]
    """

    paper = Paper.get("bidr")
    rules: ClassVar = {
        "n_parts": Int(1), "n_bits": Int(3, 8), "n_candidates": Int(1), "temperature": Real(0, above=True),
        "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_parts": 2, "n_bits": 3, "n_candidates": 5, "epochs": 2, "random_state": 0}
    partner = "the queries"

    def __init__(
        self, n_parts: int = 16, *, n_bits: int = 8, n_candidates: int = 100, temperature: float = 0.05,
        epochs: int = 20, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_parts = n_parts
        self.n_bits = n_bits
        self.n_candidates = n_candidates
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from documents X, (n_pairs, n_features), and queries y, (n_pairs, n_query_features), row by row."""
        data, pairs = self._pairs(X, y)
        documents, queries = unit_float32(data), unit_float32(pairs)
        random = check_random_state(self.random_state)
        turn, codebooks = warm_start(documents, self.n_parts, self.n_bits, random.randint(2**31 - 1))
        # Queries of another width start where least squares puts them.
        n, d = documents.shape
        across = np.eye(d) if queries.shape[1] == d else np.linalg.lstsq(queries, documents, rcond=None)[0].T
        across = across.astype(np.float32)

        def batch(rows: NDArray[np.int64]) -> Batch:
            return queries[rows], documents[rows], np.arange(len(rows)), np.zeros((len(rows), len(rows)), bool)

        self.turn_, self.codebooks_, self.coarse_turn_ = learn(
            turn, codebooks, turn @ across, batch, n, assign=None, temperature=self.temperature, epochs=self.epochs,
            random=random,
        )  # fmt: skip
        index = flat_index(self.turn_, self.codebooks_)
        index.add(documents)
        near = codes_under_map(index).search(queries @ self.coarse_turn_.T, min(self.n_candidates, n))[1]
        self.dense_turn_ = self._learn_dense(documents, queries, near, across, random)
        return self

    def _learn_dense(
        self, documents: Floats, queries: Floats, near: NDArray[np.int64], start: Floats, random: np.random.RandomState
    ) -> Floats:
        """Learn the map of the second step on minibatches grown along candidate lists."""
        torch: Any = need("torch", "torch")
        G = torch.nn.Parameter(torch.tensor(start))

        def loss(rows: Any) -> Any:
            seeds = rows.numpy()
            candidates = near[seeds[:, None], random.randint(near.shape[1], size=(len(seeds), _LOCAL))]
            group = np.union1d(seeds, candidates)
            scores = (torch.from_numpy(queries[group]) @ G.T) @ torch.from_numpy(documents[group]).T
            return torch.nn.functional.cross_entropy(scores / self.temperature, torch.arange(len(group)))

        descend(loss, [G], len(documents), epochs=self.epochs, batch=_SEEDS, random_state=random)
        learned: Floats = G.detach().numpy()
        return learned

    def store(self, X: Any) -> BiGranular:
        """Code documents block by block.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_features)
            An array, a memory map or a space's vectors; kept as it is and read from when a search needs rows.

        Returns
        -------
        BiGranular
            Ready to search; only the codes are in memory.
        """
        check_is_fitted(self)
        vectors = X if hasattr(X, "shape") else np.asarray(X)
        if len(vectors.shape) != 2 or vectors.shape[1] != self.n_features_in_:
            raise UserError(f"Vectors of shape {tuple(vectors.shape)}.", needed=f"{self.n_features_in_} columns")
        index = flat_index(self.turn_, self.codebooks_)
        for start in range(0, vectors.shape[0], BLOCK):
            block = check_array(vectors[start : start + BLOCK], dtype=(np.float64, np.float32))
            index.add(unit_float32(block))
        return BiGranular(index, vectors, self.coarse_turn_, self.dense_turn_, self.n_candidates)


@claim(
    BiDR, needs=("torch", "wordllama"),
    unit="share of queries whose document is among the first ten, 0 to 1", margin=0.03, seconds=60,
    says="With 8 bytes in memory and 50 disk reads, learned codes and vectors learned on their candidates find more.",
    premise="codes cost: with the floor's map, a search of all vectors finds 3 points more than codes and reads",
    least=0.03, peer="the same with a map by ridge regression, or without a map, whichever finds more",
    floor="optimised product quantisation of the documents and one map of queries, learned by the same loss from as "
    "many minibatches of random pairs, for codes and vectors; same bytes and reads",
)  # fmt: skip
def finds_the_rest_from_the_first_line(seed: int) -> Trial:
    """Docstrings of several lines, wordllama: 1,500 pairs are learned from, all documents searched by 1,000 others."""
    from sklearn.linear_model import RidgeCV

    from codomain.tasks.docstrings import docstring_views
    from codomain.tasks.maps import contrastive_map, map_rows

    first_lines, documents = docstring_views("first", "rest")
    order = np.random.default_rng(seed).permutation(len(documents))
    train, test = order[:1500], order[1500:2500]

    def hits(near: NDArray[Any], queries: Floats) -> NDArray[np.bool_]:
        """Read the candidates, rank them by cosine and look for the right one among the first ten."""
        fine = np.einsum("qd,qcd->qc", queries, documents[near])
        best = np.take_along_axis(near, np.argsort(-fine, axis=1, kind="stable")[:, :10], 1)
        return np.asarray((best == test[:, None]).any(axis=1))

    ours = BiDR(16, n_bits=4, n_candidates=50, random_state=seed).fit(documents[train], first_lines[train])
    found = ours.store(documents).search(first_lines[test], 10).indices
    # 256 random pairs in a step, about as many documents as in ours, and as many steps.
    passes = ours.epochs * -(-len(train) // _SEEDS) // -(-len(train) // 256)
    W = contrastive_map(
        first_lines[train], documents[train], temperature=ours.temperature, epochs=passes, batch=256, both_ways=False,
        random_state=seed,
    )  # fmt: skip
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(first_lines[train], documents[train])
    codes = flat_index(*warm_start(documents[train], 16, 4, seed))
    codes.add(documents)
    ways = [map_rows(first_lines[test], W), unit_rows(ridge.predict(first_lines[test])), first_lines[test]]
    floor, *peers = (hits(codes.search(unit_float32(way), 50)[1], way) for way in ways)
    every = hits(np.argsort(-(ways[0] @ documents.T), axis=1)[:, :10], ways[0])
    return Trial(
        ours=(found == test[:, None]).any(axis=1), floor=floor, peer=max(peers, key=np.mean),
        chance=10 / len(documents), premise=float(every.mean() - floor.mean()),
    )  # fmt: skip
