"""A real task for claims of classifiers by words: name the package of a docstring by descriptions of the package."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from codomain.core.sentences import sentences
from codomain.data import frozen_docstrings

N_NAMES, N_SENTENCES = 8, 8  # at most, of each package
_MOST = 20_000  # vectors kept for each encoder; the draws of all seeds together need fewer


@dataclass(frozen=True)
class Described:
    """Packages, their descriptions and docstrings to be labelled; a package's own name is in none of the texts.

    Attributes
    ----------
    names : list of str
        Packages, sorted.
    descriptions, description_classes : list of str
        Sentences of the package's own docstring and the names of some of its objects, and the package of each.
    few, few_classes : list of str
        Docstrings of other objects, the same number for each package, and their packages.
    texts, classes : list of str
        Docstrings of yet other objects and their packages.
    """

    names: list[str]
    descriptions: list[str]
    description_classes: list[str]
    few: list[str]
    few_classes: list[str]
    texts: list[str]
    classes: list[str]


@cache
def _tables() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return each package's own docstring and the docstrings of its objects by their name."""
    modules: dict[str, str] = {}
    objects: dict[str, dict[str, str]] = {}
    for row in frozen_docstrings().to_pylist():
        package = row["package"]
        if row["kind"] == "module":
            modules |= {package: row["text"]} if row["module"] == package else {}
        else:
            objects.setdefault(package, {})[row["name"]] = row["text"]
    return modules, objects


def _split_name(name: str) -> str:
    """Write the last part of a dotted name as words, as in HTTPConnection: HTTP connection."""
    last = name.rpartition(".")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", last).strip()


def described_packages(seed: int, *, n_test: int = 10, n_few: int = 0) -> Described:
    """Draw descriptions and docstrings of every package of the standard library with enough documented objects."""
    modules, objects = _tables()
    rng = np.random.default_rng(seed)
    out: dict[str, Any] = {field: [] for field in Described.__dataclass_fields__}
    for package in sorted(objects):
        drawn = [str(name) for name in rng.permutation(sorted(objects[package]))]
        if len(drawn) < N_NAMES + n_few + n_test:
            continue
        own = re.compile(rf"\b{re.escape(package)}\b", re.IGNORECASE)
        parts = [own.sub("", part) for part in sentences(modules.get(package, ""))]
        parts = [part for part in parts if len(part.split()) > 2][:N_SENTENCES]
        parts += [part for name in drawn[:N_NAMES] if (part := own.sub("", _split_name(name)).strip())]
        texts = [own.sub("", objects[package][name])[:600] for name in drawn[N_NAMES : N_NAMES + n_few + n_test]]
        out["names"].append(package)
        for key, of, more in (
            ("descriptions", "description_classes", parts),
            ("few", "few_classes", texts[:n_few]),
            ("texts", "classes", texts[n_few:]),
        ):
            out[key] += more
            out[of] += [package] * len(more)
    return Described(**out)


def restrict(described: Described, names: Iterable[str]) -> Described:
    """Return the part that is about these packages."""
    kept = set(names)
    out: dict[str, Any] = {"names": [name for name in described.names if name in kept]}
    for texts, classes in (("descriptions", "description_classes"), ("few", "few_classes"), ("texts", "classes")):
        pairs = zip(getattr(described, texts), getattr(described, classes), strict=True)
        left = [(text, name) for text, name in pairs if name in kept]
        out[texts], out[classes] = [text for text, _ in left], [name for _, name in left]
    return Described(**out)


@cache
def _vectors_by_text(uri: str) -> dict[str, NDArray[np.float32]]:
    """Return the vectors that an encoder has made so far, by text."""
    return {}


def encode_once(encoder: Any, texts: list[str]) -> NDArray[np.float32]:
    """Return the vectors of texts, without encoding again what earlier draws of a claim encoded."""
    known = _vectors_by_text(encoder.identity.uri)
    if len(known) > _MOST:
        known.clear()
    new = list(dict.fromkeys(text for text in texts if text not in known))
    if new:
        known |= dict(zip(new, encoder.encode(new), strict=True))
    return np.stack([known[text] for text in texts])


def tfidf_hits(described: Described) -> NDArray[np.bool_]:
    """Return which texts the rival without vectors labels right: TF-IDF of all words of a class, by cosine."""
    texts_of = {name: [name] for name in described.names}
    for text, name in zip(described.descriptions, described.description_classes, strict=True):
        texts_of[name].append(text)
    table = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    classes = table.fit_transform(" ".join(texts_of[name]) for name in described.names)
    best = np.asarray((table.transform(described.texts) @ classes.T).argmax(axis=1)).ravel()
    return np.asarray(np.array(described.names)[best] == np.array(described.classes))
