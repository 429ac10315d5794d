"""What the answers hold, for the OpenAPI document; a test holds the answers to it."""

from typing import Any

from pydantic import BaseModel, Field


class Error(BaseModel):
    """What was wrong, what would have been accepted, and what to do."""

    error: str
    needed: str
    todo: str


class SpaceLine(BaseModel):
    """One space of those that are served; `error` says why it cannot be read now."""

    space: str
    url: str
    rows: int | None
    generation: int | None
    error: str | None


class Spaces(BaseModel):
    """The spaces."""

    spaces: list[SpaceLine]


class Facts(BaseModel):
    """What the study found of a space as a whole."""

    space: str
    when: str
    rows: int
    dimensions: int
    generation: int
    encoder: dict[str, Any]
    roles: dict[str, str | None]
    columns: list[dict[str, str]]
    tokens: dict[str, Any] | None
    health: list[dict[str, Any]]
    bytes_as_given: int
    recall_target: float | None
    smallest: dict[str, Any] | None
    groups: list[dict[str, Any]]
    in_no_group: int | None
    map: dict[str, Any] | None
    flags: dict[str, int] | None
    notes: list[str]
    warnings: list[str]


class Row(BaseModel):
    """A row as it stands in a list; its text may be cut."""

    row: int
    id: str
    text: str
    group: int = Field(description="-1 for none")
    group_name: str | None
    flags: list[str]
    url: str = Field(description="relative to the space")


class Hit(Row):
    """A row that was found: its cosine or BM25, the share of unrelated pairs below, the words it shares."""

    score: float
    percentile: float | None
    matched: list[str]
    why: str
    columns: dict[str, Any]


class Search(BaseModel):
    """An answer to a question; `mode` is how it was compared in the end."""

    space: str
    generation: int
    url: str
    q: str
    mode: str
    nothing_close: bool
    notes: list[str]
    hits: list[Hit]


class HitBeside(Hit):
    """A hit, and the other spaces that found the row with its id too."""

    also_in: list[str]


class SearchBeside(BaseModel):
    """An answer of one of several spaces."""

    space: str
    generation: int
    q: str
    mode: str
    nothing_close: bool
    notes: list[str]
    hits: list[HitBeside]


class Beside(BaseModel):
    """The answers of several spaces; `both` are the ids that all of them found."""

    url: str
    q: str
    mode: str
    spaces: list[SearchBeside]
    both: list[str]


class Note(BaseModel):
    """A star and a note on a row."""

    star: bool = False
    note: str = Field(default="", max_length=10_000)


class DatedNote(BaseModel):
    """A note with the time when it was written."""

    star: bool
    note: str
    when: str


class NoteLine(DatedNote):
    """A note in a list."""

    id: str
    url: str


class Notes(BaseModel):
    """All notes on a space, the latest first."""

    space: str
    notes: list[NoteLine]


class Place(BaseModel):
    """A place on the map, and the share of the row's nearest rows that are near it there."""

    x: float
    y: float
    kept: float | None


class Neighbor(Row):
    """A near row: its cosine, and the words that both rows hold."""

    score: float
    why: list[str]


class WholeRow(BaseModel):
    """All about one row."""

    space: str
    generation: int
    row: int
    id: str
    text: str | None
    columns: dict[str, Any]
    group: int
    group_name: str | None
    flags: list[str]
    found: dict[str, Any]
    map: Place
    neighbors: list[Neighbor]
    note: DatedNote | None
    url: str


class Group(BaseModel):
    """A group."""

    id: int
    name: str
    words: list[str]
    size: int
    stability: float | None
    url: str


class Groups(BaseModel):
    """The groups, the largest first."""

    space: str
    generation: int
    groups: list[Group]
    in_no_group: int


class Rows(BaseModel):
    """A page of rows."""

    space: str
    generation: int
    title: str
    url: str
    count: int
    page: int
    pages: int
    rows: list[Row]


class DatedRow(Row):
    """A row with its date."""

    date: str


class Period(BaseModel):
    """A period by its first day."""

    start: str
    rows: int


class NewGroup(BaseModel):
    """How many of the new rows are in a group."""

    group: int
    name: str | None
    rows: int


class New(BaseModel):
    """What is new since a date."""

    since: str
    count: int
    groups: list[NewGroup]


class Rising(BaseModel):
    """A group whose share of the last period is larger than before, with the interval of the difference."""

    group: int
    name: str
    rows: int
    share: float
    rows_before: int
    share_before: float
    difference: float
    low: float
    high: float
    url: str


class Dates(BaseModel):
    """Rows by date."""

    space: str
    generation: int
    column: str
    by: str
    first: str
    last: str
    without_date: int
    periods: list[Period]
    new: New
    rising: list[Rising]
    how: str
    count: int
    page: int
    pages: int
    rows: list[DatedRow]
