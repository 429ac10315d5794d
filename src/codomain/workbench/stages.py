"""The stages of a study: each reads sealed parts, returns new ones, and is skipped when its inputs have not changed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from codomain.cluster import groups, name_groups
from codomain.core import Matrix
from codomain.encode import Encoder, count_tokens
from codomain.guard import audit
from codomain.measure import health
from codomain.search import Keywords, Null, neighbors
from codomain.shrink import cheapest, layout, renew
from codomain.space import (
    AuditPart,
    GroupsPart,
    HealthPart,
    IndexPart,
    MapPart,
    NeighborsPart,
    Part,
    Parts,
    ShrinkPart,
    Space,
)


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
        """Return what the study of a space was asked for, as its parts tell; the space may be a stranger's."""
        form, drawn = space.parts.find(ShrinkPart), space.parts.find(MapPart)
        usual = asdict(cls())
        given = form.settings if form and ShrinkPart.settings in form else {}
        # Whatever changes these makes the smallest form anew, apart from the map's layout.
        kept = {name: given[name] for name, value in usual.items() if type(given.get(name)) is type(value)}
        return cls(**{
            **usual, **kept,
            **({"recall": form.certificate["target"]} if form else {}),
            **({"layout": drawn.record["layout"]} if drawn else {}),
        })  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """What a stage may read.

    Parameters
    ----------
    X : Matrix of shape (n_rows, n_dims)
        Vectors, memory-mapped or in memory.
    texts, labels : list of str or None
        The rows' words and the labels that the person gave.
    settings : Settings
        What the person chose.
    encoder : Encoder or None
        What can turn a text into a vector of this space, when there is one.
    scratch : Path
        A folder for files that a stage hands over.
    parts : Parts
        Of the stages that ran before; of the stage itself, what it wrote when the inputs were others.
    """

    X: Matrix
    texts: list[str] | None
    labels: list[str] | None
    settings: Settings
    encoder: Encoder | None
    scratch: Path
    parts: Parts = field(default_factory=lambda: Parts({}))


