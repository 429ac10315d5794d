"""Recipes, certificates and maps: what our layer adds to faiss, and how good the answers are.

    python benchmarks/shrink.py                                   8,000 synthetic rows
    python benchmarks/shrink.py --vectors=X.npy --rows=8000       rows of your own
    python benchmarks/shrink.py --vectors=X.npy --labels=y.npy --only=maps --umap

Parts: overhead (ours against the same faiss index by hand), cheapest (ours against a plain loop over the same
recipes), projection (recall of exact search after centred and uncentred PCA), bounds (coverage and gap of five bounds
on real recalls), maps (neighbours kept, labels kept, seconds).
"""

import argparse
import time

import faiss
import numpy as np
from scipy import stats
from scipy.spatial import cKDTree

from benchmarks.paired import paired
from codomain.core import unit_rows
from codomain.core.maths.top import drop_own, exact_top
from codomain.shrink import Judge, Recipe, bounds, cheapest, kept_neighbors, layout
from codomain.shrink.index.certificate import query_recalls
from codomain.shrink.index.grid import grid

DOT = faiss.METRIC_INNER_PRODUCT
INT8 = faiss.ScalarQuantizer.QT_8bit


def blobs(n, d=384, seed=0):
    rng = np.random.default_rng(seed)
    spread = np.linspace(1.5, 0.2, d)
    labels = rng.integers(0, 60, n)
    return (rng.standard_normal((60, d))[labels] * spread + rng.standard_normal((n, d)) * spread), labels


def by_hand(code, d):
    if code == "int8":
        return faiss.IndexScalarQuantizer(d, INT8, DOT)
    if code == "pq96x4":
        return faiss.IndexPQFastScan(d, 96, 4, DOT)
    store = faiss.IndexRefine(faiss.IndexPQFastScan(d, 96, 4, DOT), faiss.IndexScalarQuantizer(d, INT8, DOT))
    store.k_factor = 10
    return store


