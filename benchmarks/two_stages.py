"""Queries a second at equal recall: our two stages against faiss's, and against scann-core and turbovec where they are.

    python -m benchmarks.two_stages BASE.npy QUERIES.npy     rows, and queries that are not among them
    python -m benchmarks.two_stages                          8,000 synthetic rows

One process, two threads, contenders in turn, medians over the rounds. Each contender takes its fastest setting that
reaches the recall, or its best when none does. Bytes are those of everything that is saved, over the rows; peak memory
is what building adds to the process (Linux only). On a busy machine compare the processor's time too (cpu).
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from codomain.core import unit_rows
from codomain.shrink import Recipe

DOT = faiss.METRIC_INNER_PRODUCT
K = 10
PARTS = {  # recall wanted, most bytes, ours, the peer of the goal
    "no lists": (0.993, 440, "signs", "PQ96x4fs,Refine(SQ8)"),
    "lists": (0.95, 451, "pq96x4, 512 lists", "IVF512,PQ96x4fs,Refine(SQ8)"),
}


@dataclass
class Contender:
    name: str
    size: float
    settings: dict[str, Callable]
    seconds: float = 0.0
    peak: float = float("nan")
    chosen: str = ""
    recall: float = 0.0
    one: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    one_cpu: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def status(key):
    return next((int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith(key)), 0.0)


def built(make):
    """What `make` returned, wall seconds, and MB that the process held at most on top of what it held before."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forget the old peak
        before = status("VmRSS")
    except OSError:
        before = None
    began = time.perf_counter()
    out = make()
    seconds = time.perf_counter() - began
    return out, seconds, status("VmHWM") - before if before is not None else float("nan")


def ours(X, part):
    lists = part == "lists"
    depths = (8, 10, 12, 15) if lists else (5, 10, 15, 20, 30)
    code = Recipe(code=f"pq{X.shape[1] // 4}x4", rescore="int8", lists=512, probe=12)
    recipe = code if lists else Recipe(code="signs", rescore="int8")

    def make():
        fitted = recipe.fit(X).encode(X)
        fitted.index._layout()
        return fitted

    fitted, seconds, peak = built(make)
    fitted.search(X[:64], K)  # compiles

    def ask(Q, depth, probe):
        fitted.index.depth = depth
        if probe:
            fitted.index.probe = probe
        return fitted.search(Q, K)[1]

    settings = {
        (f"probe {probe}, " if probe else "") + f"depth {depth}": lambda Q, d=depth, p=probe: ask(Q, d, p)
        for probe in ((10, 11, 12, 13, 14, 20, 32, 64) if lists else (0,)) for depth in depths
    }  # fmt: skip
    return Contender(PARTS[part][2], fitted.bytes_per_vector, settings, seconds, peak)


def theirs(X, part, sample):
    key = PARTS[part][3].replace("PQ96", f"PQ{X.shape[1] // 4}")

    def make():
        index = faiss.index_factory(X.shape[1], key, DOT)
        faiss.omp_set_num_threads(1)  # many tiny codebooks: threads only wait for each other
        index.train(sample)
        faiss.omp_set_num_threads(2)
        index.add(X)
        return index

    index, seconds, peak = built(make)
    inside = faiss.extract_index_ivf(index.base_index) if part == "lists" else None

    def ask(Q, factor, probe):
        index.k_factor = factor
        if probe:
            inside.nprobe = probe
        return index.search(Q, K)[1]

    settings = {
        (f"nprobe {probe}, " if probe else "") + f"k_factor {factor}": lambda Q, f=factor, p=probe: ask(Q, f, p)
        for probe in ((28, 30, 32, 34, 36, 40, 48) if inside is not None else (0,))
        for factor in ((6, 8, 10, 12, 15) if inside is not None else (4, 10, 20, 30, 40))
    }  # fmt: skip
    size = faiss.serialize_index(index).nbytes / len(X)
    return Contender(f"faiss {key}", size, settings, seconds, peak)


def scann_core(X, part):
    import scann

    def make():
        builder = scann.scann_ops_pybind.builder(X, K, "dot_product").set_n_training_threads(2)
        if part == "lists":
            builder = builder.tree(num_leaves=500, num_leaves_to_search=50, training_sample_size=50_000)
        builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2)
        return builder.reorder(100, quantize=scann.ReorderType.INT8).build()

    index, seconds, peak = built(make)
    with tempfile.TemporaryDirectory() as folder:
        index.serialize(folder)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / len(X)

    def ask(Q, reorder, leaves):
        more = {"leaves_to_search": leaves} if leaves else {}
        if len(Q) == 1:
            found = index.search(Q[0], final_num_neighbors=K, pre_reorder_num_neighbors=reorder, **more)[0]
            return np.asarray(found, dtype=np.int64)[None]
        found = index.search_batched_parallel(Q, final_num_neighbors=K, pre_reorder_num_neighbors=reorder, **more)[0]
        return np.asarray(found, dtype=np.int64)

    settings = {
        (f"leaves {leaves}, " if leaves else "") + f"reorder {reorder}": lambda Q, r=reorder, le=leaves: ask(Q, r, le)
        for leaves in ((25, 35, 50, 70) if part == "lists" else (0,)) for reorder in (30, 50, 100, 200)
    }  # fmt: skip
    return Contender("scann-core" + (" tree500" if part == "lists" else ""), size, settings, seconds, peak)


