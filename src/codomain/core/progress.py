"""Bars with rate and time left on a terminal; silence everywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Task as RichTask
from rich.text import Text


class _Rate(TextColumn):
    """Rows per second since the bar began."""

    def __init__(self, unit: str) -> None:
        super().__init__("")
        self.unit = unit

    def render(self, task: RichTask) -> Text:
        """Return the rate as text."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self.unit}/s" if speed else "", style="dim")


@contextmanager
def bar(label: str, *, total: int, unit: str = "rows") -> Iterator[Callable[[int], None]]:
    """Show progress on stderr while the block runs.

    Parameters
    ----------
    label : str
        What is being done.
    total : int
        How many units there are; with 0 nothing is drawn.
    unit : str, default="rows"
        What is counted.

    Yields
    ------
    callable
        Call it with the number of units just finished.
    """
    if not total or not sys.stderr.isatty():
        yield lambda done: None
        return
    columns = (
        TextColumn("{task.description:<12}"), BarColumn(bar_width=28), MofNCompleteColumn(), _Rate(unit),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.advance(task, done)


def say(line: str) -> None:
    """Print one line for the person on stderr, where it never mixes with results."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
