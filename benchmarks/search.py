"""Recall for bytes: our codes against faiss's, nothing kept but the code, everything counted.

    python -m benchmarks.search BASE.npy QUERIES.npy         rows, and queries that are not among them
    python -m benchmarks.search BASE.npy QUERIES.npy --all   also the peers that take minutes
    python -m benchmarks.search                              8,000 synthetic rows

One process, two threads. Bytes are those of the saved index over the rows, recall@10 counts ties; nothing is tuned
here. A goal is met by the largest size of ours whose bytes do not exceed it.
"""

import argparse
import time

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from codomain.core import unit_rows
from codomain.shrink import Recipe
from codomain.shrink.index.learn import axes_of
from codomain.shrink.index.waterfill import Waterfill

GOALS = ((0.80, 68), (0.90, 112), (0.95, 165), (0.98, 280))  # recall@10, bytes a row in all
DOT = faiss.METRIC_INNER_PRODUCT
PEERS = {
    "OPQ48,PQ48": "OPQ48,PQ48", "OPQ96,PQ96x4fs": "OPQ96,PQ96x4fs", "PQ96x4fs": "PQ96x4fs", "PQ96": "PQ96",
    "PQ192x4fs": "PQ192x4fs", "RR,RaBitQ 1": "RR,RaBitQ", "RR,RaBitQ 2": "RR,RaBitQ2", "RR,RaBitQ 4": "RR,RaBitQ4",
    "SQ4": "SQ4", "SQ6": "SQ6", "SQ8": "SQ8",
}  # fmt: skip
SLOW = {"OPQ48,PQ48", "OPQ96,PQ96x4fs", "PQ96"}
TRAIN = 20_000


def recall(search, Q, X, least):
    began = time.perf_counter()
    rows = search(Q)
    seconds = time.perf_counter() - began
    exact = np.einsum("qd,qkd->qk", Q, X[np.maximum(rows, 0)])
    return float(((exact >= least[:, None]) & (rows >= 0)).mean()), seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base", nargs="?")
    parser.add_argument("queries", nargs="?")
    parser.add_argument("--all", action="store_true", help="also the peers that take minutes: OPQ and 8-bit PQ")
    options = parser.parse_args()
    faiss.omp_set_num_threads(2)
    if options.base:
        X, Q = (unit_rows(np.load(path).astype(np.float32)) for path in (options.base, options.queries))
    else:
        rng = np.random.default_rng(0)
        both = rng.standard_normal((8256, 384)) * np.geomspace(1, 0.05, 384) + 0.1
        X, Q = np.split(unit_rows(both.astype(np.float32)), [8000])
    n, d = X.shape
    print(f"{n:,} x {d}, {len(Q):,} queries")
    tenth = np.concatenate([np.partition(some @ X.T, -10, axis=1)[:, -10] for some in np.array_split(Q, 8)])
    least = tenth - 1e-6
    sample = X[np.random.default_rng(0).permutation(n)[:TRAIN]]
    axes = axes_of(sample)
    table = []

    def show(name, index, build):
        size = len(index.to_bytes() if isinstance(index, Waterfill) else faiss.serialize_index(index)) / n
        found, seconds = recall(lambda Q: index.search(Q, 10)[1], Q, X, least)
        table.append((name, size, found))
        print(f"{name:16} {size:6.1f} bytes  recall@10 {found:.4f}  {len(Q) / seconds:8,.0f} q/s  "
              f"built in {build:5.1f} s", flush=True)  # fmt: skip

    for size in [d // 8, *(round(d * (0.97 * most - 1) / 384) for _, most in GOALS)]:  # models and states take the rest
        began = time.perf_counter()
        fitted = Recipe(code=f"fill{size}").learn(sample, np.random.default_rng(0), axes=axes).encode(X)
        fitted.index.scan_bytes()
        show(fitted.recipe.name, fitted.index, time.perf_counter() - began)
    for name in [name for name in PEERS if options.all or name not in SLOW]:
        began = time.perf_counter()
        index = faiss.index_factory(d, PEERS[name], DOT)
        index.train(sample)
        index.add(X)
        show(name, index, time.perf_counter() - began)

    print(f"\n{'goal':>16} | {'ours':^28} | {'best peer':^32} | ours past the goal, past the peer")
    for wanted, most in GOALS:
        rows = {}
        for who in ("ours", "peer"):
            fit = [row for row in table if row[1] <= most and row[0].startswith("fill") == (who == "ours")]
            rows[who] = max(fit, key=lambda row: row[2], default=("none", 0.0, 0.0))
        (mine, a, x), (peer, b, y) = rows["ours"], rows["peer"]
        print(f"{wanted:.2f} at {most:3} bytes | {mine:8} {a:6.1f} bytes {x:.4f}  | {peer:12} {b:6.1f} bytes "
              f"{y:.4f}  | {x - wanted:+.4f}, {x - y:+.4f}")  # fmt: skip


if __name__ == "__main__":
    with threadpool_limits(2):
        main()
