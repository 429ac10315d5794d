"""Groups against spherical k-means told the same number of groups: how well each matches labels, and how fast.

`python -m benchmarks groups` uses the standard library's docstrings; add `--vectors=X.npy --labels=rows.parquet:label`
for your own.
"""

import sys
import time
from collections.abc import Callable

import faiss
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from codomain.cluster import groups
from codomain.search import neighbors


def purity(truth: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    """Share of rows that carry the commonest label of their group."""
    table = np.zeros((found.max() + 1, truth.max() + 1))
    np.add.at(table, (found, truth), 1)
    return float(table.max(axis=1).sum() / len(truth))


def k_means(X: NDArray[np.float32], n_groups: int, seed: int) -> NDArray[np.int64]:
    means = faiss.Kmeans(X.shape[1], n_groups, niter=25, spherical=True, seed=seed, max_points_per_centroid=10**6)
    means.train(X)
    return np.asarray(means.index.search(X, 1)[1][:, 0])


def report(name: str, truth: NDArray[np.int64], work: Callable[[int], NDArray[np.int64]], seeds: int = 3) -> None:
    rows = []
    for seed in range(seeds):
        began = time.perf_counter()
        found = work(seed)
        seconds = time.perf_counter() - began
        inside = found >= 0
        pair = truth[inside], found[inside].astype(np.int64)
        scores = normalized_mutual_info_score(*pair), adjusted_rand_score(*pair), purity(*pair)
        rows.append((*scores, inside.mean(), found.max() + 1, seconds))
    mutual, rand, pure, covered, count, seconds = np.median(rows, axis=0)
    print(
        f"{name:<20} groups {count:4.0f}  covered {covered:6.1%}  NMI {mutual:.3f}  ARI {rand:.3f}  "
        f"purity {pure:.3f}  {seconds:6.1f} s",
        flush=True,
    )


def compare(title: str, X: NDArray[np.float32], labels: list[str]) -> None:
    truth = np.unique(labels, return_inverse=True)[1]
    print(f"{title}: {X.shape[0]:,} x {X.shape[1]}, {truth.max() + 1} labels; medians over 3 seeds")
    near = neighbors(X, k=15)
    n_groups = len(groups(near).sizes)
    report("ours", truth, lambda seed: groups(near, random_state=seed).labels)
    report("spherical k-means", truth, lambda seed: k_means(X, n_groups, seed))


def docstrings() -> tuple[NDArray[np.float32], list[str]]:
    from codomain.data import stdlib_docstrings
    from codomain.encode import resolve

    rows = stdlib_docstrings()
    X = resolve("static:wordllama").encode(rows["text"].to_pylist())
    return X, [name.split(".")[0] for name in rows["module"].to_pylist()]


if __name__ == "__main__":
    given = dict(argument.lstrip("-").split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    if "vectors" in given:
        path, column = given["labels"].rsplit(":", 1)
        own = np.ascontiguousarray(np.load(given["vectors"]), dtype=np.float32)
        compare(given["vectors"], own, pq.read_table(path)[column].to_pylist()[: len(own)])
    else:
        compare("docstrings", *docstrings())
