"""Exact nearest neighbours: ours, faiss and scikit-learn, in one process, in turn.

    python benchmarks/neighbors.py            20,000 x 384, three rounds
    python benchmarks/neighbors.py --full     100,000 x 384, one round

Rows are 200 blobs with unit noise. Prints seconds and the ratio of the medians; all three must find the same rows.
"""

import argparse
import time

import faiss
import numpy as np
from sklearn.neighbors import NearestNeighbors

from codomain.core import unit_rows
from codomain.search import neighbors


def rows(n, d=384, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((200, d))
    return (0.8 * centres[rng.integers(0, 200, n)] + rng.standard_normal((n, d))).astype(np.float32)


def ours(X, k):
    return neighbors(X, k).indices


def with_faiss(X, k):
    U = unit_rows(X)
    index = faiss.IndexFlatIP(U.shape[1])
    index.add(U)
    found = index.search(U, k + 1)[1]
    return np.stack([line[line != row][:k] for row, line in enumerate(found)])


def with_sklearn(X, k):
    U = unit_rows(X)
    return NearestNeighbors(n_neighbors=k, algorithm="brute", metric="cosine").fit(U).kneighbors(return_distance=False)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--full", action="store_true")
    full = options.parse_args().full
    X, k, rounds = rows(100_000 if full else 20_000), 15, 1 if full else 3
    roads = {"codomain": ours, "faiss IndexFlatIP": with_faiss, "scikit-learn brute": with_sklearn}
    if full:
        del roads["scikit-learn brute"]
    seconds = {name: [] for name in roads}
    found = {}
    for _ in range(rounds):
        for name, road in roads.items():
            start = time.perf_counter()
            found[name] = road(X, k)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: np.median(times) for name, times in seconds.items()}
    print(f"{len(X):,} x {X.shape[1]}, k = {k}, median of {rounds}")
    for name, median in medians.items():
        same = np.mean(np.sort(found[name], axis=1) == np.sort(found["codomain"], axis=1))
        print(f"{name:20} {median:8.1f} s   {median / medians['codomain']:5.2f} x ours   same rows {same:.6f}")


if __name__ == "__main__":
    main()
