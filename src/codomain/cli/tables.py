"""How the catalogue's commands print a table."""

from typing import Any


def cell(value: Any) -> str:
    """Write a value for a table."""
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def print_table(columns: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table as wide as it needs to be, so that a pipe gets whole words."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=1000)).maximum
        )
    console.print(table)
