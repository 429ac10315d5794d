"""Few-label heads: what `codomain label` picks by itself against scikit-learn's, on the same features, in turn.

    python -m benchmarks classify            three seeds, full at 4,000 rows: minutes
    python -m benchmarks classify --seeds=20 as many seeds, the rest as above: most of an hour
    python -m benchmarks classify --full     20 seeds, full at 20,000 rows, and 100,000 x 384 x 50 for speed: hours

Sets: Debian sections, 20 Newsgroups, R52 (a long tail), WordNet's lexicographer files, Fashion-MNIST. Texts are seen
by static:wordllama (256 features, whole texts), pictures as their 50 principal components fitted on the training
pictures. A set that is not on the machine is left out, which the first lines say. Debian's descriptions are looked for
in apt's lists or in the folder that APT_LISTS names.

Shots are rows per class, fewer where a class has fewer; tests are the same 1,000 rows for all. setfit's head is by
default scikit-learn's LogisticRegression on the vectors as they come, so it is the peer "logistic"; its own SetFitHead
is a linear layer trained by AdamW, the same model with another optimiser, and is not timed. "+ rows" sees besides its
labels 3,000 rows without one, drawn from those for training and never from the tests, as `codomain label` sees the
rows of its space; the peer that can use them is scikit-learn's LabelSpreading, on a graph of the same rows. Every
figure is the mean over sets of the mean over seeds; log-loss in nats, ECE the expected calibration error in 15 bins,
seconds the median.
"""

import argparse
import hashlib
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.semi_supervised import LabelSpreading

from codomain.classify import FewLabelHead
from codomain.classify.few_labels.calibrate import calibration_error
from codomain.core import UserError
from codomain.data import debian_descriptions, fashion_mnist, newsgroups20, reuters, wordnet_glosses
from codomain.encode import resolve

SHOTS = (1, 2, 4, 8, 16, None)
TESTS, POOL, WITHOUT_LABEL = 1_000, 30_000, 3_000
OURS = ("codomain", "codomain + rows")
CACHE = Path(tempfile.gettempdir()) / "codomain-benchmark-classify"


def seen(texts):
    """Vectors of texts, kept in a folder for temporary files."""
    name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    path = CACHE / f"{name}.npy"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        np.save(path, resolve("static:wordllama").encode(list(texts)))
    return np.load(path)


def texts_of(table, text, label, seed=0):
    """At most POOL rows of a table that has no split of its own, a fifth of them for tests."""
    rows = np.random.default_rng(seed).permutation(table.num_rows)[:POOL]
    part = table.take(rows)
    X, y = seen(part[text].to_pylist()), np.array(part[label].to_pylist())
    cut = len(y) * 4 // 5
    return X[:cut], y[:cut], X[cut:], y[cut:]


def halves(load):
    return tuple(
        part for T in (load("train"), load("test")) for part in (seen(T["text"].to_pylist()), np.array(T["label"]))
    )


def pictures():
    (X, y), (Q, truth) = fashion_mnist("train"), fashion_mnist("test")
    X, Q = (part.reshape(len(part), -1).astype(np.float32) / 255 for part in (X, Q))
    turn = PCA(50, random_state=0).fit(X)
    return turn.transform(X), y, turn.transform(Q), truth


SETS = {
    "debian": lambda: texts_of(
        debian_descriptions(os.environ.get("APT_LISTS", "/var/lib/apt/lists")), "text", "section"
    ),
    "newsgroups": lambda: halves(newsgroups20),
    "r52": lambda: halves(lambda split: reuters("r52", split)),
    "wordnet": lambda: texts_of(wordnet_glosses(), "gloss", "lexname"),
    "fashion": pictures,
}


class WithRows(FewLabelHead):
    """Ours, given rows without a label."""

    def fit(self, X, y, more):
        return super().fit(X, y, more)


class Spreading:
    """LabelSpreading over the ten nearest rows; as in ours, eight tenths of a label go on."""

    def fit(self, X, y, more):
        self.classes_, which = np.unique(y, return_inverse=True)
        self.head = LabelSpreading(kernel="knn", n_neighbors=10, alpha=0.8, max_iter=200)
        self.head.fit(normalize(np.concatenate([X, more])), np.concatenate([which, np.full(len(more), -1)]))
        return self

    def predict_proba(self, X):
        return np.nan_to_num(self.head.predict_proba(normalize(X)), nan=1 / len(self.classes_))


def heads(shots, most, full):
    """Names and makers of all heads that can be fitted to so many rows of each class."""
    yield "codomain", lambda: FewLabelHead(random_state=0)
    if shots is not None:
        yield "codomain + rows", lambda: WithRows(random_state=0)
        yield "spreading + rows", Spreading
    yield "logistic", lambda: LogisticRegression(max_iter=200)
    if shots is not None or full:
        yield "logistic C=100", lambda: LogisticRegression(C=100, max_iter=200)
    if full:
        yield "logistic std", lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    if most > 1:
        yield "nearest mean", NearestCentroid
        yield "lda", lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    yield "knn", lambda: KNeighborsClassifier(5 if shots is None else min(5, shots))


