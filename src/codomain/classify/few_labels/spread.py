"""Labels handed on to rows without one, along a graph of nearest rows, and a kernel head that learns from them all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.neighbors import NearestNeighbors

from codomain.classify.few_labels.closed import Fit

NEIGHBORS = 10
FURTHER = 0.8  # share of what a row holds that goes on to its neighbours
STEPS = 25  # 0.8 ** 25 is less than a hundredth: what comes later changes no class
DOUBT = 1e-3  # of an even share: rows that no label reaches belong to every class alike
PENALTY = 0.5  # of least squares, as in `_closed.PENALTIES`; like the numbers above settled on digits and docstrings


def reached(rows: NDArray[Any], n_labels: int) -> NDArray[np.float64]:
    r"""Return how much of each label reaches each row.

    With the graph's weights :math:`S`, scaled by the roots of the degrees, it is the first columns of
    :math:`\sum_t (\alpha S)^t`, the closed form of Zhou et al. (2003), whose column is linear in its label: leaving a
    label out is leaving its column out.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        The labelled rows first.
    n_labels : int
        How many of them have a label.

    Returns
    -------
    ndarray of shape (n_samples, n_labels)
        At least 0.
    """
    n = len(rows)
    far, others = NearestNeighbors(n_neighbors=min(NEIGHBORS, n - 1), algorithm="brute").fit(rows).kneighbors()
    squares = far.astype(np.float64) ** 2
    near = np.exp(-squares / (np.median(squares) or 1.0))
    place = np.repeat(np.arange(n), near.shape[1])
    graph = csr_array((near.ravel(), (place, others.ravel())), shape=(n, n))
    graph = graph + graph.T
    roots = diags_array(1 / np.sqrt(np.maximum(graph.sum(axis=1), 1e-12)))
    step = (FURTHER * (roots @ graph @ roots)).tocsr().astype(np.float32)
    start = np.eye(n, n_labels, dtype=np.float32)
    found = start
    for _ in range(STEPS):
        found = step @ found
        found += start
    return np.asarray(found, np.float64)


def taught(
    features: NDArray[Any],
    reach: NDArray[np.float64],
    which: NDArray[np.intp],
    checked: NDArray[np.intp],
    guessed: NDArray[np.intp],
) -> Fit:
    """Return least squares onto what each row has been reached by.

    What a class gives out in all is set to the share of rows that another head guesses it to have (class mass
    normalisation, Zhu, Ghahramani and Lafferty, 2003): few labels say nothing about how common their classes are.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Features of all rows, the labelled ones first.
    reach : ndarray of shape (n_samples, n_labels)
        As `reached` returns it.
    which : ndarray of shape (n_labels,)
        Classes, from 0.
    checked : ndarray of int
        Labelled rows to score as if they had no label; of classes with at least two.
    guessed : ndarray of shape (n_samples,)
        Class that the other head gives each row.

    Returns
    -------
    Fit
        Its left-out scores are those of a row in the same graph that has no label, with the same guesses.
    """
    n, own, k = len(features), which[checked], which.max() + 1
    by_class, gave = reach @ np.eye(k)[which], reach.sum(axis=0)
    mass = by_class.sum(axis=0)
    # Guesses may miss a class altogether, so no class has less than a third of an even share.
    worth = (k * np.bincount(guessed, minlength=k) / n + 0.5) / 1.5
    held = by_class * (worth / mass) + DOUBT / n
    level = held.sum(axis=1)
    target = held / level[:, None]
    centre = features.mean(axis=0, dtype=np.float64)
    F = features - centre
    scatter = F.T @ F
    solved = np.linalg.solve(scatter + PENALTY * np.trace(scatter) / n * np.eye(len(scatter)), F.T)
    coef = (solved @ (target - target.mean(axis=0))).T
    # Without the label of row i only its class holds less, and what each row believes is shared out anew.
    less = (
        (by_class[:, own] - reach[:, checked]) * (worth[own] / (mass[own] - gave[checked])) + DOUBT / n - held[:, own]
    )
    share = (F[checked] @ solved + 1 / n) / (level[:, None] + less).T
    left_out = share @ held
    left_out[np.arange(len(checked)), own] += np.einsum("ij,ji->i", share, less)
    kind = features.dtype
    return Fit(coef.astype(kind), (target.mean(axis=0) - coef @ centre).astype(kind), left_out.astype(kind))
