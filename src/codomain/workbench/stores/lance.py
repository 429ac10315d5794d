"""A table of LanceDB, in a folder."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from codomain.core import UserError, need
from codomain.workbench.stores.outgoing import Outgoing
from codomain.workbench.stores.written import Vectors, Written, refusal


class LanceTable:
    """A table in a folder of LanceDB.

    Lance shows a version of a table only when it is whole. A table that is replaced gets a new version, so who has it
    open goes on reading the old one, and when anything fails the old one is the newest again.

    Parameters
    ----------
    folder : Path
        The folder of the database, made when it is not there.
    name : str
        The table.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    @property
    def shown(self) -> str:
        """The address."""
        return f"lance:{self.folder}#{self.name}"

    @contextmanager
    def fill(self, rows: Outgoing, *, force: bool) -> Iterator[Written]:
        """Write the rows as a new version; see `Store.fill`."""
        lancedb = need("lancedb", "lance")
        with _Blocks(rows) as blocks, self._refusals(blocks):
            database = lancedb.connect(self.folder)
            old = _open(database, self.name)
            if old is not None and not force:
                raise refusal(self.shown, "table")
            before = None if old is None else old.version
            try:
                reader = pa.RecordBatchReader.from_batches(rows.schema, blocks)
                # "create" also takes the folder that a killed writer left, which holds no version of a table.
                table = database.create_table(self.name, reader, mode="create" if old is None else "overwrite")
            except BaseException:
                if before is None and _open(database, self.name) is None:
                    with suppress(Exception):  # what is left is no table, and does not hinder the next export
                        database.drop_table(self.name, ignore_missing=True)
                raise
        try:
            yield Written(table.count_rows(), lambda Q, k: _nearest(table, rows, Q, k))
        except BaseException:
            if before is None:
                database.drop_table(self.name)
            else:
                table.restore(before)
            raise

    @contextmanager
    def _refusals(self, blocks: "_Blocks") -> Iterator[None]:
        try:
            yield
        except UserError:
            raise
        except (ValueError, RuntimeError, OSError) as error:
            if blocks.error:  # in reading the space, which Lance reports as its own
                raise blocks.error from None
            said = re.sub(r", /\S+\.rs:[\d:]+.*", "", str(error).split("\n")[0])
            raise UserError(
                f"LanceDB refused to write {self.shown}: {said}",
                needed="a folder that may be written to, the name of a table, and columns of types that Lance has",
            ) from error


class _Blocks:
    """Blocks for a reader in another thread: it stops when the writer has stopped, and its error is kept."""

    def __init__(self, rows: Outgoing) -> None:
        self._rows, self._stopped = rows, False
        self.error: BaseException | None = None

    def __enter__(self) -> "_Blocks":
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._rows.blocks():
                if self._stopped:
                    raise InterruptedError("the export was stopped")
                yield batch
        except BaseException as error:
            self.error = error
            raise


def _open(database: Any, name: str) -> Any:
    """Return a table, or None when there is none of this name."""
    try:
        return database.open_table(name)
    except (ValueError, FileNotFoundError) as error:
        if "not found" in str(error):
            return None
        raise


def _nearest(table: Any, rows: Outgoing, Q: Vectors, k: int) -> list[list[Any]]:
    searches = (table.search(q, vector_column_name=rows.vector).distance_type("cosine") for q in Q)
    return [search.limit(k).select([rows.id, "_distance"]).to_arrow()[rows.id].to_pylist() for search in searches]
