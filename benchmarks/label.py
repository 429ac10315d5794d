"""How many labels a person saves: accuracy against the number of answers, ours against asking at random.

    python -m benchmarks label                 digits and docstrings, five seeds
    python -m benchmarks label --seeds=1

Answers are simulated: the truth is told when it is asked for. A third of the rows is never asked about and measures the
head, the same for both, that is fitted to the answers: Gaussians of one shrunk covariance.
"""

import argparse
import collections
import time

import numpy as np
from sklearn.datasets import load_digits

from codomain.classify import GDA
from codomain.core import unit_rows
from codomain.data import stdlib_docstrings
from codomain.encode import resolve
from codomain.workbench.label.choose import Asker

STEPS = (20, 40, 80, 160)


def digits():
    X, y = load_digits(return_X_y=True)
    return unit_rows(X.astype(np.float32)), y.astype(str)


def docstrings():
    """Docstrings of the 20 packages that have most of them."""
    table = stdlib_docstrings()
    package = np.array(table["package"].to_pylist())
    kept = np.isin(package, [name for name, _ in collections.Counter(package.tolist()).most_common(20)])
    texts = [text for text, keep in zip(table["text"].to_pylist(), kept, strict=True) if keep]
    return unit_rows(resolve("static:wordllama").encode(texts)), package[kept]


def ours(X, y, seed):
    """Rows in the order that the asker wants them."""
    asker, given = Asker(X, random_state=seed), {}
    while len(given) < STEPS[-1]:
        row = asker.ask(given).row
        given[row] = y[row]
    return list(given)


def at_random(X, y, seed):
    """Rows in any order."""
    return np.random.default_rng(seed).permutation(len(X))[: STEPS[-1]].tolist()


def accuracies(X, y, ask, seed):
    """Accuracy on the rows that nobody is asked about, after each number of answers."""
    order = np.random.default_rng(1000 + seed).permutation(len(X))
    test, pool = order[: len(X) // 3], order[len(X) // 3 :]
    asked = pool[ask(X[pool], y[pool], seed)]
    return [GDA().fit(X[asked[:n]], y[asked[:n]]).score(X[test], y[test]) for n in STEPS]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print(f"accuracy after {', '.join(map(str, STEPS))} answers: median over {options.seeds} seeds (least, most)")
    for data in (digits, docstrings):
        X, y = data()
        for ask in (ours, at_random):
            began = time.process_time()
            found = np.array([accuracies(X, y, ask, seed) for seed in range(options.seeds)])
            spent = (time.process_time() - began) / options.seeds / STEPS[-1]
            shown = "  ".join(f"{np.median(c):.3f} ({c.min():.3f}, {c.max():.3f})" for c in found.T)
            print(f"{data.__name__:<12} {ask.__name__:<10} {shown}   {1000 * spent:.0f} ms a question", flush=True)


if __name__ == "__main__":
    main()
