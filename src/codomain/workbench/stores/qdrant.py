"""A collection of a Qdrant server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from codomain.core import UserError, need, plain
from codomain.workbench.stores.outgoing import Outgoing, units_of
from codomain.workbench.stores.written import Vectors, Written, refusal

KEY = "QDRANT_API_KEY"
_REQUEST = 256  # points sent at a time


class QdrantCollection:
    """A collection behind an alias, the name that is asked for.

    Qdrant renames no collection. So the rows go into NAME--codomain-1 or -2, whichever NAME does not stand for, and
    NAME is made to stand for it in one step when it is whole and checked; then the older one is removed.

    Parameters
    ----------
    url : str
        http://HOST:PORT or https://HOST:PORT. A key is read from QDRANT_API_KEY.
    name : str
        The alias.
    """

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name

    @property
    def shown(self) -> str:
        """The address."""
        parts = urlsplit(self.url)
        return f"qdrant:{parts._replace(netloc=parts.netloc.rpartition('@')[2], query='').geturl()}#{self.name}"

    @contextmanager
    def fill(self, rows: Outgoing, *, force: bool) -> Iterator[Written]:
        """Write the rows into a collection that no alias names yet; see `Store.fill`."""
        module = need("qdrant_client", "qdrant")
        models = module.models
        with self._refusals():
            client = module.QdrantClient(self.url, api_key=os.environ.get(KEY), timeout=60, check_compatibility=False)
            aliases = {one.alias_name: one.collection_name for one in client.get_aliases().aliases}
            there = {one.name for one in client.get_collections().collections}
            if (self.name in aliases or self.name in there) and not force:
                raise refusal(self.shown, "collection")
            mine = [f"{self.name}--codomain-{number}" for number in (1, 2)]
            old = aliases.get(self.name)
            new = mine[old == mine[0]]
            if new in there:  # of an export that was killed
                client.delete_collection(new)
            try:
                vectors = models.VectorParams(size=rows.dim, distance=models.Distance.COSINE)
                client.create_collection(new, vectors, metadata={"codomain": rows.about})
                self._upload(client, new, rows)
                count = client.count(new, exact=True).count
                yield Written(count, lambda Q, k: _nearest(client, new, rows, Q, k))
            except BaseException:
                with suppress(Exception):  # the next export removes it
                    client.delete_collection(new)
                raise
            if self.name in there:  # a collection itself has the name, which an alias cannot have beside it
                client.delete_collection(self.name)
            steps: list[Any] = [
                models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=new, alias_name=self.name))
            ]
            if old:
                steps.insert(0, models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self.name)))
            client.update_collection_aliases(steps)
            if old in mine:
                client.delete_collection(old)

    def _upload(self, client: Any, new: str, rows: Outgoing) -> None:
        own = pa.types.is_integer(rows.ids.type) and pc.min(rows.ids).as_py() >= 0
        start = 0
        for batch in rows.blocks():
            numbers = range(start, start + len(batch))
            client.upload_collection(
                new, units_of(batch), payloads(batch.drop_columns([rows.vector])),
                ids=batch.column(rows.id).to_pylist() if own else numbers, batch_size=_REQUEST, wait=True,
            )  # fmt: skip
            start += len(batch)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        errors = need("qdrant_client.http.exceptions", "qdrant")
        try:
            yield
        except errors.ResponseHandlingException as error:
            raise UserError(
                f"{self.shown} cannot be reached, or broke off: {error}",
                needed="a Qdrant server that answers there",
            ) from error
        except errors.UnexpectedResponse as error:
            if error.status_code in (401, 403):
                raise UserError(
                    f"{self.shown} did not accept the key.",
                    needed="a key that may make and remove collections",
                    todo=f"export {KEY}=...",
                ) from None
            said = error.content.decode(errors="replace")[:300]
            raise UserError(f"{self.shown} refused: {error.status_code} {said}") from error


def payloads(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows as JSON holds them: dates and times as ISO text, spans as seconds, bytes as base64, NaN as null."""
    columns = {name: _json_column(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _json_column(column: pa.Array) -> list[Any]:
    kind = column.type
    if t.is_boolean(kind) or t.is_integer(kind):
        return column.to_pylist()
    if t.is_floating(kind):
        values = column.cast(pa.float64())
        return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64())).to_pylist()
    if t.is_nested(kind) or t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind):
        return [plain(value) for value in column.to_pylist()]
    if t.is_duration(kind):
        return pc.divide(column.cast(pa.duration("ns")).cast(pa.int64()).cast(pa.float64()), 1e9).to_pylist()
    if t.is_timestamp(kind) and kind.tz:
        column = column.cast(pa.timestamp(kind.unit, "UTC"))
    return column.cast(pa.string()).to_pylist()


def _nearest(client: Any, name: str, rows: Outgoing, Q: Vectors, k: int) -> list[list[Any]]:
    answers = (client.query_points(name, query=q.tolist(), limit=k, with_payload=[rows.id]).points for q in Q)
    return [[point.payload[rows.id] for point in points] for points in answers]
