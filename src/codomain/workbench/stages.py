"""The stages of a study: each reads sealed parts, returns new ones, and is skipped when its inputs have not changed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from codomain.cluster import groups, name_groups
from codomain.encode import Encoder, count_tokens
from codomain.guard import audit
from codomain.measure import health
from codomain.search import Keywords, Neighbors, Null, neighbors
from codomain.shrink import cheapest, layout, renew
from codomain.space import Space


@dataclass(frozen=True)
class Settings:
    """What a person may choose about the stages.

    Parameters
    ----------
    recall : float, default=0.95
        Share of the true nearest rows that the smallest form must still find, 0 to 1.
    n_neighbors : int, default=15
        Length of each row's neighbour list.
    n_results : int, default=10
        Length of the result lists that the certificate is about.
    layout : str, default="forces"
        How the map is drawn, "forces" or "umap".
    random_state : int, default=0
        Seed of everything that draws.
    """

    recall: float = 0.95
    n_neighbors: int = 15
    n_results: int = 10
    layout: str = "forces"
    random_state: int = 0

    @classmethod
    def of(cls, space: Space) -> Self:
        """Return what the study of a space was asked for, as its parts tell."""
        certificate = space.part("shrink")["certificate.json"] if "shrink" in space.parts else {}
        drawn = space.part("map")["map.json"] if "map" in space.parts else {}
        return cls(recall=certificate.get("target", cls.recall), layout=drawn.get("layout", cls.layout))


@dataclass(frozen=True)
class Inputs:
    """What a stage may read.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_dims)
        Vectors, memory-mapped or in memory.
    texts, labels : list of str or None
        The rows' words and the labels that the person gave.
    settings : Settings
        What the person chose.
    encoder : Encoder or None
        What can turn a text into a vector of this space, when there is one.
    parts : mapping
        Files of the stages that ran before, by stage and file name.
    scratch : Path
        A folder for files that a stage hands over.
    before : mapping, optional
        What the stage itself wrote when the inputs were others.
    """

    X: Any
    texts: list[str] | None
    labels: list[str] | None
    settings: Settings
    encoder: Encoder | None
    scratch: Path
    parts: dict[str, Any] = field(default_factory=dict)
    before: Any = None

    def neighbors(self) -> Neighbors:
        """Return the neighbour lists of the stage before."""
        part = self.parts["neighbors"]
        return Neighbors(part["indices.npy"], part["scores.npy"])


Files = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One step of a study.

    Parameters
    ----------
    name : str
        Name of the part that it writes.
    says : str
        What it does, for the line that a person reads.
    run : callable
        From inputs to files.
    reads : tuple of str, default=()
        Parts that it needs.
    uses : tuple of str, default=()
        Settings that change its answer.
    version : int, default=1
        Raised when its code would give another answer, so that old parts are made again.
    """

    name: str
    says: str
    run: Callable[[Inputs], Files]
    reads: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    version: int = 1

    def fingerprint(self, rows: str, settings: Settings, made: Mapping[str, str]) -> str:
        """Return a hash of all that decides the answer: the rows, the settings, the parts it reads, its own version."""
        chosen = {name: asdict(settings)[name] for name in (*self.uses, "random_state")}
        parts = [made[name] for name in self.reads]
        record = [self.name, self.version, rows, chosen, parts]
        return f"{rows}-{hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()}"


def _health(inputs: Inputs) -> Files:
    measures = health(
        inputs.X,
        labels=inputs.labels,
        neighbors=inputs.neighbors(),
        random_state=inputs.settings.random_state,
        progress=True,
    )
    return {"health.json": {"measures": [measure.to_dict() for measure in measures]}}


def _neighbors(inputs: Inputs) -> Files:
    k = min(inputs.settings.n_neighbors, inputs.X.shape[0] - 1)
    found = neighbors(inputs.X, k, progress=True)
    return {"indices.npy": found.indices, "scores.npy": found.scores}


