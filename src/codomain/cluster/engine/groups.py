"""Find the groups of a space from its neighbour lists, with no number of groups to choose."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.utils import check_random_state

from codomain.cluster.engine.modularity import communities, membership, renumber
from codomain.core import Neighbors, UserError, nearest_rows

IDENTICAL = 1 - 1e-6  # float32 dot products of one unit vector with its copy stay above this
LARGE = 5  # times the mean size: such a group is searched again by itself
RERUNS = 5
KEPT_LINKS = 0.8


@dataclass(frozen=True)
class Groups:
    """Which group each row is in, and how far to trust that.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), int32
        Group of each row, the largest group first; -1 for a row in no group.
    strength : ndarray of shape (n_samples,), float32
        Share of a row's listed neighbours that are in its group, 0 to 1; 0 for a row in no group.
    stability : ndarray of shape (n_groups,), float32
        How well each group is found again when a fifth of the links is left out: mean over reruns of the best
        overlap (intersection over union) with a group of the rerun, 0 to 1.
    smallest : int
        Rows that a group needs at least.
    """

    labels: NDArray[np.int32]
    strength: NDArray[np.float32]
    stability: NDArray[np.float32]
    smallest: int

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows in each group, of shape (n_groups,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.stability))

    @property
    def coverage(self) -> float:
        """Share of rows that are in a group, 0 to 1."""
        return float(np.mean(self.labels >= 0)) if len(self.labels) else 0.0

    @property
    def how(self) -> str:
        """How these groups were found, for a reader of the report."""
        return (
            "Rows are linked to their nearest rows, more strongly the more neighbours they share. Groups are the parts "
            f"with many more links inside than chance would put there (modularity), of at least {self.smallest} rows; "
            f"nobody chose their number. Stability: the search was repeated {RERUNS} times with a fifth of the links "
            "left out, and the figure is the overlap with the most similar group found then, 1 being the same rows. "
            f"{self.coverage:.1%} of the rows are in a group; the others have no link to enough rows."
        )


def links(neighbors: Neighbors) -> sparse.csr_array:
    """Symmetric link weights: the share of neighbours that two linked rows have in common.

    Parameters
    ----------
    neighbors : Neighbors
        Lists of shape (n_samples, k). Entries with an index below 0 or a cosine that is not above 0 are no link.

    Returns
    -------
    csr_array of shape (n_samples, n_samples), float64
        Intersection over union of the two lists (each row counts as its own neighbour), 0 to 1; a link that only one
        of the two rows lists weighs half.
    """
    n = len(neighbors.indices)
    near = np.asarray(neighbors.indices, dtype=np.int64)
    own = np.arange(n)[:, None]
    real = (near >= 0) & (near != own) & (np.asarray(neighbors.scores) > 0)
    row, column = np.broadcast_to(own, near.shape)[real], near[real]
    pairs, listed = np.unique(np.minimum(row, column) * n + np.maximum(row, column), return_counts=True)
    one, two = pairs // n, pairs % n
    # A missing entry gets a number of its own, so that it is never shared.
    lists = np.concatenate([own, np.where(real, near, -1 - own)], axis=1).astype(np.int32)
    lengths = real.sum(axis=1) + 1
    shared = np.empty(len(pairs), dtype=np.int64)
    block = max(1, 4_000_000 // lists.shape[1] ** 2)
    for start in range(0, len(pairs), block):
        a, b = lists[one[start : start + block]], lists[two[start : start + block]]
        shared[start : start + block] = ((a[:, :, None] == b[:, None, :]) & (a >= 0)[:, :, None]).sum(axis=(1, 2))
    weight = shared / (lengths[one] + lengths[two] - shared) * np.where(listed > 1, 1.0, 0.5)
    return _symmetric(one, two, weight, n)


def _symmetric(one: NDArray[Any], two: NDArray[Any], weight: NDArray[Any], n: int) -> sparse.csr_array:
    there = sparse.coo_array((weight, (one, two)), shape=(n, n)).tocsr()
    return there + there.T.tocsr()


def _connected_parts(W: sparse.csr_array, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    links_ = W.tocoo()
    inside = labels[links_.row] == labels[links_.col]
    shape = W.shape
    kept = sparse.coo_array((links_.data[inside], (links_.row[inside], links_.col[inside])), shape=shape)
    return connected_components(kept, directed=False)[1].astype(np.int64)


def _join_small(
    W: sparse.csr_array, rows: NDArray[np.float64], labels: NDArray[np.int64], smallest: int
) -> NDArray[np.int64]:
    """Give each group below `smallest` rows to the group it is linked to most; -1 where it has no link out."""
    while True:
        labels = renumber(labels)
        member = membership(labels)
        size = np.bincount(labels, weights=rows)
        small = np.flatnonzero(size < smallest)
        between = sparse.csr_array(member.T @ W @ member)[small].tocoo()
        outward = between.col != small[between.row]
        group, other, weight = small[between.row[outward]], between.col[outward], between.data[outward]
        if not len(group):
            return np.where(np.isin(labels, small), -1, labels)
        order = np.lexsort((other, -weight, group))
        first = order[np.unique(group[order], return_index=True)[1]]
        # The smallest go first: two small neighbours would otherwise trade places and never grow.
        target = np.arange(len(size))
        for mover, host in sorted(zip(group[first], other[first], strict=True), key=lambda pair: size[pair[0]]):
            if target[mover] == mover and target[host] == host:
                target[mover] = host
        # A host that itself is about to move keeps its place this time, so every chain has length one.
        labels = target[labels]


def _open_large(
    W: sparse.csr_array,
    rows: NDArray[np.float64],
    labels: NDArray[np.int64],
    smallest: int,
    resolution: float,
    rng: np.random.RandomState,
) -> NDArray[np.int64]:
    """Search again inside groups that are out of all proportion.

    Modularity sees a thin, even region of a large graph as one group, because all its links together weigh little
    beside the rest. Looked at alone, the region is its own yardstick.
    """
    size = np.bincount(labels, weights=rows)
    if not np.any(size >= smallest):
        return labels
    for group in np.flatnonzero(size > LARGE * size[size >= smallest].mean()):
        inside = np.flatnonzero(labels == group)
        parts = communities(W[inside][:, inside], resolution=resolution, rng=rng)
        labels[inside] = np.where(parts == 0, group, labels.max() + parts)
    return labels


def groups(
    neighbors: Neighbors | ArrayLike, *, resolution: float = 1.0, smallest: int | None = None, random_state: Any = 0
) -> Groups:
    r"""Find groups of rows that are more linked to each other than chance would have it.

    Parameters
    ----------
    neighbors : Neighbors or array-like of shape (n_samples, n_features)
        `indices` of shape (n_samples, k) without the row itself and `scores` (cosines), best first; or vectors, whose
        lists of 15 are then made first.
    resolution : float, default=1.0
        Above 1 for more and smaller groups, below 1 for fewer and larger ones.
    smallest : int or None, default=None
        Rows that a group needs; smaller ones join the group they are linked to most. None takes a sixteenth
        of n_samples to the power 2/3, at least 2: 25 of 8,000 rows, 135 of 100,000.
    random_state : int, RandomState or None, default=0
        Seed; the same seed and lists give the same groups.

    Returns
    -------
    Groups
        Labels ordered by size, strength of each row, stability of each group.

    Raises
    ------
    UserError
        When indices and scores differ in shape, an index points outside, or a parameter is out of range.

    Notes
    -----
    Modularity :math:`\sum_c \left(w_c / m - \gamma (v_c / 2m)^2\right)` over shared-neighbour weights (Jarvis and
    Patrick 1973; Newman and Girvan 2004), raised by local moves and contraction (Blondel et al. 2008) with half of the
    nodes moving at once and refinement on the way back. Each group is connected. Time and memory grow with the number
    of links.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> two_pairs = SimpleNamespace(indices=np.array([[1], [0], [3], [2]]), scores=np.ones((4, 1)))
    >>> groups(two_pairs).labels.tolist()
    [0, 0, 1, 1]
    >>> groups([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]).labels.tolist()
    [0, 0, 1, 1]
    """
    lists: Any = neighbors if hasattr(neighbors, "indices") else nearest_rows(neighbors)
    near, scores = np.asarray(lists.indices), np.asarray(lists.scores)
    n = len(near)
    if near.ndim != 2 or near.shape != scores.shape:
        raise UserError(
            f"Neighbour lists came as indices {near.shape} and scores {scores.shape}.",
            needed="two arrays of one shape (n_samples, k)",
        )
    if near.size and near.max() >= n:
        raise UserError(f"A neighbour list names row {near.max()} of {n} rows.", needed="indices below n_samples")
    if not resolution > 0:
        raise UserError(f"resolution={resolution}", needed="a number above 0", todo="leave it at 1.0")
    if smallest is None:
        smallest = max(2, round(n ** (2 / 3) / 16))
    elif smallest < 1:
        raise UserError(f"smallest={smallest}", needed="a whole number of at least 1")
    if n == 0:
        empty = np.zeros(0, dtype=np.float32)
        return Groups(np.zeros(0, dtype=np.int32), empty, empty, smallest)
    rng = check_random_state(random_state)

    W = links(lists)
    same = (near >= 0) & (scores >= IDENTICAL)
    copies = sparse.coo_array((np.ones(same.sum()), (np.nonzero(same)[0], near[same])), shape=(n, n))
    # Copies list each other in an arbitrary order, so their links mean nothing among themselves: one node for all.
    bundle = connected_components(copies, directed=False)[1].astype(np.int64)
    bundles = membership(bundle)
    W = sparse.csr_array(bundles.T @ W @ bundles)
    rows = np.bincount(bundle).astype(np.float64)

    def search(graph: sparse.csr_array) -> NDArray[np.int64]:
        found = communities(graph, resolution=resolution, rng=rng)
        found = _open_large(graph, rows, found, smallest, resolution, rng)
        return _join_small(graph, rows, _connected_parts(graph, found), smallest)[bundle]

    found = search(W)
    kept, first_row, size = np.unique(found, return_index=True, return_counts=True)
    order = np.lexsort((first_row, -size))
    order = order[kept[order] >= 0]
    rank = np.full(len(kept), -1, dtype=np.int32)
    rank[order] = np.arange(len(order))
    labels = rank[np.searchsorted(kept, found)]

    real = near >= 0
    agree = (labels[near] == labels[:, None]) & real
    strength = np.where(labels >= 0, agree.sum(axis=1) / np.maximum(real.sum(axis=1), 1), 0).astype(np.float32)
    stability = np.zeros(len(order))
    for _ in range(RERUNS if len(order) else 0):
        upper = sparse.triu(W, format="coo")
        stay = (rng.random_sample(upper.nnz) < KEPT_LINKS) | (upper.row == upper.col)
        half = upper.data[stay] * np.where(upper.row[stay] == upper.col[stay], 0.5, 1.0)
        stability += _best_overlap(labels, search(_symmetric(upper.row[stay], upper.col[stay], half, W.shape[0])))
    return Groups(labels, strength, (stability / RERUNS).astype(np.float32), smallest)


def _best_overlap(labels: NDArray[Any], again: NDArray[Any]) -> NDArray[np.float64]:
    """Largest intersection over union of each group with any group of a second grouping."""
    both = (labels >= 0) & (again >= 0)
    size, size_again = np.bincount(labels[labels >= 0]), np.bincount(again[again >= 0], minlength=1)
    shape = (len(size), len(size_again))
    common = sparse.coo_array((np.ones(both.sum()), (labels[both], again[both])), shape=shape).tocsr().tocoo()
    best = np.zeros(len(size))
    np.maximum.at(best, common.row, common.data / (size[common.row] + size_again[common.col] - common.data))
    return best
