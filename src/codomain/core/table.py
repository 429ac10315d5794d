"""A table that shows itself in a notebook and hands itself to pandas, polars and Arrow."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from codomain.core.escapes import visible
from codomain.core.extras import need

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 20  # rows that a notebook or a terminal shows
_WIDE = 100  # characters of a cell


class Frames:
    """What has a form in Arrow has one in pandas and polars too."""

    def to_arrow(self) -> "pa.Table":
        """Return the rows as a table of pyarrow."""
        raise NotImplementedError

    def to_pandas(self) -> Any:
        """Return the rows as a DataFrame of pandas.

        Raises
        ------
        UserError
            When pandas is not installed.
        """
        need("pandas", "frames")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """Return the rows as a DataFrame of polars.

        Raises
        ------
        UserError
            When polars is not installed.
        """
        return need("polars", "frames").from_arrow(self.to_arrow())


class Table(Frames, Sequence[dict[str, Any]]):
    """Rows with names for their columns; a sequence of dicts, which shows its first 20.

    Parameters
    ----------
    rows : pyarrow.Table
        The content.
    notes : sequence of str, default=()
        Sentences to show above it.
    """

    def __init__(self, rows: "pa.Table", notes: Sequence[str] = ()) -> None:
        self._rows, self.notes = rows, list(notes)

    def to_arrow(self) -> "pa.Table":
        """Return the rows as a table of pyarrow."""
        return self._rows

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def __getitem__(self, place: Any) -> Any:
        rows = range(len(self))[place]
        if isinstance(rows, range):
            return [self[row] for row in rows]
        return self._rows.slice(rows, 1).to_pylist()[0]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows.to_pylist())

    def _cells(self) -> list[list[str]]:
        return [list(map(_write, row.values())) for row in self[:SHOWN]]

    def _rest(self) -> list[str]:
        return [f"... and {len(self) - SHOWN:,} more rows"] if len(self) > SHOWN else []

    def __repr__(self) -> str:
        lines = [self._rows.column_names, *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join([*self.notes, *table, *self._rest()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self._rows.column_names)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._cells())
        above, below = ("".join(f"<p>{escape(line)}</p>" for line in lines) for lines in (self.notes, self._rest()))
        return f"{above}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def _write(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    text = visible(" ".join(text.split()))
    return text if len(text) <= _WIDE else text[: _WIDE - 1] + "…"
