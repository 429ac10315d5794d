"""Bars with rate and time left on a terminal; a line a minute everywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Task as RichTask
from rich.text import Text

_PIPED_EVERY = 60.0  # seconds between two lines where no terminal is


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
    """Show progress on stderr while the block runs: a bar on a terminal, elsewhere at most a line a minute.

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
    if not total:
        yield lambda done: None
        return
    if not sys.stderr.isatty():
        yield _Lines(label, total, unit).advance
        return
    columns = (
        TextColumn("{task.description:<12}"), BarColumn(bar_width=28), MofNCompleteColumn(), _Rate(unit),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        # Until the first units are done, which may take a while, a bar without a total moves to and fro.
        task = progress.add_task(label, total=None)
        yield lambda done: progress.update(task, total=total, advance=done)


class _Lines:
    """Progress for a file or another program: one line a minute, as units are finished."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0
        self.began = self.last = time.monotonic()

    def advance(self, done: int) -> None:
        self.done += done
        now = time.monotonic()
        if now - self.last < _PIPED_EVERY or not 0 < self.done < self.total:
            return
        self.last = now
        left = (now - self.began) * (self.total - self.done) / self.done
        say(f"{self.label}: {self.done:,} of {self.total:,} {self.unit}, about {max(1, round(left / 60))} min left")


def say(line: str) -> None:
    """Print one line for the person on stderr, where it never mixes with results."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
