"""How commands print: results on stdout, as a table, a record, or the lines to type next."""

import json
import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

from codomain.core import visible
from codomain.core.json_values import plain

if TYPE_CHECKING:
    from rich.console import Console

    from codomain.workbench import Study


def console(*, markup: bool = False, stderr: bool = False) -> "Console":
    """Return a console for tables and summaries; a pipe gets lines of at least 120 characters."""
    from rich.console import Console

    console = Console(highlight=False, markup=markup, stderr=stderr)
    if not console.is_terminal:
        console.width = max(console.width, 120)
    return console


def print_json(value: object) -> None:
    """Print a record, or a list of records, for other programs: valid JSON whatever the values are."""
    print(json.dumps(plain(value), ensure_ascii=False, indent=1, allow_nan=False))


def print_study(done: "Study", query: str | None = None, *, as_json: bool = False) -> None:
    """Print where the space and its report are, and a search to copy; or all that was found, as one record."""
    from codomain.workbench.report.gather import suggestion

    path = shlex.quote(str(done.space.path))
    if done.space.encoder.encodes:
        query = query or suggestion(done.space.parts.groups.groups)
        search = f'codomain search {path} "{query}"'
    else:
        search = f"codomain search {path} --like {shlex.quote(str(done.space.ids[0].as_py()))}"
    if as_json:
        print_json({**done.to_dict(), "search": search})
        return
    print(f"space: {done.space.path}")
    print(f"report: {done.report}")
    print(f"search: {search}")


def size(count: int) -> str:
    """Write a number of bytes with three digits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:,.3g} TB"


def local_time(stamp: str) -> str:
    """Write a time of a manifest as the clock here shows it."""
    try:
        return f"{datetime.fromisoformat(stamp).astimezone():%d %b %Y %H:%M}"
    except ValueError:
        return one_line(stamp)


def one_line(text: str) -> str:
    """Write text from a file so that the terminal only shows it: what is not printable is written as its code."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def cell(value: Any) -> str:
    """Write a value for a table."""
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else visible(str(value))


def print_table(columns: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table as wide as it needs to be, so that a pipe gets whole words."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(*columns, box=SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*map(visible, row))
    to = console()
    if not to.is_terminal:
        to.width = max(to.width, to.measure(table, options=to.options.update(max_width=1000)).maximum)
    to.print(table)
