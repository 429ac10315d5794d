"""Docstrings of the same module or class: a query is one of them and the name of another."""

import re
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows
from codomain.data import frozen_docstrings
from codomain.encode import resolve


@cache
def _named_docstrings(coarse: bool) -> tuple[NDArray[Any], ...]:
    """Return packages, owners (module or class), vectors of docstrings and of what is said of them, and its words."""
    rows = [row for row in frozen_docstrings().to_pylist() if row["kind"] != "module"]
    owners = [row["id"].rpartition(".")[0] for row in rows]
    names = [re.sub(r"_|(?<=[a-z])(?=[A-Z])", " ", row["name"].rpartition(".")[2]).strip().lower() for row in rows]
    said = [name.split()[0] for name in names] if coarse else names
    encoder = resolve("static:wordllama")
    texts, words = (unit_rows(encoder.encode(some)) for some in ([row["text"] for row in rows], said))
    return np.array([row["package"] for row in rows]), np.array(owners), texts, words, np.array(said)


def named_docstrings(
    seed: int, n_train: int, n_test: int, *, coarse: bool = False
) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Return owners, vectors of texts and of names, and names, for training and for test, which share no package.

    Vectors are of length 1, by wordllama's table. Only owners (modules or classes) of at least four docstrings count.
    Packages come in an order drawn by the seed, each complete but the last. Names are cut to their first word, as in
    get, if they are to be coarse.
    """
    packages, owners, texts, words, said = _named_docstrings(coarse)
    _, place, counts = np.unique(owners, return_inverse=True, return_counts=True)
    rich = np.flatnonzero(counts[place] >= 4)
    names, package = np.unique(packages[rich], return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(names))[package]
    order = np.argsort(drawn, kind="stable")
    tested = drawn[order] <= drawn[order[n_test - 1]]
    halves = rich[order[~tested]][:n_train], rich[order[tested]][:n_test]
    return [(owners[half], texts[half], words[half], said[half]) for half in halves]


def tune_share(references: NDArray[Any], conditions: NDArray[Any], wanted: NDArray[np.int64]) -> float:
    """Return the share of the condition in its sum with the reference that finds the most targets.

    Row i looks for reference wanted[i] by reference i and condition wanted[i], and finds it if it is among the first
    ten; rows where wanted is -1 are no queries.
    """
    asking = np.flatnonzero(wanted >= 0)
    right, rows = wanted[asking], np.arange(len(asking))
    one, other = references[asking] @ references.T, conditions[right] @ references.T
    one[rows, asking] = -np.inf
    found = {}
    for share in np.linspace(0.1, 0.9, 9):
        scores = (1 - share) * one + share * other
        found[float(share)] = np.mean(np.sum(scores > scores[rows, right][:, None], axis=1) < 10)
    return max(found, key=lambda share: found[share])