def draw(y, shots, cap, rng):
    """Rows of each class, at most `shots`; without shots, at most `cap` rows as they come."""
    if shots is None:
        return rng.permutation(len(y))[:cap]
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    _, starts = np.unique(y[order], return_index=True)
    place = np.arange(len(y)) - np.repeat(starts, np.diff([*starts, len(y)]))
    return order[place < shots]


def measure(make, X, y, Q, truth, *more):
    began = time.perf_counter()
    head = make().fit(X, y, *more)
    fitted = time.perf_counter()
    P = head.predict_proba(Q)
    done = time.perf_counter()
    place = np.searchsorted(head.classes_, truth).clip(max=len(head.classes_) - 1)
    known = head.classes_[place] == truth  # a class that the draw missed costs its rows and the floor of log-loss
    P = np.maximum(P, 1e-6)
    surprise = np.where(known, -np.log(P[np.arange(len(P)), place]), -np.log(1e-6))
    accuracy = np.mean(head.classes_[P.argmax(axis=1)] == truth)
    return accuracy, surprise.mean(), calibration_error(P, np.where(known, place, -1)), fitted - began, done - fitted


def compare(sets, seeds, cap, full):
    for shots in SHOTS:
        found = {}
        for name, (X, y, Q, truth) in sets.items():
            for seed in range(seeds if shots is not None else max(1, seeds // 4)):
                rng = np.random.default_rng(seed)
                tests = np.random.default_rng(0).permutation(len(Q))[:TESTS]
                rows = draw(y, shots, cap, rng)
                more = X[np.setdiff1d(rng.permutation(len(y))[: WITHOUT_LABEL + len(rows)], rows)[:WITHOUT_LABEL]]
                most = np.unique(y[rows], return_counts=True)[1].max()
                for who, make in heads(shots, most, full):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        extra = [more] if "+" in who else []
                        scores = measure(make, X[rows], y[rows], Q[tests], truth[tests], *extra)
                    found.setdefault(who, {}).setdefault(name, []).append(scores)
        print(f"\n{'full, at most ' + format(cap, ',') if shots is None else shots} rows per class", flush=True)
        print(f"{'':17}accuracy  log-loss    ECE   fit s  predict s   accuracy by set: {', '.join(sets)}")
        means = {}
        for who, by_set in found.items():
            table = np.array([np.mean(by_set[name], axis=0) for name in sets])
            fit, ask = np.median([np.median(by_set[name], axis=0)[3:] for name in sets], axis=0)
            means[who] = table[:, 0].mean()
            each = "  ".join(f"{accuracy:.3f}" for accuracy in table[:, 0])
            scores = f"{means[who]:8.3f}{table[:, 1].mean():10.3f}{table[:, 2].mean():7.3f}"
            print(f"{who:17}{scores}{fit:8.3f}{ask:11.4f}   {each}", flush=True)
        peers = [who for who in means if who not in OURS]
        for ours, rivals in ((OURS[0], [who for who in peers if "+" not in who]), (OURS[1], peers)):
            if ours in means:
                best = max(rivals, key=means.get)
                verdict = "met" if means[ours] > means[best] else "MISSED"
                print(f"goal: {ours} {means[ours]:.3f} against the best peer, {best} {means[best]:.3f}: {verdict}")


def speed(n, d=384, n_classes=50):
    """Fit seconds on Gaussian classes that overlap as real ones do, spread along few directions."""
    rng = np.random.default_rng(0)
    spread = np.linspace(1, 0.05, d)
    centres = rng.standard_normal((n_classes, d)) * spread
    y = rng.integers(0, n_classes, n)
    X = ((0.15 * centres[y] + rng.standard_normal((n, d)) * spread) / 10).astype(np.float32)
    seconds = {}
    for name, make in (
        ("codomain", lambda: FewLabelHead(random_state=0)),
        ("logistic", lambda: LogisticRegression(max_iter=200)),
    ):
        began = time.perf_counter()
        head = make().fit(X, y)
        seconds[name] = time.perf_counter() - began
        right = f"right on its own rows {head.score(X[:5000], y[:5000]):.3f}"
        print(f"{n:,} x {d} x {n_classes}: {name:9} fit {seconds[name]:7.2f} s, {right}", flush=True)
    ratio = seconds["logistic"] / seconds["codomain"]
    print(
        f"goal: under a tenth of the time; logistic takes {ratio:.1f} times ours: {'met' if ratio > 10 else 'MISSED'}"
    )


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--full", action="store_true")
    options.add_argument("--seeds", type=int, default=3)
    given = options.parse_args()
    full = given.full
    sets = {}
    for name, load in SETS.items():
        try:
            sets[name] = load()
        except UserError as error:
            print(f"{name} is left out: {error}")
            continue
        X, y, Q, _ = sets[name]
        shape = f"{X.shape[1]} features, {len(np.unique(y))} classes"
        print(f"{name}: {len(X):,} rows to draw from, {shape}, {len(Q):,} for tests", flush=True)
    compare(sets, 20 if full else given.seeds, 20_000 if full else 4_000, full)
    speed(100_000 if full else 20_000)


if __name__ == "__main__":
    main()