def overhead(X, labels, options):
    Q = X[:: max(len(X) // 256, 1)][:256].copy()
    for recipe in (Recipe(), Recipe(code="pq96x4"), Recipe(code="pq96x4", rescore="int8")):
        ours = recipe.fit(X).encode(X)
        theirs = by_hand(recipe.code if recipe.rescore == "none" else "both", X.shape[1])
        theirs.train(X)
        theirs.add(X)
        trained = recipe.fit(X)
        plain = faiss.clone_index(theirs)

        def encode(trained=trained, X=X):
            trained.index.faiss.reset()
            trained.encode(X)

        def add(plain=plain, X=X):
            plain.reset()
            plain.add(X)

        def ask(ours=ours):
            ours.search(Q)

        def ask_faiss(theirs=theirs):
            theirs.search(Q, 10)

        for what, mine, other in (("encode", encode, add), ("256 queries,", ask, ask_faiss)):
            paired(f"{what} {recipe.name}", mine, other, peer_name="faiss by hand", rounds=options.rounds)


def plain_loop(X, target=0.95, k=10):
    """What one writes without us: every recipe on every row, the same queries to choose and to believe."""
    rows = np.random.default_rng(0).permutation(len(X))
    judge = Judge(X, rows[:1000], k)
    train = np.sort(rows[1000:21000])
    met = []
    for recipe in grid(X.shape[1]):
        fitted = recipe.fit(X, train=train).encode(X)
        if query_recalls(fitted, judge).mean() >= target:
            met.append((fitted.bytes_per_vector, recipe.name))
    return min(met)


def cheapest_recipe(X, labels, options):
    paired("cheapest, target 0.95", lambda: cheapest(X), lambda: plain_loop(X), peer_name="plain loop", rounds=1)
    print("ours:", cheapest(X).winner, "| loop:", plain_loop(X))


def projection(X, labels, options):
    rows = np.random.default_rng(0).permutation(len(X))[:300]
    judge = Judge(X, rows, 10)
    sample = X[np.random.default_rng(1).permutation(len(X))[:20_000]]
    mean = sample.mean(axis=0)
    for width in (64, 128, 192, 256):
        shown = []
        for centre in (0 * mean, mean):
            keep = np.linalg.eigh((sample - centre).T @ (sample - centre))[1][:, ::-1][:, :width].astype(np.float32)
            found = exact_top(X, judge.Q, 10, own=rows, project=lambda Z, c=centre, keep=keep: (Z - c) @ keep)[1]
            shown.append(judge.recalls(found).mean())
        print(f"{width:4} columns: uncentred {shown[0]:.3f}, centred {shown[1]:.3f}")


def student(x, tail):
    return x.mean() + stats.t.ppf(tail, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))


def bootstrap(x, tail):
    if np.ptp(x) == 0:
        return x.mean()
    again = np.random.default_rng(0).choice(x, (2000, len(x))).mean(axis=1)
    below = np.clip(np.mean(again < x.mean()), 1e-4, 1 - 1e-4)
    away = x - x.mean()
    skew = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    z = stats.norm.ppf(below) + stats.norm.ppf(tail)
    return np.quantile(again, stats.norm.cdf(stats.norm.ppf(below) + z / (1 - skew * z)))


def hedged(x, tail):
    """Lower end by betting: a mixture over fixed bets, turned into a bound by bisection."""
    bets = np.linspace(0.025, 0.999, 40)
    low, high = 0.0, float(x.mean())
    for _ in range(25):
        mean = (low + high) / 2
        wealth = np.log1p(bets / max(mean, 1e-9) * (x[:, None] - mean)).sum(axis=0)
        ruled_out = np.logaddexp.reduce(wealth) - np.log(len(bets)) >= np.log(1 / tail)
        low, high = (mean, high) if ruled_out else (low, mean)
    return low


def hoeffding(x, tail):
    return x.mean() - np.sqrt(np.log(1 / tail) / (2 * len(x)))


def gaffke(x, tail):
    return bounds(x, confidence=1 - 2 * tail)[0]


def bound_table(X, labels, options):
    X = X[:8000]
    everyone = Judge(X, np.arange(len(X)), 10)
    for code in ("int8", "int6", "int4", "binary"):
        fitted = Recipe(code=code).fit(X).encode(X)
        truth = everyone.recalls(drop_own(fitted.search(X, 11)[1], np.arange(len(X)), 10))
        for n in (50, 300, 1000):
            shown = []
            for bound in (student, bootstrap, hoeffding, hedged, gaffke):
                draws = [bound(np.random.default_rng(s).choice(truth, n), 0.05) for s in range(options.resamples)]
                gap = truth.mean() - np.mean(draws)
                shown.append(f"{bound.__name__} {np.mean(np.array(draws) <= truth.mean()):.2f} (gap {gap:.4f})")
            print(f"{code:7} recall {truth.mean():.4f}, {n:5} queries: {', '.join(shown)}", flush=True)


def maps(X, labels, options):
    rows = np.arange(len(X))
    lists = np.vstack([exact_top(X, X[at], 15, own=at)[1] for at in np.array_split(rows, -(-len(X) // 2000))])
    print(f"labels among the 15 nearest rows of the space: {np.mean(labels[lists] == labels[:, None]):.3f}")
    for method in ("pca", "forces", *(("umap",) if options.umap else ())):
        wall, cpu = time.perf_counter(), time.process_time()
        made = layout(X, lists, method=method)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        near = cKDTree(made.xy).query(made.xy, 16)[1][:, 1:]
        purity = np.mean(labels[near] == labels[:, None])
        kept = kept_neighbors(made.xy, lists).mean()
        print(f"{method:7} neighbours kept {kept:.3f}, labels {purity:.3f}, {wall:.1f} s ({cpu:.1f} s of processor)")


PARTS = {
    "overhead": overhead,
    "cheapest": cheapest_recipe,
    "projection": projection,
    "bounds": bound_table,
    "maps": maps,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vectors", help="an .npy file of shape (n, d)")
    parser.add_argument("--labels", help="an .npy file of shape (n,)")
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--umap", action="store_true")
    options = parser.parse_args()
    if options.vectors:
        stored = np.load(options.vectors, mmap_mode="r")
        labels = np.load(options.labels) if options.labels else np.zeros(len(stored), dtype=np.int64)
        some = np.sort(np.random.default_rng(1).permutation(len(stored))[: options.rows])
        X, labels = stored[some], labels[some]
    else:
        X, labels = blobs(options.rows)
    X = unit_rows(np.ascontiguousarray(X, dtype=np.float32))
    print(f"{X.shape[0]:,} x {X.shape[1]}")
    for name, part in PARTS.items():
        if options.only in (None, name):
            print(f"-- {name}", flush=True)
            part(X, labels, options)


if __name__ == "__main__":
    main()