def turbo(X):
    import turbovec

    def make():
        index = turbovec.TurboQuantIndex(dim=X.shape[1], bit_width=2)
        index.calibrate(X[:16384])
        index.add(X)
        index.prepare()
        step = np.abs(X).max(axis=1, keepdims=True) / 127
        return index, np.rint(X / step).astype(np.int8), step[:, 0]

    (index, store, scale), seconds, peak = built(make)

    def ask(Q, depth):
        near = np.asarray(index.search(Q, depth * K)[1], dtype=np.int64)
        S = np.stack([(store[rows].astype(np.float32) @ q) * scale[rows] for rows, q in zip(near, Q, strict=True)])
        return np.take_along_axis(near, np.argsort(-S, axis=1)[:, :K], axis=1)

    settings = {f"depth {depth}": lambda Q, d=depth: ask(Q, d) for depth in (3, 5, 10)}
    size = len(index.to_bytes()) / len(X) + X.shape[1] + 4
    return Contender("turbovec 2-bit, int8 by numpy", size, settings, seconds, peak)


def choose(one, wanted, Q, recall):
    """Take the fastest setting that reaches the recall, or the best there is."""
    tried = []
    for name, search in one.settings.items():
        found, taken = recall(search(Q)), []
        for _ in range(5):
            began = time.process_time()
            search(Q[:256])
            taken.append(time.process_time() - began)
        tried.append((found >= wanted, -min(taken) if found >= wanted else found, found, name))
    _, _, one.recall, one.chosen = max(tried)


def race(field_, Q, rounds):
    for turn in range(rounds + 1):
        for one in field_[:: 1 if turn % 2 else -1]:  # none always goes first
            search = one.settings[one.chosen]
            few = Q[(turn * 64) % (len(Q) - 64) :][:64]
            began, cpu = time.perf_counter(), time.process_time()
            for i in range(len(few)):
                search(few[i : i + 1])
            single, alone = ((time.perf_counter() - began) / len(few), (time.process_time() - cpu) / len(few))
            began, cpu = time.perf_counter(), time.process_time()
            search(Q[:256])
            batch, used = time.perf_counter() - began, time.process_time() - cpu
            if turn:  # the first warms up
                one.one.append(single)
                one.one_cpu.append(alone)
                one.many.append(batch / len(Q[:256]))
                one.cpu.append(used / len(Q[:256]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base", nargs="?")
    parser.add_argument("queries", nargs="?")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--part", choices=list(PARTS), help="only this one")
    options = parser.parse_args()
    faiss.omp_set_num_threads(2)
    if options.base:
        X, Q = (unit_rows(np.load(path).astype(np.float32)) for path in (options.base, options.queries))
    else:
        rng = np.random.default_rng(0)
        both = rng.standard_normal((8256, 384)) * np.geomspace(1, 0.05, 384) + 0.1
        X, Q = np.split(unit_rows(both.astype(np.float32)), [8000])
    tenth = np.concatenate([np.partition(some @ X.T, -K, axis=1)[:, -K] for some in np.array_split(Q, 8)])

    def recall(rows):
        good = np.einsum("qd,qkd->qk", Q, X[np.maximum(rows, 0)]) >= (tenth - 1e-6)[:, None]
        return float((good & (rows >= 0)).mean())

    sample = X[np.random.default_rng(0).permutation(len(X))[:20_000]]
    for part in [options.part] if options.part else PARTS:
        wanted, most = PARTS[part][:2]
        field_ = [ours(X, part), theirs(X, part, sample)]
        field_ += [scann_core(X, part)] if find_spec("scann") else []
        field_ += [turbo(X)] if find_spec("turbovec") and part == "no lists" else []
        for one in field_:
            choose(one, wanted, Q, recall)
        race(field_, Q, options.rounds)
        mid = {
            one.name: [float(np.median(taken)) for taken in (one.one, one.many, one.one_cpu, one.cpu)] for one in field_
        }
        print(f"\n{part}: recall@10 {wanted} on {len(X):,} x {X.shape[1]}, load {os.getloadavg()[0]:.1f}")
        print(f"{'':32} {'setting':>24} {'recall':>7} {'bytes':>6} {'q/s, 1':>8} {'q/s, 256':>8} {'cpu us':>13} "
              f"{'build s':>8} {'peak MB':>8}   ours over it: 1, 256, cpu of both")  # fmt: skip
        mine = mid[field_[0].name]
        for one in field_:
            single, batch, alone, cpu = mid[one.name]
            ratios = [theirs / our for theirs, our in zip(mid[one.name], mine, strict=True)]
            print(f"{one.name:32} {one.chosen:>24} {one.recall:7.4f} {one.size:6.1f} {1 / single:8,.0f} "
                  f"{1 / batch:8,.0f} {alone * 1e6:6.0f} {cpu * 1e6:6.0f} {one.seconds:8.2f} {one.peak:8.0f}   "
                  + ", ".join(f"{ratio:.2f}" for ratio in ratios), flush=True)  # fmt: skip
        me, goal = field_[:2]
        ratios = [mid[goal.name][i] / mine[i] for i in (0, 1)]
        met = me.recall >= wanted and me.size <= most and min(ratios) >= 1
        print(f"goal: {wanted} at no more than {most} bytes, no slower than {goal.name}: "
              f"{'met' if met else 'missed'} ({me.recall:.4f} at {me.size:.1f} bytes, "
              f"{ratios[0]:.2f} and {ratios[1]:.2f} times its queries a second)")  # fmt: skip


if __name__ == "__main__":
    with threadpool_limits(2):
        main()
