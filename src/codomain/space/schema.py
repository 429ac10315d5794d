"""The parts that a space can have: their files, what each is made from, and typed access. Nothing else names a file."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, NotRequired, TypedDict, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from codomain.core import Neighbors, UserError
from codomain.space.checks import nearest
from codomain.space.parts import ArrayFile, JsonFile, OtherFile, Part

Record = dict[str, Any]  # what a class of another package writes and reads back: see its to_dict and from_dict


class NeighborsPart(Part):
    """The nearest rows of every row: row numbers, nearest first, and their cosines, both of shape (n, k)."""

    name = "neighbors"
    indices = ArrayFile("indices.npy")
    scores = ArrayFile("scores.npy")

    @property
    def lists(self) -> Neighbors:
        """Both in one."""
        return Neighbors(self.indices, self.scores)


class HealthPart(Part):
    """The measures of a space's health, each as `codomain.measure.Measure.to_dict` gives it."""

    name, reads = "health", ("neighbors",)

    class Content(TypedDict):
        """What the file holds."""

        measures: list[Record]

    record = JsonFile[Content]("health.json")

    @property
    def measures(self) -> list[Record]:
        """The measures."""
        return self.record["measures"]


class Group(TypedDict):
    """One group: its number, its name and how that was found, its rows, and how well it is found again, 0 to 1."""

    id: int
    name: str
    words: list[str]
    size: int
    stability: float
    name_score: float | None
    name_says: str
    examples: list[int]


class GroupsPart(Part):
    """Groups: of each row its number (-1 for none) and the share of its neighbours in it, both of shape (n,)."""

    name, reads = "groups", ("neighbors",)

    class Content(TypedDict):
        """What the file holds: the groups, the largest first, the share of rows in one, and how they were found."""

        groups: list[Group]
        coverage: float
        how: str

    labels = ArrayFile("labels.npy")
    strength = ArrayFile("strength.npy")
    record = JsonFile[Content]("groups.json")

    @property
    def groups(self) -> list[Group]:
        """The groups, the largest first."""
        return self.record["groups"]

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [group["name"] for group in self.groups]


class MapPart(Part):
    """The map: places of shape (n, 2), and the share of each row's neighbours that the map keeps, of shape (n,)."""

    name, reads = "map", ("neighbors",)

    class Content(TypedDict):
        """What the file holds: the layout asked for, what drew it, the mean of `kept`, and how to read it."""

        layout: str
        method: str
        kept: float
        how: str

    xy = ArrayFile("xy.npy")
    kept = ArrayFile("kept.npy")
    record = JsonFile[Content]("map.json")


class IndexPart(Part):
    """What a search needs: scores of unrelated pairs (`codomain.search.Null`), and full text where rows have words."""

    name = "index"
    null = JsonFile[Record]("null.json")
    keywords = OtherFile("keywords.sqlite")


class Flag(NamedTuple):
    """One question of the audit: its kind, its bit in the flags of a row, and its column in an export."""

    kind: str
    bit: int
    column: str


FLAGS = (
    Flag("duplicate", 1, "is_duplicate"),
    Flag("near_duplicate", 2, "is_near_duplicate"),
    Flag("outlier", 4, "is_outlier"),
    Flag("label", 8, "is_label_in_doubt"),
    Flag("same_vector", 16, "is_same_vector"),
    Flag("unknown_text", 32, "is_unknown_text"),
    Flag("cut_text", 64, "is_cut_text"),
)


class AuditPart(Part):
    """Rows that deserve a second look: `codomain.guard.Check` records, and of each row a sum of bits of `FLAGS`."""

    name, reads = "audit", ("neighbors", "index")

    class Content(TypedDict):
        """What the file holds: the checks, and sums of the tokens read, unread and unknown where the encoder says."""

        checks: list[Record]
        tokens: NotRequired[dict[str, int]]

    record = JsonFile[Content]("audit.json")
    flags = ArrayFile("flags.npy")

    @property
    def checks(self) -> list[Record]:
        """The checks."""
        return self.record["checks"]

    @property
    def flagged(self) -> dict[str, NDArray[np.bool_]]:
        """Of each flag's column, which rows have it."""
        return {flag.column: (self.flags & flag.bit) > 0 for flag in FLAGS}


class ShrinkPart(Part):
    """The smallest form that keeps a recall: everything that was measured, and the winner where there is one."""

    name, reads = "shrink", ("neighbors",)
    certificate = JsonFile[Record]("certificate.json")  # codomain.shrink.Front
    recipe = JsonFile[Record]("recipe.json")
    settings = JsonFile[Record]("settings.json")  # of the study that made it; not in spaces of codomain 0.1
    _INDEX = "index."

    @classmethod
    def index(cls, kind: str) -> str:
        """Return the name of the file with an index of some kind, such as faiss."""
        return f"{cls._INDEX}{kind}"

    @classmethod
    def index_of(cls, files: Iterable[str]) -> str | None:
        """Return which of some names is that of an index, whatever its kind; None without a winner."""
        return next((name for name in files if name.startswith(cls._INDEX)), None)

    @property
    def fitted(self) -> Record:
        """The files of the winner, which `codomain.shrink.FittedRecipe.load` takes; empty where there is none."""
        name = self.index_of(self.files)
        return {} if name is None else {self.__class__.recipe: self.recipe, name: self[name]}