Files = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One step of a study.

    Parameters
    ----------
    part : type of Part
        The part that it writes, which names the parts that it needs.
    says : str
        What it does, for the line that a person reads.
    run : callable
        From inputs to files.
    uses : tuple of str, default=()
        Settings that change its answer.
    version : int, default=1
        Raised when its code would give another answer, so that old parts are made again.
    """

    part: type[Part]
    says: str
    run: Callable[[Inputs], Files]
    uses: tuple[str, ...] = ()
    version: int = 1

    @property
    def name(self) -> str:
        """Name of the part."""
        return self.part.name

    def fingerprint(self, rows: str, settings: Settings, made: Mapping[str, str]) -> str:
        """Return a hash of all that decides the answer: the rows, the settings, the parts it reads, its own version."""
        chosen = {name: asdict(settings)[name] for name in (*self.uses, "random_state")}
        parts = [made[name] for name in self.part.reads]
        record = [self.name, self.version, rows, chosen, parts]
        return f"{rows}-{hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()}"


def _health(inputs: Inputs) -> Files:
    measures = health(
        inputs.X,
        labels=inputs.labels,
        neighbors=inputs.parts.neighbors.lists,
        random_state=inputs.settings.random_state,
        progress=True,
    )
    return {HealthPart.record: {"measures": [measure.to_dict() for measure in measures]}}


def _neighbors(inputs: Inputs) -> Files:
    k = min(inputs.settings.n_neighbors, inputs.X.shape[0] - 1)
    found = neighbors(inputs.X, k, progress=True)
    return {NeighborsPart.indices: found.indices, NeighborsPart.scores: found.scores}


def _shrink(inputs: Inputs) -> Files:
    settings = inputs.settings
    k = min(settings.n_results, inputs.X.shape[0] - 1)
    former = inputs.parts.find(ShrinkPart)
    before = former.certificate if former else {}
    alike = before.get("target") == settings.recall and before.get("k") == k
    front = renew(before, inputs.X, random_state=settings.random_state) if alike else None
    front = front or cheapest(
        inputs.X, target=settings.recall, k=k, random_state=settings.random_state,
        neighbors=inputs.parts.neighbors.lists, fewest=before.get("fewest", "bytes") if alike else "bytes",
        progress=True,
    )  # fmt: skip
    # Without a winner the vectors themselves are the index, and they are in the space already.
    files: Files = {ShrinkPart.certificate: front.to_dict(), ShrinkPart.settings: asdict(settings)}
    return files | (front.build(inputs.X).save() if front.winner else {})


def _index(inputs: Inputs) -> Files:
    null = Null.fit(inputs.X, texts=inputs.texts, encoder=inputs.encoder, random_state=inputs.settings.random_state)
    files: Files = {IndexPart.null: null.to_dict()}
    if inputs.texts is not None:
        path = files[IndexPart.keywords] = inputs.scratch / IndexPart.keywords
        Keywords.build(inputs.texts, path)
    return files


def _groups(inputs: Inputs) -> Files:
    found = groups(inputs.parts.neighbors.lists, random_state=inputs.settings.random_state)
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
        GroupsPart.labels: found.labels, GroupsPart.strength: found.strength,
        GroupsPart.record: {"groups": records, "coverage": coverage, "how": found.how},
    }  # fmt: skip


def _map(inputs: Inputs) -> Files:
    settings, near = inputs.settings, inputs.parts.neighbors.lists
    drawn = layout(inputs.X, near, method=settings.layout, random_state=settings.random_state, progress=True)
    kept = float(np.mean(drawn.kept))
    how = (
        f"Of each row's {near.indices.shape[1]} nearest rows, {kept:.0%} are also among its nearest on "
        "the map. Two dimensions cannot hold more: read the map for regions, and the neighbour lists for pairs."
    )
    record = {"layout": settings.layout, "method": drawn.method, "kept": kept, "how": how}
    return {MapPart.xy: drawn.xy, MapPart.kept: drawn.kept, MapPart.record: record}


def _audit(inputs: Inputs) -> Files:
    found = audit(
        inputs.X, inputs.parts.neighbors.lists, texts=inputs.texts, labels=inputs.labels,
        null=Null.from_dict(inputs.parts.index.null), random_state=inputs.settings.random_state,
        tokens=count_tokens(inputs.encoder, inputs.texts) if inputs.texts is not None else None,
    )  # fmt: skip
    return {AuditPart.record: found.to_dict(), AuditPart.flags: found.flags}


STAGES = (
    Stage(NeighborsPart, "nearest rows of every row, exactly", _neighbors, uses=("n_neighbors",)),
    Stage(HealthPart, "health of the space", _health, version=2),
    Stage(GroupsPart, "groups and their names", _groups),
    Stage(MapPart, "map in two dimensions", _map, uses=("layout",), version=2),
    Stage(IndexPart, "words, and what a score means here", _index, version=3),
    Stage(AuditPart, "copies, odd rows, unread texts, doubtful labels", _audit, version=3),
    Stage(
        ShrinkPart, "smallest form that keeps recall, certified", _shrink, uses=("recall", "n_results"), version=2
    ),
)  # fmt: skip


def fingerprints(rows: str, settings: Settings) -> dict[str, str]:
    """Return what a study would write on each of its parts, by name.

    Parameters
    ----------
    rows : str
        Fingerprint of the rows.
    settings : Settings
        Of the study.
    """
    made: dict[str, str] = {}
    for stage in STAGES:
        made[stage.name] = stage.fingerprint(rows, settings, made)
    return made


def late_stages(space: Space, settings: Settings) -> list[Stage]:
    """Return the stages whose part is missing, or was made from something else."""
    made = fingerprints(space.fingerprint, settings)
    return [one for one in STAGES if one.name not in space.parts or space.parts[one.name].made_from != made[one.name]]
