"""Debian's packages as subjects of several kinds: the source is the subject, and what its package holds the kind."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows
from codomain.data import debian_descriptions
from codomain.encode import resolve

# The last part of a package's name, and what it says of the package.
KINDS = {
    "bin": "programs", "client": "client", "common": "common files", "core": "core files", "data": "data files",
    "dbg": "debugging symbols", "dev": "development files", "doc": "documentation", "examples": "examples",
    "gui": "graphical user interface", "plugins": "plugins", "server": "server", "tests": "tests", "tools": "tools",
    "utils": "utilities",
}  # fmt: skip


class Kinds(NamedTuple):
    """Packages of sources that have at least two kinds, one of each.

    Parameters
    ----------
    sources, kinds : ndarray of str of shape (n,)
        Source package, and key of KINDS.
    summaries, words : ndarray of shape (n, 256)
        Vectors of length 1, by wordllama's table, of the package's summary and of what its kind is called.
    """

    sources: NDArray[np.str_]
    kinds: NDArray[np.str_]
    summaries: NDArray[np.float32]
    words: NDArray[np.float32]


@cache
def _every() -> Kinds:
    found: dict[tuple[str, str], str] = {}
    for row in debian_descriptions().to_pylist():
        kind = row["package"].rpartition("-")[2]
        if kind in KINDS:
            found.setdefault((row["source"], kind), row["summary"])
    sources, kinds = (np.array(part) for part in zip(*found, strict=True))
    _, place, counts = np.unique(sources, return_inverse=True, return_counts=True)
    rich = np.flatnonzero(counts[place] > 1)
    encode: Any = resolve("static:wordllama").encode
    summaries = list(found.values())
    vectors = unit_rows(encode([summaries[row] for row in rich]))
    return Kinds(sources[rich], kinds[rich], vectors, unit_rows(encode([KINDS[kind] for kind in kinds[rich]])))


def package_kinds(seed: int, n_train: int, n_test: int) -> tuple[Kinds, Kinds]:
    """Return packages to learn from and to test on, which share no source; sources come in an order by the seed."""
    every = _every()
    names, place = np.unique(every.sources, return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(names))[place]
    order = np.argsort(drawn, kind="stable")
    last = drawn[order[n_test - 1]]
    halves = order[drawn[order] > last][:n_train], order[drawn[order] <= last]
    train, test = (Kinds(*(part[half] for part in every)) for half in halves)
    return train, test
