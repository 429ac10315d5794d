"""Encode sets of token vectors as single vectors, to search them as such."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from codomain.core import Int, Method, Paper, Seed, Trial, claim, unit_rows
from codomain.search.shared.sets import SetEncoder, sum_by_place

_BLOCK = 1 << 22  # numbers in an array of a block: limits the memory besides the answer


class MUVERA(SetEncoder, Method):
    r"""Turn sets of token vectors into single vectors whose inner product estimates MaxSim.

    Random hyperplanes cut the space into cells. In each cell a query has the sum of its tokens; a document has the
    mean of its tokens or, where it has none, its token whose hash differs in the fewest bits. Cells, projected at
    random, and repetitions are concatenated: :math:`\langle F(Q), F(P) \rangle \approx \sum_{q \in Q} \max_{p \in P}
    \langle q, p \rangle`. Both sides are divided by the root of the repetitions, which is not in the paper, so that the
    product is in the unit of MaxSim. A row of X is one token; `encode_sets` takes the sets.

    Parameters
    ----------
    n_hyperplanes : int, default=5
        Hyperplanes of a repetition, which make 2 to that power cells, at most 10; 0 gives one cell: mean pooling.
    n_repeats : int, default=20
        Independent repetitions.
    width : int or None, default=16
        Dimensions that a cell is projected to; None keeps the tokens as they are.
    n_components : int or None, default=None
        Width of the output after a last random projection; None skips it: n_repeats * 2**n_hyperplanes * width.
    random_state : int, RandomState or None, default=None
        Seed of all draws. Queries and documents need the same fitted object.

    Attributes
    ----------
    hyperplanes_ : ndarray of shape (n_repeats, n_features, n_hyperplanes)
        Normals of the hyperplanes, without unit.
    projections_ : ndarray of shape (n_repeats, n_features, width) or None
        Signs over the root of the width.
    last_ : ndarray of shape (n_repeats * 2**n_hyperplanes * width, n_components) or None
        Signs over the root of n_components.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule; in `encode_sets`, when the offsets do not cut the tokens into sets.

    Notes
    -----
    Checked against the authors' code (google/graph-mining): the partition by signs, sums of query tokens, means of
    document tokens and the nearest token for an empty cell are the same. Cells are numbered in another order, which
    moves no product; both random projections are dense, as the paper's text has them, and count sketches there.
    Hyperplanes, repetitions and width as published. Second reading: formulas as published; with other hyperplanes for
    queries than for documents ours found .66 of the ten best by one seed instead of .79, below the floor's .73. The
    claim counts the single best document, as the paper does: of the ten best ours finds more.

    References
    ----------
    Dhulipala et al. (2024), arXiv:2405.19504.

    Examples
    --------
    >>> from codomain.search import max_sim
    >>> tokens = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> encoder = MUVERA(width=None, random_state=0).fit(tokens)
    >>> documents = encoder.encode_sets(tokens[2:], [0, 1])
    >>> queries = encoder.encode_sets(tokens[:2], [0, 2], query=True)
    >>> (queries @ documents.T).round(3), max_sim(tokens[:2], tokens[2:], [0, 1])
    (array([[1.4]]), array([1.4]))
    """

    paper = Paper.get("muvera")
    rules: ClassVar = {
        "n_hyperplanes": Int(0, 10),
        "n_repeats": Int(1),
        "width": Int(1, none=True),
        "n_components": Int(1, none=True),
        "random_state": Seed(),
    }
    small: ClassVar = {"n_hyperplanes": 2, "n_repeats": 3, "width": 2, "random_state": 0}

    def __init__(
        self, n_hyperplanes: int = 5, *, n_repeats: int = 20, width: int | None = 16, n_components: int | None = None,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_hyperplanes = n_hyperplanes
        self.n_repeats = n_repeats
        self.width = width
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Draw hyperplanes and projections for the width of tokens X, (n_tokens, n_features); y is ignored."""
        self._check_params()
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32))
        random, dim = check_random_state(self.random_state), data.shape[1]
        normals = random.standard_normal((self.n_repeats, dim, self.n_hyperplanes))
        self.hyperplanes_: NDArray[Any] = normals.astype(data.dtype)

        def random_signs(*shape: int) -> NDArray[Any]:
            return ((2 * random.randint(0, 2, shape, np.int8) - 1) / np.sqrt(shape[-1])).astype(data.dtype)

        self.projections_ = None if self.width is None else random_signs(self.n_repeats, dim, self.width)
        n_raw = self.n_repeats * 2**self.n_hyperplanes * (self.width or dim)
        self.last_ = None if self.n_components is None else random_signs(n_raw, self.n_components)
        self._n_features_out = self.n_components or n_raw
        return self

    def _encode_sets(self, tokens: NDArray[Any], starts: NDArray[np.int64], query: bool) -> NDArray[Any]:
        out = np.empty((len(starts) - 1, self._n_features_out), tokens.dtype)
        most_tokens = _BLOCK >> self.n_hyperplanes
        most_sets = _BLOCK // (self.n_repeats * 2**self.n_hyperplanes * (self.width or tokens.shape[1]))
        first = 0
        while first < len(out):  # one block of whole sets, at least one
            fit = int(np.searchsorted(starts, starts[first] + most_tokens, "right")) - 1
            after = max(first + 1, min(fit, first + most_sets))
            cuts = starts[first : after + 1]
            block = self._encode(tokens[cuts[0] : cuts[-1]], cuts - cuts[0], query)
            out[first:after] = block if self.last_ is None else block @ self.last_.astype(tokens.dtype, copy=False)
            first = after
        return out

    def _encode(self, tokens: NDArray[Any], starts: NDArray[np.int64], query: bool) -> NDArray[Any]:
        """Encode one block of sets, without the last projection."""
        n_sets, n_cells = len(starts) - 1, 2**self.n_hyperplanes
        owner = np.repeat(np.arange(n_sets), np.diff(starts))
        bits = np.arange(n_cells)[:, None] >> np.arange(self.n_hyperplanes) & 1
        differ = np.sum(bits[:, None] != bits[None], axis=2)  # bits in which two cells differ
        parts = []
        for repeat, normals in enumerate(self.hyperplanes_.astype(tokens.dtype, copy=False)):
            values = tokens
            if self.projections_ is not None:
                values = tokens @ self.projections_[repeat].astype(tokens.dtype, copy=False)
            hashes = (tokens @ normals > 0) @ (1 << np.arange(self.n_hyperplanes))
            held, foremost, place, counts = np.unique(
                owner * n_cells + hashes, return_index=True, return_inverse=True, return_counts=True
            )  # cells that hold tokens, set after set
            sums = sum_by_place(values, place, len(held))
            part = np.zeros((n_sets * n_cells, values.shape[1]), tokens.dtype)
            if not query:
                # Of each set, the token with the fewest differing bits, the first of equals: both in one number.
                rank = differ[held % n_cells] * len(tokens) + foremost[:, None]
                nearest = np.minimum.reduceat(rank, np.searchsorted(held, np.arange(n_sets) * n_cells))
                part = values[nearest.ravel() % len(tokens)]
                sums /= counts[:, None].astype(tokens.dtype)
            part[held] = sums
            parts.append(part.reshape(n_sets, -1))
        return np.concatenate(parts, axis=1) / tokens.dtype.type(np.sqrt(self.n_repeats))


