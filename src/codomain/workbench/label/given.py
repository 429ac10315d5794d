"""The labels that a person gave, and the rows and the content that they are about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from codomain.space import LabelsPart, Space
from codomain.workbench.label.ledger import Answer


@dataclass(frozen=True)
class Given:
    """Labelled rows of a space.

    Parameters
    ----------
    rows : ndarray of shape (n_given,), int64
        Row numbers, ascending.
    labels : ndarray of shape (n_given,), str
        The class of each.
    fair : ndarray of shape (n_given,), bool
        Whether the row was drawn at random; true for all when nobody was asked and the labels were simply there.
    guesses : ndarray of shape (n_given,), str
        What the head of that moment would have said; empty where nothing was guessed.
    notes : tuple of str, default=()
        What was decided while reading, in sentences.
    """

    rows: NDArray[np.int64]
    labels: NDArray[Any]
    fair: NDArray[np.bool_]
    guesses: NDArray[Any]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, labels: Mapping[int, str], notes: Sequence[str] = ()) -> Self:
        """Make it of labels by row, all fair."""
        rows = np.array(sorted(labels), dtype=np.int64)
        names = np.array([labels[row] for row in rows.tolist()], dtype=str)
        return cls(rows, names, np.ones(len(rows), bool), np.full(len(rows), ""), tuple(notes))

    def with_answers(self, answers: Iterable[Answer]) -> Self:
        """Return these labels with a person's answers; a newer label of a row replaces an older one."""
        new = {one.row: one for one in answers if one.label is not None}
        rows = sorted(new)
        return self.merge(
            replace(
                self, rows=np.array(rows, np.int64), labels=np.array([new[row].label for row in rows], str),
                fair=np.array([new[row].fair for row in rows], bool),
                guesses=np.array([new[row].guess or "" for row in rows], str), notes=(),
            )
        )  # fmt: skip

    def merge(self, other: Self) -> Self:
        """Return these labels and those of `other`, which wins where both have one."""
        kept = ~np.isin(self.rows, other.rows)
        rows = np.concatenate([self.rows[kept], other.rows])
        order = np.argsort(rows)
        labels, fair, guesses = (
            np.concatenate([mine[kept], theirs])[order]
            for mine, theirs in (
                (self.labels, other.labels), (self.fair, other.fair), (self.guesses, other.guesses),
            )
        )  # fmt: skip
        return replace(
            self, rows=rows[order], labels=labels, fair=fair, guesses=guesses, notes=(*self.notes, *other.notes)
        )

    @property
    def by_row(self) -> dict[int, str]:
        """The labels by row."""
        return dict(zip(self.rows.tolist(), self.labels.tolist(), strict=True))

    @property
    def checked(self) -> tuple[int, int]:
        """How many guesses about rows drawn at random were right, and how many there were."""
        asked = self.fair & (self.guesses != "")
        return int((self.guesses == self.labels)[asked].sum()), int(asked.sum())

    def save(self, space: Space) -> bytes:
        """Return a parquet file of ids, rows, labels and the content hashes that the labels are about."""
        sink = pa.BufferOutputStream()
        table = {
            "id": space.ids.take(pa.array(self.rows)), "label": pa.array(self.labels), "row": pa.array(self.rows),
            "fair": pa.array(self.fair), "guess": pa.array(self.guesses),
            "hash": pa.array(space.hashes[self.rows].astype(str)),
        }  # fmt: skip
        parquet.write_table(pa.table(table), sink)
        return sink.getvalue().to_pybytes()

    @classmethod
    def load(cls, part: LabelsPart, space: Space) -> Self:
        """Read what `save` wrote; a label stays with the content it was given for, wherever that stands now."""
        table = parquet.read_table(part.given)
        rows, hashes = table["row"].to_numpy(), table["hash"].to_numpy().astype("S32")
        here = np.zeros(len(rows), bool)
        inside = rows < len(space)
        here[inside] = space.hashes[rows[inside]] == hashes[inside]
        if not here.all():
            place = {key: row for row, key in reversed(list(enumerate(space.hashes.tolist())))}
            rows = np.where(here, rows, [place.get(key, -1) for key in hashes.tolist()])
        order = np.unique(rows, return_index=True)[1]
        order = order[rows[order] >= 0]
        names = ("label", "fair", "guess")
        labels, fair, guesses = (table[name].to_numpy()[order] for name in names)
        gone = len(rows) - len(order)
        notes = (f"{gone:,} labels are about rows that are no longer there: left out",) if gone else ()
        return cls(rows[order], labels.astype(str), fair, guesses.astype(str), notes)
