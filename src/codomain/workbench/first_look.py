"""Something to look at within a minute: a report of the rows encoded so far."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codomain.core import say
from codomain.encode import Encoder
from codomain.space import Parts, ShrinkPart, Source, Space
from codomain.workbench.report.gather import write_report
from codomain.workbench.stages import STAGES, Inputs, Settings

_MOST_ROWS = 2048


def text_column(found: Source | Space, name: str | None) -> list[str] | None:
    """Return a column as strings.

    Parameters
    ----------
    found : Source or Space
        Where the column is.
    name : str or None
        Its name.

    Returns
    -------
    list of str or None
        None without a name; a missing value, and NaN, is an empty string.
    """
    if name is None:
        return None
    table = found.rows if isinstance(found, Source) else found.rows([name])
    return ["" if value is None or value != value else str(value) for value in table[name].to_pylist()]


class FirstLook:
    """Write a report of the rows encoded so far, once, when the rest will still take a while.

    Parameters
    ----------
    found : Source
        What is being encoded.
    maker : Encoder
        What encodes it.
    report : Path
        Where the report goes; the whole one replaces it.
    settings : Settings
        What the stages use.
    after : float, default=10.0
        Seconds of encoding before it is written.
    """

    def __init__(self, found: Source, maker: Encoder, report: Path, settings: Settings, after: float = 10.0) -> None:
        self.found, self.maker, self.report, self.settings, self.after = found, maker, report, settings, after
        self.began: float | None = None
        self.written = False

    def __call__(self, done: NDArray[np.intp], vectors: NDArray[np.float32]) -> None:
        """Take the rows finished so far; the encoder visits them in random order, so eight blocks are a fair sample."""
        now = time.monotonic()
        self.began = self.began or now
        rows_left = len(vectors) - len(done)
        seconds = now - self.began
        if self.written or seconds < self.after or len(done) < 200 or rows_left * seconds / len(done) < self.after:
            return
        self.written = True
        rows = np.sort(np.asarray(done)[:_MOST_ROWS])
        texts, labels = text_column(self.found, self.found.roles.text), text_column(self.found, self.found.roles.label)
        with tempfile.TemporaryDirectory() as scratch:
            inputs = Inputs(
                X=np.asarray(vectors[rows]), texts=_pick(texts, rows), labels=_pick(labels, rows),
                settings=self.settings, encoder=None, scratch=Path(scratch),
            )  # fmt: skip
            for stage in STAGES:
                if stage.part is not ShrinkPart:  # the one that takes long
                    part = stage.part(stage.run(inputs))
                    inputs = replace(inputs, parts=Parts({**inputs.parts, stage.name: part}))
        write_report(
            self.report, inputs, self.found.rows.take(rows), self.found.roles, self.maker.identity, self.found.name,
            partial=f"{len(rows):,} of {len(vectors):,} rows",
        )  # fmt: skip
        say(f"first look: {self.report} ({len(rows):,} of {len(vectors):,} rows; the whole report replaces it)")


def _pick(values: Sequence[str] | None, rows: NDArray[np.intp]) -> list[str] | None:
    return None if values is None else [values[row] for row in rows]
