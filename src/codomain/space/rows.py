"""The table of a space, read by row group, with the groups that were read last kept in memory."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.space.checks import no_column
from codomain.space.files import Files
from codomain.space.manifest import Manifest

KEPT = 256 * 2**20  # bytes of decoded columns


class RowReader:
    """Columns of one generation.

    Parameters
    ----------
    files : Files
        The sealed files of the generation.
    manifest : Manifest
        Which shards hold the rows.
    """

    def __init__(self, files: Files, manifest: Manifest) -> None:
        self._files, self._manifest = files, manifest
        self._footers: list[Any] = []
        self._groups: list[tuple[int, int]] = []  # (shard, group within it)
        self._starts: NDArray[np.int64] = np.zeros(1, np.int64)
        self._kept: OrderedDict[tuple[int, str], pa.ChunkedArray] = OrderedDict()
        self._bytes = 0
        self._one = Lock()  # of what is kept: several threads may take rows

    def names(self, columns: Sequence[str] | None) -> list[str]:
        """Return the columns that were asked for, or say which there are."""
        here = self._manifest.columns
        wanted = list(here) if columns is None else [columns] if isinstance(columns, str) else list(columns)
        for name in wanted:
            if name not in here:
                raise UserError(no_column(name, here))
        return wanted

    def schema(self) -> pa.Schema:
        """Return names and types of the columns on disk."""
        return self._open(0).schema_arrow

    def read(self, names: list[str]) -> pa.Table:
        """Return whole columns."""
        return pa.concat_tables([self._open(shard).read(names) for shard in range(len(self._manifest.shards))])

    def take(self, indices: Any, names: list[str]) -> pa.Table:
        """Return the named columns of some rows, in the order asked for."""
        rows = np.asarray(indices)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        rows = rows.astype(np.int64).reshape(-1)
        total = self._manifest.rows
        rows = np.where(rows < 0, rows + total, rows)
        if rows.size and (rows.min() < 0 or rows.max() >= total):
            raise IndexError(f"Row {rows.max() if rows.max() >= total else rows.min() - total} is not among {total}.")
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        with self._one:
            self._index()
            owner = np.searchsorted(self._starts, ordered, side="right") - 1
            pieces = [
                self._group(int(group), names).take(_numbers(ordered[owner == group] - self._starts[group]))
                for group in (np.unique(owner) if rows.size else [0])
            ]
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return pa.concat_tables(pieces).combine_chunks().take(_numbers(back))

    def _index(self) -> None:
        if not self._groups:
            sizes = []
            for shard in range(len(self._manifest.shards)):
                footer = self._open(shard).metadata
                self._footers.append(footer)
                self._groups += [(shard, group) for group in range(footer.num_row_groups)]
                sizes += [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
            self._starts = np.cumsum([0, *sizes])

    def _group(self, group: int, names: list[str]) -> pa.Table:
        missing = [name for name in names if (group, name) not in self._kept]
        found: dict[str, Any] = {}
        if missing:
            shard, local = self._groups[group]
            table = self._open(shard).read_row_group(local, columns=missing)
            found = {name: table[name] for name in missing}
        columns = [found[name] if name in found else self._kept[group, name] for name in names]
        for name, column in found.items():
            self._kept[group, name] = column
            self._bytes += column.nbytes
        while self._bytes > KEPT:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return pa.table(columns, names=names)

    def _open(self, shard: int) -> Any:
        path = self._files.check(self._manifest.shards[shard].table)
        footer = self._footers[shard] if shard < len(self._footers) else None
        # Not through a memory map: a file that is cut short while it is read would end the process.
        return pq.ParquetFile(path, metadata=footer, page_checksum_verification=True)


def _numbers(rows: NDArray[np.int64]) -> pa.Array:
    """Row numbers for Arrow; its own conversion imports pandas first, a fifth of a short command's time."""
    return pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))])
