"""Candidates for MaxSim from one vector a document: recall, bytes and time of each way to make that vector.

    python -m benchmarks sets           1,500 docstrings, 32 MiniLM tokens each at most
    python -m benchmarks sets --full    5,000 of them (about two minutes of encoding on two cores)

Recall is the share of the exact ten best by MaxSim among the first 10, 20, 50 and 100 candidates of 200 held-out
queries of 12 tokens. What learns, learns from the first 750 documents. Times are processor milliseconds a document, the
median of three turns, each contender in turn; fastembed's Muvera is measured too where it is installed.
"""

import argparse
import time
from importlib import import_module
from itertools import pairwise
from statistics import median

import numpy as np

from codomain.core import unit_rows
from codomain.data import stdlib_docstrings
from codomain.search import MUVERA, MaxSimSketch
from codomain.search.anncur import _best_products
from codomain.tasks.tokens import minilm_tokens

AT = (10, 20, 50, 100)


class Mean:
    def encode_sets(self, tokens, offsets, query=False):
        return unit_rows(np.add.reduceat(tokens, offsets[:-1]))


class Fastembed:
    def __init__(self, cells, width, repeats):
        module = import_module("fastembed.postprocess")
        self.muvera = module.Muvera(dim=384, k_sim=cells, dim_proj=width, r_reps=repeats, random_seed=42)

    def encode_sets(self, tokens, offsets, query=False):
        one = self.muvera.process_query if query else self.muvera.process_document
        return np.array([one(tokens[a:b]) for a, b in pairwise(offsets)], np.float32)


def int8(X):
    scale = np.maximum(np.abs(X).max(axis=1, keepdims=True), 1e-12) / 127
    return np.rint(X / scale) * scale


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help="5,000 documents")
    n = 5000 if parser.parse_args().full else 1500
    texts = np.random.default_rng(0).permutation(np.array(stdlib_docstrings()["text"].to_pylist(), object))
    tokens, offsets = minilm_tokens(tuple(texts[:n]), 32)
    asked, cuts = minilm_tokens(tuple(texts[n : n + 200]), 12)
    exact = np.add.reduceat(_best_products(asked, tokens, offsets[:-1]), cuts[:-1], axis=0)
    bar = np.sort(exact, axis=1)[:, -10:-9] - 1e-5

    def recalls(scores):
        order = np.argsort(-scores, axis=1, kind="stable")
        hits = np.take_along_axis(exact, order, axis=1) >= bar
        return [np.minimum(hits[:, :most].sum(axis=1), 10).mean() / 10 for most in AT]

    sample, ends = tokens[: offsets[750]], offsets[:751]
    ways = {"mean of the tokens": Mean()}
    ways |= {f"MaxSimSketch({r})": MaxSimSketch(r, random_state=0).fit(sample, offsets=ends) for r in (96, 192, 384)}
    ways |= {"MUVERA, defaults": MUVERA(random_state=0).fit(tokens)}
    ways |= {"MUVERA, 8 cells of 64, 3 times": MUVERA(3, n_repeats=3, width=64, random_state=0).fit(tokens)}
    try:
        ways["fastembed Muvera, defaults"] = Fastembed(5, 16, 20)
    except ModuleNotFoundError:
        print("fastembed is not installed: left out")
    spent = {name: [] for name in ways}
    documents = {}
    for _ in range(3):
        for name, way in ways.items():
            began = time.process_time()
            documents[name] = way.encode_sets(tokens, offsets)
            spent[name].append(1e3 * (time.process_time() - began) / n)
    print(f"{n:,} documents, {len(tokens) / n:.1f} tokens each, 200 queries; exact MaxSim holds "
          f"{4 * 384 * len(tokens) / n:,.0f} bytes a document")  # fmt: skip
    print(f"{'':34} {'bytes':>7}  recall of the ten best among {', '.join(map(str, AT))}    CPU ms a document")
    for name, way in ways.items():
        query = way.encode_sets(asked, cuts, query=True)
        for kind, X, size in (("", documents[name], 4), (", int8", int8(documents[name]), 1)):
            found = "  ".join(f"{value:.3f}" for value in recalls(query @ X.T))
            print(f"{name + kind:34} {size * X.shape[1] + (size == 1) * 4:7,}  {found}    {median(spent[name]):.2f}")
    for name, way in ways.items():
        if isinstance(way, MaxSimSketch):
            size = way.memory_bytes_
            print(f"{name} itself holds {size / 1e6:.0f} MB: {size / n:,.0f} bytes a document here, "
                  f"{size / 1e6:,.0f} at 1,000,000")  # fmt: skip


if __name__ == "__main__":
    main()
