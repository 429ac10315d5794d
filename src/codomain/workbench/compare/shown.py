"""A comparison as people see it: on a terminal, in a notebook, as a page."""

from pathlib import Path
from typing import Any

from codomain.workbench.compare import page
from codomain.workbench.compare.result import Found


class Compared(Found):
    """What comparing two spaces found; it prints itself. Its fields are those of `Found`."""

    def write(self, path: str | Path) -> Path:
        """Write one HTML file with both maps side by side, and return its path."""
        return page.write(self, path)

    def __rich_console__(self, console: Any, options: Any) -> Any:
        """Say the answer, then what it rests on, then where the spaces differ."""
        from rich.box import SIMPLE
        from rich.markup import escape
        from rich.table import Table

        yield f"[bold]{escape(self.A.name)} and {escape(self.B.name)}: {self.verdict}[/bold]"
        yield escape(self.why)
        yield from (escape(f"- {note}") for note in self.notes)
        table = Table("measure", "value", "interval, 95 %", "by chance", "agree when", box=SIMPLE)
        for column in table.columns[1:4]:
            column.justify = "right"
        for one in self.measures:
            table.add_row(
                one.title, f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}", f"{one.null:.3f}", one.best
            )
        yield table
        yield from (escape(f"not measured: {name}: {why}") for name, why in self.refused.items())
        if self.changes.overlap.min() < 1:
            yield f"Rows that differ most, of {len(self.rows):,} compared with each other:"
            for number in self.changes.order[:5].tolist():
                words = f": {' '.join(self.texts[number].split())[:70]}" if self.texts else ""
                yield escape(f"  {self.changes.overlap[number]:4.0%} of neighbours kept  {self.ids[number]}{words}")
        changed = [change for change in self.group_changes if change.fate != "kept"][:5]
        if changed:
            yield f"Groups of {escape(self.A.name)} that differ most, of {len(self.group_changes)}:"
            for change in changed:
                says = f"{change.name} ({change.size:,}): {change.says}"
                yield escape(f"  {change.overlap:4.0%} of neighbours kept  {says}")

    def _repr_html_(self) -> str:
        from html import escape

        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f"<p><b>{escape(f'{self.A.name} and {self.B.name}: {self.verdict}')}</b><br>{escape(self.why)}</p>"
            f"<ul>{notes}</ul>{self.measures._repr_html_()}"
        )
