"""Learn a linear map and the codebooks of a product quantiser together, from pairs that should rank first."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError, descend, need, one_thread

Floats = NDArray[np.float32]
# Queries, documents, the right document of each query, and the documents that are no negatives of a query.
Batch = tuple[Floats, Floats, NDArray[np.intp], NDArray[np.bool_]]
_ROWS = 512  # queries in a step
_RATE = 1e-3


def quantiser(codebooks: Floats) -> Any:
    """Return faiss's product quantiser with codebooks of shape (n_parts, 2**n_bits, width of a part)."""
    import faiss

    n_parts, n_codes, size = codebooks.shape
    pq = faiss.ProductQuantizer(n_parts * size, n_parts, n_codes.bit_length() - 1)
    faiss.copy_array_to_vector(np.ascontiguousarray(codebooks).ravel(), pq.centroids)
    return pq


def linear_map(turn: Floats) -> Any:
    """Return faiss's linear map x -> turn @ x, for a turn of shape (n_out, n_in)."""
    import faiss

    step = faiss.LinearTransform(turn.shape[1], turn.shape[0], False)
    faiss.copy_array_to_vector(np.ascontiguousarray(turn).ravel(), step.A)
    step.is_trained = True
    return step


def flat_index(turn: Floats, codebooks: Floats) -> Any:
    """Return an empty faiss index that maps rows, codes them and ranks by inner product with the decoded rows."""
    import faiss

    n_parts, n_codes, size = codebooks.shape
    codes = faiss.IndexPQ(n_parts * size, n_parts, n_codes.bit_length() - 1, faiss.METRIC_INNER_PRODUCT)
    codes.pq, codes.is_trained = quantiser(codebooks), True
    return faiss.IndexPreTransform(linear_map(turn), codes)


def warm_start(rows: Floats, n_parts: int, n_bits: int, seed: int) -> tuple[Floats, Floats]:
    """Return rotation and codebooks by optimised product quantisation; zeros pad a width not divisible by n_parts."""
    import faiss

    n, d = rows.shape
    if d < n_parts:
        raise UserError(f"n_parts={n_parts} with n_features={d}.", needed="no more parts than features")
    if n < 2**n_bits:
        raise UserError(
            f"n_bits={n_bits} with n_samples={n}.", needed=f"a row for each of {2**n_bits} codewords",
            todo="lower n_bits or give more rows",
        )  # fmt: skip
    width = -(-d // n_parts) * n_parts
    opq, pq = faiss.OPQMatrix(d, n_parts, width), faiss.ProductQuantizer(width, n_parts, n_bits)
    pq.cp.seed, pq.cp.min_points_per_centroid = seed, 1
    opq.pq, opq.niter = pq, 10
    with one_thread():
        opq.train(rows)
        pq.train(opq.apply(rows))
    turn = faiss.vector_to_array(opq.A).reshape(width, d)
    return turn, faiss.vector_to_array(pq.centroids).reshape(n_parts, 2**n_bits, width // n_parts)


def assign_evenly(gaps: Floats, *, temperature: float = 0.003, n_iter: int = 100) -> NDArray[np.intp]:
    """Assign rows to near codewords so that all codewords are used about equally, by Sinkhorn's iterations.

    `gaps` are squared distances of shape (n_parts, n, n_codes); the codes have shape (n_parts, n). The temperature is
    in units of half the range of a part's distances: at 0.003 the farthest codeword of a row has an entry of 1e-290,
    which float64 holds, so that an iteration is two products in place of logarithms.
    """
    low, high = (edge(gaps, axis=(1, 2), keepdims=True) for edge in (np.min, np.max))
    near = (low + high - 2 * gaps) / np.maximum(high - low, np.finfo(np.float32).tiny)  # from -1 to 1 in every part
    plan = np.exp((near - near.max(axis=2, keepdims=True)).astype(np.float64) / temperature)
    rows = np.ones((*gaps.shape[:2], 1))
    for _ in range(n_iter):
        codewords = 1 / np.maximum(plan.transpose(0, 2, 1) @ rows, 1e-300)
        rows = 1 / np.maximum(plan @ codewords, 1e-300)
    return np.asarray((plan * codewords.transpose(0, 2, 1)).argmax(axis=2))


def code_entropy(codes: NDArray[Any], n_codes: int) -> float:
    """Return the mean entropy, in bits, of the use of each part's codewords; codes have shape (n, n_parts)."""
    shares = np.stack([np.bincount(part, minlength=n_codes) for part in codes.T]) / len(codes)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return float(-(shares * logs).sum(axis=1).mean())


def learn(
    turn: Floats, codebooks: Floats, query_turn: Floats | None, batch: Callable[[NDArray[np.int64]], Batch],
    n_samples: int, *, assign: Callable[[Floats], NDArray[np.intp]] | None, temperature: float, epochs: int,
    random: np.random.RandomState,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Minimise the ranking loss of the decoded rows plus their squared distance to the rows.

    Parameters
    ----------
    turn, codebooks, query_turn : ndarray
        Where to start; without a `query_turn` queries go through the same map as documents.
    batch : callable
        From the row numbers of a step to its `Batch`.
    n_samples : int
        Queries to draw steps from.
    assign : callable or None
        From squared distances (n_parts, n, n_codes) to codes (n_parts, n); None takes the nearest.
    temperature : float
        Inner products are divided by it.
    epochs : int
        Passes over the queries.
    random : RandomState
        Source of the order.

    Returns
    -------
    turn, codebooks, query_turn : ndarray
        As learned.
    """
    torch: Any = need("torch", "torch")
    A, C = (torch.nn.Parameter(torch.tensor(start)) for start in (turn, codebooks))
    B = A if query_turn is None else torch.nn.Parameter(torch.tensor(query_turn))
    n_parts = len(codebooks)
    every_part = torch.arange(n_parts)[:, None]

    def loss(rows: Any) -> Any:
        queries, documents, right, masked = batch(rows.numpy())
        parts = (torch.from_numpy(documents) @ A.T).reshape(len(documents), n_parts, -1).transpose(0, 1)
        with torch.no_grad():
            gaps = torch.cdist(parts, C).square()
            codes = gaps.argmin(dim=2) if assign is None else torch.from_numpy(assign(gaps.numpy()))
        decoded = C[every_part, codes]  # (n_parts, documents, width of a part)
        # Straight through: the value of the decoded row, and for the map the gradient of the row itself.
        through = (decoded + parts - parts.detach()).transpose(0, 1).flatten(1)
        scores = (torch.from_numpy(queries) @ B.T) @ through.T / temperature
        ranking = torch.nn.functional.cross_entropy(
            scores.masked_fill(torch.from_numpy(masked), -torch.inf), torch.from_numpy(right)
        )
        return ranking + (decoded - parts).square().sum(dim=(0, 2)).mean()

    parameters = [A, C] if B is A else [A, B, C]
    descend(loss, parameters, n_samples, epochs=epochs, batch=_ROWS, learning_rate=_RATE, random_state=random)
    return tuple(part.detach().numpy() for part in (A, C, B))
