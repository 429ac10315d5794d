"""The rows of a space as a store gets them: the person's columns, what was found, and vectors of length 1."""

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from codomain.core import bar, slices, unit_rows
from codomain.space import Space
from codomain.workbench.found import found_columns

BLOCK = 4096  # rows that are in memory at a time


class Outgoing:
    """What an export writes, a block of rows at a time.

    Parameters
    ----------
    space : Space
        A studied space.

    Attributes
    ----------
    id : str
        The column of ids.
    vector : str
        The column of vectors: "vector", or "codomain_vector" where the table has a column of that name.
    columns : Schema
        All columns but that of the vectors.
    schema : Schema
        All columns, with `about` as its metadata.
    about : dict
        How the vectors were made and are to be compared, so that who queries them can encode a question.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._found = found_columns(space)
        self.id = space.columns[0]
        self.vector = "codomain_vector" if "vector" in (*space.columns, *self._found) else "vector"
        encoder = {key: value for key, value in space.encoder.to_dict().items() if key != "uri"}
        self.about = {"distance": "cosine", "rows": space.fingerprint, "encoder": encoder}
        found = [pa.field(name, values.type) for name, values in self._found.items()]
        self.columns = pa.schema([*space.take([]).schema.remove_metadata(), *found])
        vector = pa.field(self.vector, pa.list_(pa.float32(), self.dim))
        self.schema = self.columns.append(vector).with_metadata({"codomain": json.dumps(self.about)})

    def __len__(self) -> int:
        return len(self._space)

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self._space.shape[1]

    @property
    def ids(self) -> pa.ChunkedArray:
        """The ids of all rows."""
        return self._space.ids

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, under `schema`, while a bar shows how far they are."""
        with bar("export", total=len(self)) as tick:
            for rows in slices(len(self), BLOCK):
                table = self._space.take(np.arange(rows.start, rows.stop))
                units = pa.array(unit_rows(self._space.vectors[rows]).ravel())
                found = [values[rows.start : rows.stop] for values in self._found.values()]
                vectors = pa.FixedSizeListArray.from_arrays(units, self.dim)
                yield from pa.table([*table.columns, *found, vectors], self.schema).combine_chunks().to_batches()
                tick(rows.stop - rows.start)


def units_of(batch: pa.RecordBatch) -> np.ndarray:
    """Return the vectors of a block, of shape (rows, dim), without a copy."""
    vectors = batch.column(batch.num_columns - 1)
    return vectors.flatten().to_numpy().reshape(len(batch), -1)