def _shrink(inputs: Inputs) -> Files:
    settings = inputs.settings
    k = min(settings.n_results, inputs.X.shape[0] - 1)
    before = inputs.before["certificate.json"] if inputs.before is not None else {}
    alike = before.get("target") == settings.recall and before.get("k") == k
    front = renew(before, inputs.X, random_state=settings.random_state) if alike else None
    front = front or cheapest(
        inputs.X, target=settings.recall, k=k, random_state=settings.random_state, neighbors=inputs.neighbors(),
        fewest=before.get("fewest", "bytes") if alike else "bytes", progress=True,
    )  # fmt: skip
    # Without a winner the vectors themselves are the index, and they are in the space already.
    return {"certificate.json": front.to_dict()} | (front.build(inputs.X).save() if front.winner else {})


def _index(inputs: Inputs) -> Files:
    null = Null.fit(inputs.X, texts=inputs.texts, encoder=inputs.encoder, random_state=inputs.settings.random_state)
    files: Files = {"null.json": null.to_dict()}
    if inputs.texts is not None:
        path = inputs.scratch / "keywords.sqlite"
        Keywords.build(inputs.texts, path)
        files[path.name] = path
    return files


def _groups(inputs: Inputs) -> Files:
    found = groups(inputs.neighbors(), random_state=inputs.settings.random_state)
    names = name_groups(inputs.texts, found.labels, X=inputs.X, user_labels=inputs.labels)
    sizes = np.bincount(found.labels[found.labels >= 0], minlength=len(names))
    records = [
        {
            "id": number, "name": name.name, "words": name.words, "size": int(sizes[number]),
            "stability": float(found.stability[number]), "name_score": name.score, "name_says": name.says,
            "examples": list(name.examples),
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    coverage = float(np.mean(found.labels >= 0))
    return {
        "labels.npy": found.labels, "strength.npy": found.strength,
        "groups.json": {"groups": records, "coverage": coverage, "how": found.how},
    }  # fmt: skip


def _map(inputs: Inputs) -> Files:
    drawn = layout(
        inputs.X, inputs.neighbors(), method=inputs.settings.layout, random_state=inputs.settings.random_state,
        progress=True,
    )  # fmt: skip
    kept = float(np.mean(drawn.kept))
    how = (
        f"Of each row's {inputs.neighbors().indices.shape[1]} nearest rows, {kept:.0%} are also among its nearest on "
        "the map. Two dimensions cannot hold more: read the map for regions, and the neighbour lists for pairs."
    )
    record = {"layout": inputs.settings.layout, "method": drawn.method, "kept": kept, "how": how}
    return {"xy.npy": drawn.xy, "kept.npy": drawn.kept, "map.json": record}


def _audit(inputs: Inputs) -> Files:
    found = audit(
        inputs.X, inputs.neighbors(), texts=inputs.texts, labels=inputs.labels,
        null=Null.from_dict(inputs.parts["index"]["null.json"]), random_state=inputs.settings.random_state,
        tokens=count_tokens(inputs.encoder, inputs.texts) if inputs.texts is not None else None,
    )  # fmt: skip
    return {"audit.json": found.to_dict(), "flags.npy": found.flags}


STAGES = (
    Stage("neighbors", "nearest rows of every row, exactly", _neighbors, uses=("n_neighbors",)),
    Stage("health", "health of the space", _health, reads=("neighbors",), version=2),
    Stage("groups", "groups and their names", _groups, reads=("neighbors",)),
    Stage("map", "map in two dimensions", _map, reads=("neighbors",), uses=("layout",), version=2),
    Stage("index", "words, and what a score means here", _index, version=2),
    Stage(
        "audit", "duplicates, odd rows, unread texts, doubtful labels", _audit, reads=("neighbors", "index"), version=2
    ),
    Stage(
        "shrink",
        "smallest form that keeps recall, certified",
        _shrink,
        reads=("neighbors",),
        uses=("recall", "n_results"),
        version=2,
    ),
)
