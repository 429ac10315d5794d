"""An encoder that is replaced: what the old net and the new one say of the same items of many classes."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codomain.core import descend, need, unit_rows
from codomain.core.maths.means import class_means
from codomain.data import wordnet_glosses
from codomain.tasks.galleries import average_precision

N_CLASSES, N_KNOWN = 100, 50  # as CIFAR-100 is used: the old net knows half of the classes
N_TRAIN, N_GALLERY, N_QUERIES = 80, 20, 10  # of each class
SMALLEST, LARGEST = 200, 800  # nouns below a kind
WIDTH, N_HIDDEN, EPOCHS = 32, 256, 15
# What the cosines are divided by; of 0.1 and 0.3, with which the new net searches best for itself.
TEMPERATURE = 0.3

Encoder = Callable[[NDArray[Any]], NDArray[Any]]


class Side(NamedTuple):
    """Items as the texts' encoder, the old net and the new one see them, and their classes.

    Parameters
    ----------
    texts : ndarray of shape (n, 256)
        Vectors of the texts, float32.
    old, new : ndarray of shape (n, 32)
        Features at length 1.
    y : ndarray of int, shape (n,)
        Classes from 0; the old net was trained on the first half of them.
    """

    texts: NDArray[Any]
    old: NDArray[Any]
    new: NDArray[Any]
    y: NDArray[np.intp]


class Update(NamedTuple):
    """Rows to train on, the gallery that is searched, and the queries; each class has as many rows as any other."""

    train: Side
    gallery: Side
    queries: Side


def precisions(Q: NDArray[Any], G: NDArray[Any], queries: Side, gallery: Side) -> NDArray[Any]:
    """Return the average precision of queries in the old gallery, by their first columns, and in the new one: (2, n).

    Q and G are a method's features of the queries and of the gallery, (n, width) and (n_gallery, width).
    """
    across = average_precision(Q[:, :WIDTH], queries.y, gallery.old, gallery.y)
    return np.stack([across, average_precision(Q, queries.y, G, gallery.y)])


@cache
def _kinds() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return vectors of the glosses of WordNet's nouns, and which of 100 kinds of thing each is.

    A kind is a noun with 200 to 800 others below it, by their first hypernyms, of which none above is one.
    """
    from codomain.encode import resolve

    table = wordnet_glosses().select(["id", "gloss", "lexname", "hypernyms"]).to_pylist()
    nouns = [row for row in table if row["lexname"].startswith("noun.")]
    above = {row["id"]: row["hypernyms"][0] for row in nouns if row["hypernyms"]}
    chains = {name: _chain(name, above) for name in above}
    sizes = Counter(one for chain in chains.values() for one in chain)
    medium = {name for name, size in sizes.items() if SMALLEST <= size <= LARGEST}
    kind_of = {name: [one for one in chain if one in medium][-1:] for name, chain in chains.items()}
    kinds = [name for name, _ in Counter(one for some in kind_of.values() for one in some).most_common(N_CLASSES)]
    number = {name: place for place, name in enumerate(kinds)}
    rows = [row for row in nouns if set(kind_of.get(row["id"], ())) & set(kinds)]
    vectors = resolve("static:wordllama").encode([row["gloss"] for row in rows])
    return unit_rows(vectors), np.array([number[kind_of[row["id"]][0]] for row in rows])


def _chain(name: str, above: dict[str, str]) -> list[str]:
    """Return what is above a noun, nearest first."""
    chain: list[str] = []
    while name in above and above[name] not in chain:
        name = above[name]
        chain.append(name)
    return chain


def train_encoder(
    X: NDArray[Any], y: NDArray[np.intp], width: int, seed: int, *, old: NDArray[Any] | None = None,
    weight_of_old: float = 10.0, n_hidden: int = N_HIDDEN, epochs: int = EPOCHS,
) -> Encoder:  # fmt: skip
    """Train a net of one hidden layer to name classes, and return it.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        What the net sees.
    y : ndarray of int, shape (n_samples,)
        Classes from 0, each with a row.
    width : int
        Columns of its features.
    seed : int
        Seed of the weights' start and of the order of the rows.
    old : ndarray of shape (n_samples, n_features_old), default=None
        Features by an older net at length 1. With them it is backward-compatible training (Shen et al. 2020): the
        leading columns at length 1 also learn to name the class by their inner products with the old class means.
    weight_of_old : float, default=10
        Weight of that second cross-entropy; the default is what BT2's authors gave it.
    n_hidden, epochs : int
        Units of the hidden layer, and passes over the rows.

    Returns
    -------
    callable
        From rows, (n, n_features), to features at length 1, (n, width).
    """
    torch = need("torch", "torch")
    rng = np.random.RandomState(seed)
    into = torch.nn.Linear(X.shape[1], n_hidden)
    out = torch.nn.Linear(n_hidden, width)
    classifier = torch.nn.Linear(width, int(y.max()) + 1, bias=False)
    for layer in (into, out, classifier):
        start = rng.standard_normal(layer.weight.shape) * np.sqrt(2 / layer.weight.shape[1])
        layer.weight.data = torch.from_numpy(start.astype(np.float32))
        if layer.bias is not None:
            torch.nn.init.zeros_(layer.bias)
    parts = [*into.parameters(), *out.parameters(), *classifier.parameters()]
    rows, labels = torch.from_numpy(np.array(X, np.float32)), torch.from_numpy(y)
    means = None if old is None else torch.from_numpy(class_means(old.astype(np.float32), y))
    unit, cross_entropy = torch.nn.functional.normalize, torch.nn.functional.cross_entropy
    spread = float(X.std(axis=0).mean())

    def features(some: Any) -> Any:
        return out(torch.relu(into(some / spread)))

    def loss(some: Any) -> Any:
        Z = features(rows[some])
        cosines = unit(Z, dim=1) @ unit(classifier.weight, dim=1).T
        total = cross_entropy(cosines / TEMPERATURE, labels[some])
        if means is not None:
            lead = unit(Z[:, : means.shape[1]], dim=1)
            total = total + weight_of_old * cross_entropy(lead @ means.T, labels[some])
        return total

    descend(loss, parts, len(X), epochs=epochs, batch=256, learning_rate=0.003, random_state=rng)

    def encode(some: NDArray[Any]) -> NDArray[Any]:
        with torch.no_grad():
            return unit_rows(features(torch.from_numpy(np.array(some, np.float32))).numpy())

    return encode


def updated_encoder(seed: int) -> Update:
    """Train an old net on half of the classes and a new one on all, and return what both say.

    Parameters
    ----------
    seed : int
        Seed of the rows drawn, of which classes the old net knows, and of both nets.
    """
    vectors, kinds = _kinds()
    rng = np.random.default_rng(seed)
    y_of = rng.permutation(N_CLASSES)
    each = N_TRAIN + N_GALLERY + N_QUERIES
    drawn = np.array([rng.permutation(np.flatnonzero(kinds == kind))[:each] for kind in range(N_CLASSES)])
    parts = []
    for start, stop in ((0, N_TRAIN), (N_TRAIN, N_TRAIN + N_GALLERY), (N_TRAIN + N_GALLERY, each)):
        rows = drawn[:, start:stop]
        parts.append((vectors[rows.ravel()], np.repeat(y_of, stop - start)))
    (X, y), *_ = parts
    few = y < N_KNOWN
    old = train_encoder(X[few], y[few], WIDTH, seed + 1000)
    new = train_encoder(X, y, WIDTH, seed)
    return Update(*(Side(texts, old(texts), new(texts), classes) for texts, classes in parts))
