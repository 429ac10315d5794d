"""Changing a space: every change is a new generation, and HEAD is replaced last."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from codomain.core import EncoderIdentity, UserError
from codomain.space import collecting, commit
from codomain.space.checks import id_problems, no_column, refuse, vector_problems
from codomain.space.collecting import Garbage
from codomain.space.files import Files
from codomain.space.intake import as_table, as_vectors, prepend
from codomain.space.kinds import cast_exactly
from codomain.space.manifest import Manifest, PartRecord
from codomain.space.origins import Origin
from codomain.space.reading.cells import as_text_of
from codomain.space.view import View


class Space(View):
    """An unchanging view of one generation of a space; what changes the space returns a new view.

    Made by `codomain.open` and `codomain.write`.

    Parameters
    ----------
    path : Path
        Folder of the space.
    manifest : Manifest
        The generation.
    trusted : iterable of str, default=()
        Files that this process has just written or checked.
    """

    damaged: tuple[PartRecord, ...] = ()  # parts left out by open(mend=True); the next change drops them

    @classmethod
    def of(cls, space: "Space") -> Self:
        """Return a view of the same generation that is of this class; what was checked is not checked again."""
        same = cls(space.path, space._manifest, space._files.trusted)
        same.damaged = space.damaged
        return same

    def append(
        self, rows: Any, vectors: Any, *, encoder: EncoderIdentity, note: str = "", origin: Origin | None = None
    ) -> Self:
        """Add rows after the last one.

        Parameters
        ----------
        rows : Table, dict of columns or data frame
            With the columns of the space; ids that are row numbers may be left out.
        vectors : array of shape (m, d)
            In the order of the rows.
        encoder : EncoderIdentity
            What made them.
        note : str, default=""
            For the log.
        origin : Origin, optional
            The file that they came from, to be known again when it is added a second time.

        Returns
        -------
        Space
            The new generation. Derived parts stay: their `made_from` says that they are of the old rows.

        Raises
        ------
        UserError
            When another writer has changed the rows, or naming everything that is wrong with the new ones.
        EncoderMismatch
            When another encoder made the vectors.
        """
        self.encoder.check_same(encoder, todo=f"encode the new rows with {self.encoder.describe()}")
        vectors = as_vectors(vectors)
        table = as_table(rows, len(vectors))
        old = self._manifest
        if old.numbered and self.columns[0] not in table.column_names:
            numbers = pa.array(np.arange(len(self), len(self) + table.num_rows))
            table = prepend(table, self.columns[0], numbers)
        problems = vector_problems(vectors, table.num_rows, zeros=not encoder.sha256)
        if vectors.ndim == 2 and vectors.shape[1] != old.dim:
            problems.append(f"the vectors are {vectors.shape[1]} wide; those of {self.path} are {old.dim}")
        table, wrong = self._match_columns(table)
        problems += wrong
        follows = not wrong and old.numbered and commit.are_row_numbers(table[self.columns[0]], len(self))
        if not wrong and not follows:
            problems += id_problems(table[self.columns[0]], self.columns[0], there=self.ids)
        refuse("What was to be added", problems)
        with commit.pen(self.path) as held:
            base = self._drop_damaged(commit.same_rows(held, old))
            shard = held.shard(table, vectors, self.roles.text, old.hash_column)
            new = replace(
                base,
                shards=(*base.shards, shard),
                numbered=follows,
                origins=(*base.origins, *([origin] if origin else [])),
                note=note or f"added {table.num_rows:,} rows",
            )
            return self._after(held, new, done="encode")

    def _match_columns(self, table: pa.Table) -> tuple[pa.Table, list[str]]:
        """Bring new rows to this space's columns and types."""
        schema = self._reader.schema()
        problems = [no_column(name, table.column_names) for name in self.columns if name not in table.column_names]
        extra = [name for name in table.column_names if name not in self.columns]
        if extra:
            problems.append(f"{', '.join(map(repr, extra))}: no such column in {self.path}; leave it out")
        if problems:
            return table, problems
        columns = []
        for name in self.columns:
            column, wrong = cast_exactly(as_text_of(table, name, schema), schema.field(name).type, name)
            columns.append(column)
            problems += wrong
        return pa.table(columns, names=list(self.columns)), problems

    def put(self, name: str, files: Mapping[str, Any], *, made_from: str, note: str = "") -> Self:
        """Seal a derived part.

        Parameters
        ----------
        name : str
            The stage; an older part of this name is replaced.
        files : dict of str to ndarray, dict, list, bytes or Path
            An array becomes .npy, a dict or list .json; the file at a path is moved in.
        made_from : str
            Fingerprint of everything that the part depends on.
        note : str, default=""
            For the log.

        Returns
        -------
        Space
            The new generation. `work/NAME` is removed.

        Raises
        ------
        UserError
            When the rows have changed since this view was opened, or a value has no safe form.
        """
        with commit.pen(self.path) as held:
            base = self._drop_damaged(commit.same_rows(held, self._manifest))
            record = held.part(name, files, made_from)
            new = replace(base, parts=base.parts | {name: record}, note=note or f"part {name}")
            return self._after(held, new, done=name)

    def drop(self, names: str | Iterable[str]) -> Self:
        """Return a new generation without some parts."""
        gone = [names] if isinstance(names, str) else list(names)
        for name in gone:
            self.part(name)
        with commit.pen(self.path) as held:
            base = self._drop_damaged(commit.same_rows(held, self._manifest))
            kept = {name: record for name, record in base.parts.items() if name not in gone}
            return self._after(held, replace(base, parts=kept, note=f"dropped {', '.join(gone)}"))

    def _drop_damaged(self, base: Manifest) -> Manifest:
        """Leave out the parts that were found damaged when this view was opened with mend=True."""
        gone = {name for name, record in base.parts.items() if record in self.damaged}
        return replace(base, parts={name: record for name, record in base.parts.items() if name not in gone})

    def _after(self, held: commit.Pen, new: Manifest, done: str | None = None) -> Self:
        manifest, written = held.commit(new)
        after = type(self)(self.path, manifest, self._files.trusted & set(manifest.seals) | written)
        if done:
            after.clear_work(done)
        return after

    def rollback(self, to: int) -> Self:
        """Return a new generation equal to generation `to`; nothing in between is lost."""
        with commit.pen(self.path) as held:
            if held.head is None or held.head.generation != self.generation:
                raise UserError(
                    f"{self.path} has moved on: this view is of generation {self.generation}.",
                    needed="a view of the present generation",
                    todo=f"open it again: codomain.open({str(self.path)!r}).rollback({to})",
                )
            old = held.head.manifest(self.path, to)
            Files(self.path, old.seals, self._files.trusted & set(old.seals)).check_open()
            return self._after(held, replace(old, note=f"rolled back to generation {to}"))

    def tidy(self) -> None:
        """Remove what a killed writer left; nothing is locked when it left nothing."""
        if commit.leftovers(self.path):
            with commit.pen(self.path):
                pass

    def garbage(self, keep: int = 2) -> Garbage:
        """Return what `gc` would remove, and change nothing."""
        _refuse_no_rest(keep)
        return collecting.garbage(self.path, keep)

    def gc(self, keep: int = 2) -> int:
        """Forget old generations and remove what nothing needs then.

        Parameters
        ----------
        keep : int, default=2
            How many states of the rows to keep: of each, the last generation. With 2 there is a way back to before
            the rows last changed; generations that only added parts to the same rows are forgotten.

        Returns
        -------
        int
            Bytes freed. Only files that this space made are removed.
        """
        _refuse_no_rest(keep)
        return collecting.collect(self.path, keep)


def _refuse_no_rest(keep: int) -> None:
    if keep < 1:
        raise UserError(f"keep={keep} would leave nothing.", needed="keep of at least 1")