@claim(
    MUVERA, needs=("minilm",),
    unit="share of queries whose best document is among ten candidates, 0 to 1", margin=0.02, seconds=60,
    says="One inner product of encodings has the best document by MaxSim among fewer candidates than token by token.",
    premise="searching each query token alone misses the best document of so many queries", least=0.02,
    floor="the first documents when each query token is searched alone, those of one place by their best cosine",
    peer="cosine of the means of the token vectors, at 1/27 of the size",
)  # fmt: skip
def finds_what_max_sim_ranks_first(seed: int) -> Trial:
    """1,000 docstrings of at most 24 MiniLM tokens in context; 1,000 of others, at most 12 tokens each, ask for ten.

    As published, what counts is the one best document. With twenty candidates the rival misses .017, so that there is
    little to gain; this was seen by a seed that is not among the five, without ours. Before, the ten best counted.
    """
    from codomain.tasks.token_sets import best_found, docstring_sets, ten_best_recall

    (tokens, starts), (query_tokens, cuts), _, best, exact = docstring_sets(seed)
    # The best place of a document on the list of any query token; 20 documents are on the first 20 places of one.
    first = np.argsort(-best, axis=1, kind="stable")[:, :20].astype(np.int16)
    places = np.full(best.shape, 20, np.int16)
    np.put_along_axis(places, first, np.arange(20, dtype=np.int16)[None], axis=1)
    nearest = np.maximum.reduceat(best, cuts[:-1], axis=0)  # a cosine: less than one place
    alone = nearest - 2.0 * np.minimum.reduceat(places, cuts[:-1], axis=0)

    muvera = MUVERA(random_state=seed).fit(tokens)
    encoded = muvera.encode_sets(query_tokens, cuts, query=True) @ muvera.encode_sets(tokens, starts).T
    means, pooled = (unit_rows(np.add.reduceat(X, at[:-1])) for X, at in ((tokens, starts), (query_tokens, cuts)))
    floor = best_found(alone, exact, 10)
    return Trial(
        ours=best_found(encoded, exact, 10), floor=floor, peer=best_found(pooled @ means.T, exact, 10), chance=0.01,
        premise=1 - float(floor.mean()),
        also={
            "share of the ten best among 20 candidates": float(ten_best_recall(encoded, exact).mean()),
            "the same token by token": float(ten_best_recall(alone, exact).mean()),
        },
    )  # fmt: skip
