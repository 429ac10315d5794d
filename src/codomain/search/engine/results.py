"""What a search returns: hits with their scores and the reason for each, as a table, a page or records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import Frames, visible
from codomain.search.engine.language import Query
from codomain.search.engine.null import Asked
from codomain.space import Space

PAIRS: dict[Asked, str] = {
    "row": "random pairs of these rows",
    "question": "pairs of a row and a question about something else",
}


@dataclass(frozen=True)
class Why:
    """Why a row is a hit.

    Attributes
    ----------
    words : tuple of str
        Words of the query that its text holds.
    by_meaning, by_words : int or None
        Its place on each list, from 1; None where it is not on it.
    """

    words: tuple[str, ...] = ()
    by_meaning: int | None = None
    by_words: int | None = None

    def __str__(self) -> str:
        places = [
            f"{place}. by {road}" for road, place in (("meaning", self.by_meaning), ("words", self.by_words)) if place
        ]
        return ", ".join(places) + (f" ({', '.join(self.words)})" if self.words else "")


@dataclass(frozen=True)
class Hit:
    """One row that was found.

    Attributes
    ----------
    row : int
        Its number in the space.
    id : object
        Its id.
    score : float
        Cosine with the query; BM25 when only words were looked up.
    joined : float or None
        What it earned by meaning and by words, 0 to 2, see `fuse`; hits are in this order. None for one list.
    percentile : float or None
        Share of unrelated pairs that score lower, 0 to 1, see `Results.asked`; None when only words were looked up.
    why : Why
        The words it shares with the query and its place on each list.
    columns : dict
        The row, by column.
    """

    row: int
    id: int | str
    score: float
    percentile: float | None
    why: Why
    columns: dict[str, Any]
    joined: float | None = None


@dataclass(frozen=True)
class Results(Frames):
    """Hits, best first.

    Attributes
    ----------
    hits : list of Hit
        Shorter than asked when there are no more rows.
    nothing_close : bool
        The best hit is no better than one gets by asking about nothing: the hits are the least bad, not answers.
    notes : list of str
        What a person should know, for example that a condition left no row.
    text : str or None
        Column that is printed.
    asked : {"row", "question"}, default="row"
        Which pairs a percentile is about: two rows of the space, or a question and a row that have nothing to do with
        each other, told by how everyday questions score here, each against its own mean and spread.
    show : sequence of str, default=()
        Columns that are printed besides.
    rows : Table or None, default=None
        The rows of the hits, with the types that they have in the space.
    """

    hits: list[Hit]
    nothing_close: bool
    notes: list[str] = field(default_factory=list)
    text: str | None = None
    asked: Asked = "row"
    show: Sequence[str] = ()
    rows: pa.Table | None = None

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Any:
        return iter(self.hits)

    def __getitem__(self, place: int) -> Hit:
        return self.hits[place]

    def to_records(self) -> list[dict[str, Any]]:
        """Return one dict per hit: id, score, percentile, one_in, among, why and the row's columns.

        `one_in` is the N of "1 in N", and `among` says of which pairs; both are None where there is no percentile.
        """
        return [
            {
                "id": hit.id, "score": hit.score, "joined": hit.joined, "percentile": hit.percentile,
                "one_in": _one_in(hit.percentile), "among": None if hit.percentile is None else PAIRS[self.asked],
                "why": str(hit.why), **hit.columns,
            }
            for hit in self.hits
        ]  # fmt: skip

    def to_arrow(self) -> pa.Table:
        """Return one row per hit, best first: its id, row, score, joined, percentile, one_in and why, then its columns.

        The columns of the space have the types that they have there. Where one of them has such a name, what the
        search says is "codomain_score" and so on.
        """
        rows = self.rows if self.rows is not None else pa.Table.from_pylist([hit.columns for hit in self.hits])
        said = {
            "row": pa.array([hit.row for hit in self.hits], pa.int64()),
            "score": pa.array([hit.score for hit in self.hits], pa.float64()),
            "joined": pa.array([hit.joined for hit in self.hits], pa.float64()),
            "percentile": pa.array([hit.percentile for hit in self.hits], pa.float64()),
            "one_in": pa.array([_one_in(hit.percentile) for hit in self.hits], pa.float64()),
            "why": pa.array([str(hit.why) for hit in self.hits], pa.string()),
        }
        table = rows.select(rows.column_names[:1])
        for name, values in said.items():
            table = table.append_column(f"codomain_{name}" if name in rows.column_names else name, values)
        for name in rows.column_names[1:]:
            table = table.append_column(rows.schema.field(name), rows[name])
        return table

    def _lines(self) -> list[tuple[str, ...]]:
        both = any(hit.joined is not None for hit in self.hits)
        lines = []
        for place, hit in enumerate(self.hits, 1):
            others = ", ".join(f"{name}: {value}" for name, value in hit.columns.items() if value != hit.id)
            text = _around(str((hit.columns.get(self.text) if self.text else others) or ""), hit.why.words)
            shown = "".join(f", {name}: {hit.columns[name]}" for name in self.show if self.text)
            scores = [f"{hit.joined or 0:.2f}"] * both + [f"{hit.score:.3f}", _above(hit.percentile)]
            lines.append(tuple(map(visible, (str(place), str(hit.id), *scores, f"{text} [{hit.why}{shown}]"))))
        return lines

    def _names(self) -> tuple[str, ...]:
        """Names of the columns that are printed, in the order of `_lines`."""
        both = any(hit.joined is not None for hit in self.hits)
        cosine = any(hit.percentile is not None or hit.why.by_meaning for hit in self.hits)
        return "", "id", *["joined"] * both, "cosine" if cosine else "words", "as close", "row"

    def _heads(self) -> list[str]:
        if not self.hits:
            return self.notes or ["No row was found."]
        close = ["Nothing close: no hit is better than one gets by asking about nothing."] if self.nothing_close else []
        return [*self.notes, *close]

    def __repr__(self) -> str:
        lines = [self._names(), *self._lines()] if self.hits else []
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = []
        for number, name, *scores, row in lines:
            right = [cell.rjust(width) for cell, width in zip(scores, widths[2:-1], strict=True)]
            table.append("  ".join([number.rjust(widths[0]), name.ljust(widths[1]), *right, row]))
        legend = []
        if any(hit.joined is not None for hit in self.hits):
            legend.append("joined: what a hit earned by meaning and by words, 0 to 2; hits are in this order.")
        if any(hit.percentile is not None for hit in self.hits):
            legend.append(f"as close: of {PAIRS[self.asked]}, one in N is as close.")
        return "\n".join([*map(visible, self._heads()), *table, *legend])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in self._names())
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in self._lines()
        )
        notes = "".join(f"<p>{escape(line)}</p>" for line in self._heads())
        return f"{notes}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _around(text: str, words: Sequence[str], width: int = 90) -> str:
    """Return the beginning of a text, or what stands around the first of the words where that comes later."""
    text = " ".join(text.split())
    places = [at for word in words if (at := text.lower().find(word.lower())) >= 0]
    start = max(0, min(places, default=0) - width // 3)
    if len(text) <= width or min(places, default=0) < 2 * width // 3:
        start = 0
    return ("…" if start else "") + text[start : start + width] + ("…" if start + width < len(text) else "")


def _above(percentile: float | None) -> str:
    """Say how rare such a score is among unrelated pairs, or how many of them it beats."""
    if percentile is None:
        return ""
    return f"1 in {_one_in(percentile):,.0f}" if percentile > 0.9 else f"above {percentile:.0%}"


def _one_in(percentile: float | None) -> float | None:
    """Return the N of "1 in N", to two digits; to one from a million on, where nothing was counted."""
    if percentile is None:
        return None
    n = 1 / (1 - percentile)
    return float(f"{n:.1e}" if n < 1e6 else f"{n:.0e}")


def hits(
    space: Space, rows: NDArray[np.int64], scores: dict[int, float], percentiles: Sequence[float | None],
    by_meaning: NDArray[np.int64], by_words: NDArray[np.int64], text: str | None, joined: Mapping[int, float],
    more: Mapping[str, Any],
) -> tuple[list[Hit], pa.Table]:  # fmt: skip
    """Take the rows of a space and say why each is there; return the hits and their rows."""
    table = space.take(rows)
    for name, values in more.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array(values).take(pa.array(rows)))
    places = [{row: place for place, row in enumerate(ranked.tolist(), 1)} for ranked in (by_meaning, by_words)]
    parsed = Query.parse(text) if text else None
    hits = []
    for row, percentile, columns in zip(rows.tolist(), percentiles, table.to_pylist(), strict=True):
        shown = columns.get(space.roles.text) if space.roles.text else None
        why = Why(parsed.held_by(str(shown or "")) if parsed else (), places[0].get(row), places[1].get(row))
        id = columns[table.column_names[0]]
        hits.append(Hit(row, id, float(scores[row]), percentile, why, columns, joined.get(row)))
    return hits, table
