"""A linear map learned by InfoNCE: the plain rival of methods that learn more from the same pairs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need, unit_rows


def contrastive_map(
    X: NDArray[np.float32], Y: NDArray[np.float32], *, temperature: float, epochs: int, batch: int, both_ways: bool,
    random_state: int, learning_rate: float = 1e-3,
) -> NDArray[np.float32]:  # fmt: skip
    """Learn W so that row i of X @ W is nearer to row i of Y than to the other rows of a minibatch.

    Parameters
    ----------
    X, Y : ndarray of shape (n, n_features) and (n, n_components)
        Pairs, of which rows of Y have length 1.
    temperature : float
        Cosines are divided by it.
    epochs, batch, learning_rate
        As `descend` has them.
    both_ways : bool
        Whether rows of Y look for theirs of X too.
    random_state : int
        Seed of the order of pairs.

    Returns
    -------
    ndarray of shape (n_features, n_components)
        Training starts from the identity.
    """
    torch: Any = need("torch", "torch")
    one, other = (torch.from_numpy(np.asarray(part, np.float32)) for part in (X, Y))
    W = torch.nn.Parameter(torch.eye(X.shape[1], Y.shape[1]))

    def loss(rows: Any) -> Any:
        scores = torch.nn.functional.normalize(one[rows] @ W, dim=1) @ other[rows].T / temperature
        right = torch.arange(len(rows))
        ways = (scores, scores.T) if both_ways else (scores,)
        return sum(torch.nn.functional.cross_entropy(each, right) for each in ways) / len(ways)

    descend(loss, [W], len(X), epochs=epochs, batch=batch, learning_rate=learning_rate, random_state=random_state)
    return np.asarray(W.detach().numpy())


def map_rows(X: NDArray[Any], W: NDArray[Any]) -> NDArray[np.float32]:
    """Return mapped rows, scaled to length 1."""
    return np.asarray(unit_rows(X @ W), np.float32)