class LabelsPart(Part):
    """Labels: those that people gave, and of every row the class that a head of them predicts."""

    name, made_by = "labels", "label"

    class Class(TypedDict):
        """A class: its name, labels given, rows predicted, and rows among those that were rejected."""

        name: str
        given: int
        labelled: int
        rejected: int | None

    record = JsonFile[Record]("labels.json")
    predicted = ArrayFile("predicted.npy")  # of each row, a place among `classes`
    probabilities = ArrayFile("probabilities.npy")  # of shape (n, n_classes)
    rejected = ArrayFile("rejected.npy")  # of each row, whether a person should look; not where nothing is promised
    given = OtherFile("given.parquet")  # not where another space's head labels
    head = JsonFile[Record]("head.json")  # codomain.classify.FewLabelHead
    _ARRAY = ("head-", ".npy")

    @property
    def classes(self) -> list[Class]:
        """The classes."""
        found: list[LabelsPart.Class] = self.record["classes"]
        return found

    @classmethod
    def head_array(cls, name: str) -> str:
        """Return the name of the file with one of the head's arrays."""
        return name.join(cls._ARRAY)

    @property
    def head_arrays(self) -> dict[str, NDArray[Any]]:
        """The head's arrays by name."""
        start, end = self._ARRAY
        return {
            name.removeprefix(start).removesuffix(end): self[name]
            for name in self.files
            if name.startswith(start) and name.endswith(end)
        }


class Doubtful(TypedDict):
    """A bridged row, its id, and how far from its true vector it is expected to be."""

    row: int
    id: Any
    doubt: float


class MigrationPart(Part):
    """What a migration did: its record, the rows to encode first, and of each row how doubtful its vector is."""

    name, made_by = "migration", "migrate"

    class Content(TypedDict):
        """What the file of doubtful rows holds."""

        rows: list[Doubtful]

    record = JsonFile[Record]("migration.json")
    doubtful = JsonFile[Content]("doubtful.json")
    doubt = ArrayFile("doubt.npy")  # of the rows that there were then
    true_rows = ArrayFile("true_rows.npy")  # numbers of the rows whose vector the encoder made
    weights = ArrayFile("weights.npy")  # of the bridge, where there was one
    offset = ArrayFile("offset.npy")


KINDS: dict[str, type[Part]] = {
    kind.name: kind
    for kind in (
        NeighborsPart, HealthPart, GroupsPart, MapPart, IndexPart, AuditPart, ShrinkPart, LabelsPart, MigrationPart,
    )
}  # fmt: skip

P = TypeVar("P", bound=Part)


class _Of(Generic[P]):
    """The part of one kind; where there is none, the command that makes it."""

    def __init__(self, kind: type[P]) -> None:
        self.kind = kind

    @overload
    def __get__(self, parts: None, owner: type) -> type[P]: ...
    @overload
    def __get__(self, parts: "Parts", owner: type) -> P: ...
    def __get__(self, parts: "Parts | None", owner: type) -> type[P] | P:
        return self.kind if parts is None else parts.need(self.kind.name)  # type: ignore[return-value]


class Parts(Mapping[str, Part]):
    """The parts of a space by name, and those of a known kind as attributes: `space.parts.groups.names`.

    Parameters
    ----------
    parts : mapping of str to Part
        Those that there are.
    space : Path or None, default=None
        Where, for an error to name.
    """

    neighbors = _Of(NeighborsPart)
    health = _Of(HealthPart)
    groups = _Of(GroupsPart)
    map = _Of(MapPart)
    index = _Of(IndexPart)
    audit = _Of(AuditPart)
    shrink = _Of(ShrinkPart)
    labels = _Of(LabelsPart)
    migration = _Of(MigrationPart)

    def __init__(self, parts: Mapping[str, Part], space: Path | None = None) -> None:
        self._parts, self._space = dict(parts), space

    def __getitem__(self, name: str) -> Part:
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __repr__(self) -> str:
        return f"Parts({', '.join(sorted(self._parts))})"

    def find(self, kind: type[P]) -> P | None:
        """Return the part of a kind, such as `GroupsPart`, or None where there is none."""
        return self._parts.get(kind.name)  # type: ignore[return-value]

    def need(self, name: str) -> Part:
        """Return a part, or say how it is made.

        Raises
        ------
        UserError
            When there is none.
        """
        if name not in self._parts:
            there = f"the parts there are: {', '.join(sorted(self._parts))}" if self._parts else ""
            made_by = KINDS.get(name, Part).made_by
            raise UserError(
                f"{self._space or 'This study'} has no part {name!r}{nearest(name, self._parts)}.",
                needed=there,
                todo=f"codomain {made_by} {self._space or 'SPACE'}",
            )
        return self._parts[name]
