"""A small graph network over syntax trees: messages along edges, pooling by children, one vector for each tree."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import need, unit_rows
from codomain.search.gnn_coder.trees import Trees


def start_weights(
    trees: Trees, width: int, n_out: int, n_hidden: int, n_layers: int, random: np.random.RandomState
) -> dict[str, NDArray[np.float32]]:
    """Return the weights before training: the rows' features as they are, and nothing of the graph yet."""
    start = {
        "row": np.eye(width, n_out),
        "graph": np.zeros((2 * n_hidden, n_out)),
        "content": random.standard_normal((trees.contents.shape[1], n_hidden)),
        "type": np.zeros((int(trees.types.max()) + 1, n_hidden)),
    }
    for layer in range(n_layers):
        start[f"own_{layer}"], start[f"near_{layer}"] = random.standard_normal((2, n_hidden, n_hidden)) / n_hidden**0.5
        start[f"shift_{layer}"] = np.zeros(n_hidden)
        start[f"own_score_{layer}"] = start[f"near_score_{layer}"] = np.zeros((n_hidden, 1))
    return {name: part.astype(np.float32) for name, part in start.items()}


def neighbour_means(H: Any, parents: NDArray[np.int64]) -> Any:
    """Return the mean of each node's neighbours, parent and children, (n_nodes, n_hidden); 0 where it has none."""
    torch: Any = need("torch", "torch")
    child = np.flatnonzero(parents >= 0)
    one, other = np.concatenate([child, parents[child]]), np.concatenate([parents[child], child])
    degrees = np.maximum(np.bincount(one, minlength=len(H)), 1)
    total = torch.zeros_like(H).index_add(0, torch.from_numpy(one), H[torch.from_numpy(other)])
    return total / torch.from_numpy(degrees.astype(np.float32))[:, None]


def best_nodes(scores: NDArray[Any], tree: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Return the nodes with the highest scores, a share of each tree and at least one; of equal ones, the first.

    `tree` is the tree of each node, rising from 0. Scores are rounded to four decimals: equal places in a
    tree must score alike, but the last digits of a product depend on the rest of the batch.
    """
    counts = np.bincount(tree)
    order = np.lexsort((-np.round(scores, 4), tree))
    rank = np.arange(len(tree)) - np.repeat(np.cumsum(counts) - counts, counts)
    most = np.ceil(share * counts - 1e-9)  # 0.1 of 30 is 3
    return np.sort(order[rank < np.repeat(most, counts)])


def graph_vectors(weights: dict[str, Any], trees: Trees, n_layers: int, share: float) -> Any:
    """Return for each tree the mean and the maximum of the nodes kept, added up over levels: (n_trees, 2 n_hidden)."""
    torch: Any = need("torch", "torch")
    lengths = np.diff(trees.offsets)
    tree = np.repeat(np.arange(len(trees)), lengths)
    parents = np.where(trees.parents < 0, -1, trees.parents + np.repeat(trees.offsets[:-1], lengths))
    children = np.log1p(np.bincount(parents[parents >= 0], minlength=len(parents)).astype(np.float32))
    used, which = np.unique(trees.content, return_inverse=True)
    contents = torch.from_numpy(unit_rows(trees.contents[used].astype(np.float32))) @ weights["content"]
    unseen = torch.zeros_like(weights["type"][:1])  # types that training did not have add nothing
    kinds = torch.cat([weights["type"], unseen])[np.minimum(trees.types, len(weights["type"]))]
    H, levels = contents[which] + kinds, []
    for layer in range(n_layers):
        means = neighbour_means(H, parents)
        own, near, shift = (weights[f"{name}_{layer}"] for name in ("own", "near", "shift"))
        H = torch.relu(H @ own + means @ near + shift)
        learned = H @ weights[f"own_score_{layer}"] + neighbour_means(H, parents) @ weights[f"near_score_{layer}"]
        scores = learned[:, 0] + torch.from_numpy(children)
        kept = best_nodes(scores.detach().numpy(), tree, share)
        place = np.full(len(parents), -1)
        place[kept] = np.arange(len(kept))
        H = H[kept] * torch.sigmoid(scores[kept])[:, None]  # the gate through which the scores learn
        above = parents[kept]
        parents, tree, children = np.where(above < 0, -1, place[above]), tree[kept], children[kept]
        sizes = torch.from_numpy(np.bincount(tree))
        levels.append(
            torch.cat([torch.segment_reduce(H, how, lengths=sizes, axis=0) for how in ("mean", "max")], dim=1)
        )
    return sum(levels)


def code_vectors(weights: dict[str, Any], rows: Any, trees: Trees, n_layers: int, share: float) -> Any:
    """Return the vectors of length 1 of rows, a tensor of shape (n, width), and their trees: (n, n_out)."""
    torch: Any = need("torch", "torch")
    graph = graph_vectors(weights, trees, n_layers, share)
    return torch.nn.functional.normalize(rows @ weights["row"] + graph @ weights["graph"], dim=1)
