"""A flat index of faiss, and a parquet file of its rows beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
from pyarrow import parquet

from codomain.core import written_aside
from codomain.workbench.stores.outgoing import Outgoing, units_of
from codomain.workbench.stores.written import Vectors, Written, refusal


class FaissFile:
    """An exact index by inner product, which for vectors of length 1 is the cosine.

    Place i of the index is row i of the parquet file of the same name. Both are written aside and renamed when they
    are whole and checked, the index first.

    Parameters
    ----------
    path : Path
        A file ending in .faiss.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.table = path, path.with_suffix(".parquet")

    @property
    def shown(self) -> str:
        """The address."""
        return f"faiss:{self.path}"

    @contextmanager
    def fill(self, rows: Outgoing, *, force: bool) -> Iterator[Written]:
        """Write both files aside; see `Store.fill`."""
        for there in (self.path, self.table):
            if there.exists() and not force:
                raise refusal(str(there), "name")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(self.table) as table, written_aside(self.path) as path:
            index = faiss.IndexFlatIP(rows.dim)
            with parquet.ParquetWriter(table, rows.columns.with_metadata(rows.schema.metadata)) as writer:
                for batch in rows.blocks():
                    index.add(units_of(batch))
                    writer.write_batch(batch.drop_columns([rows.vector]))
            faiss.write_index(index, str(path))
            del index
            back = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
            ids = parquet.read_table(table, columns=[rows.id]).column(0)

            def nearest(Q: Vectors, k: int) -> list[list[Any]]:
                return [ids.take(places[places >= 0]).to_pylist() for places in back.search(Q, k)[1]]

            yield Written(min(back.ntotal, len(ids)), nearest)
