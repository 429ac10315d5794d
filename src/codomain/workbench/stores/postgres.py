"""A table of PostgreSQL with a column of pgvector's type."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from codomain.core import UserError, need
from codomain.workbench.stores.copy_format import BEGIN, END, rows_of, sql_type
from codomain.workbench.stores.outgoing import Outgoing
from codomain.workbench.stores.written import Vectors, Written, refusal

_LONGEST = 63  # bytes of a name; PostgreSQL cuts what is longer


class PostgresTable:
    """A table, written in one transaction: others see the old one, or none, until the new one is whole and checked.

    Parameters
    ----------
    url : str
        An address that libpq reads: postgres://USER@HOST:PORT/DATABASE. What it leaves out comes from libpq's own
        places, such as PGPASSWORD and ~/.pgpass.
    name : str
        The table, or schema.table.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url, self.name = url, name

    @property
    def shown(self) -> str:
        """The address without its password and its options."""
        parts = self._settings()
        user, port = f"{parts['user']}@" if "user" in parts else "", f":{parts['port']}" if "port" in parts else ""
        return f"postgres://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}#{self.name}"

    @contextmanager
    def fill(self, rows: Outgoing, *, force: bool) -> Iterator[Written]:
        """Write the rows in a transaction that ends with the block; see `Store.fill`."""
        psycopg = need("psycopg", "postgres")
        # Its texts are UTF-8, whatever the database keeps them in.
        settings = {
            "connect_timeout": 10,
            "application_name": "codomain",
            "client_encoding": "utf8",
            **self._settings(),
        }
        _check_names([*rows.schema.names, *self.name.split(".")])
        with self._refusals(psycopg), psycopg.connect(**settings) as connection:
            writer = _Writer(connection, need("psycopg.sql", "postgres"), self.name, rows)
            if writer.is_there() and not force:
                raise refusal(self.shown, "table")
            writer.write()
            yield Written(writer.count(), writer.nearest)
            writer.put_in_place(force=force)

    def _settings(self) -> dict[str, Any]:
        psycopg = need("psycopg", "postgres")
        try:
            found = need("psycopg.conninfo", "postgres").conninfo_to_dict(self._url)
        except psycopg.Error:  # its words may hold parts of the password
            found = {"port": "unreadable"}
        # A password with a bare sign in it makes libpq take its parts for a port, a host or a database.
        ports = str(found.get("port", 0)).split(",")
        if "@" in f"{found.get('host')}{found.get('dbname')}" or not all(port.isdigit() for port in ports):
            raise UserError(
                "The address of the database cannot be read.",
                needed="postgres://USER@HOST:PORT/DATABASE#TABLE, with signs such as @ # / in a password "
                "written as %40 %23 %2F",
            )
        return dict(found)

    @contextmanager
    def _refusals(self, psycopg: Any) -> Iterator[None]:
        errors = psycopg.errors
        try:
            yield
        except errors.DuplicateTable:
            raise refusal(self.shown, "table") from None
        except errors.DependentObjectsStillExist as error:
            raise UserError(
                f"{self.shown} cannot be replaced: {self._first_line(error)}",
                todo="drop what depends on it, or export to another table",
            ) from None
        except psycopg.OperationalError as error:
            raise UserError(
                f"{self.shown} cannot be reached, or broke off: {self._first_line(error)}. Nothing was written.",
                needed="a server that runs, a user, a database and a password",
                todo="check them with psql; a password is best kept in ~/.pgpass or PGPASSWORD",
            ) from None
        except psycopg.Error as error:
            raise UserError(f"{self.shown} refused: {self._first_line(error)}. Nothing was written.") from None

    def _first_line(self, error: Exception) -> str:
        """Return the first line of an error, never with the password."""
        said, secret = str(error).strip().split("\n")[0].rstrip("."), self._settings().get("password")
        return said.replace(secret, "...") if secret else said


class _Writer:
    """The statements of an export."""

    def __init__(self, connection: Any, sql: Any, name: str, rows: Outgoing) -> None:
        self._run, self._connection, self._sql, self._rows = connection.execute, connection, sql, rows
        *schema, table = name.split(".")
        self._name = table
        self._table = sql.Identifier(*schema, table)
        # One name each time: a second export of the same table waits for the first.
        self._new_name = f"{table[:40]}_codomain_new"
        self._new = sql.Identifier(*schema, self._new_name)
        self._extension = self._vector_schema()

    def _vector_schema(self) -> Any:
        """Return where the extension is; its type is named with that, as it need not be on the search path."""
        found = self._run(
            "select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace "
            "where e.extname = 'vector'"
        ).fetchone()
        if found:
            return self._sql.Identifier(found[0])
        here = self._run("select 1 from pg_available_extensions where name = 'vector'").fetchone()
        raise UserError(
            f"The database {self._connection.info.dbname!r} has no extension 'vector'"
            + (", though its server has it." if here else ", nor has its server."),
            needed="pgvector",
            todo="create extension vector;   (as an owner of the database)"
            if here
            else "install pgvector on the server, then: create extension vector;",
        )

    def is_there(self) -> bool:
        found = self._run("select to_regclass(%s)", [self._table.as_string(self._connection)]).fetchone()
        return found[0] is not None

    def write(self) -> None:
        sql, rows = self._sql, self._rows
        self._run(sql.SQL("drop table if exists {}").format(self._new))
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(sql_type(field.type))) for field in rows.columns
        ]
        vector = sql.SQL("{} {}.vector({}) not null").format(
            sql.Identifier(rows.vector), self._extension, sql.SQL(str(rows.dim))
        )
        self._run(sql.SQL("create table {} ({})").format(self._new, sql.SQL(", ").join([*columns, vector])))
        about = sql.Literal(json.dumps(rows.about))
        self._run(sql.SQL("comment on table {} is {}").format(self._new, about))
        with self._connection.cursor().copy(sql.SQL("copy {} from stdin (format binary)").format(self._new)) as copy:
            copy.write(BEGIN)
            for batch in rows.blocks():
                copy.write(rows_of(batch, rows.columns.names))
            copy.write(END)

    def count(self) -> int:
        return int(self._run(self._sql.SQL("select count(*) from {}").format(self._new)).fetchone()[0])

    def nearest(self, Q: Vectors, k: int) -> list[list[Any]]:
        names = {
            "id": self._sql.Identifier(self._rows.id),
            "vector": self._sql.Identifier(self._rows.vector),
            "there": self._extension,
            "new": self._new,
        }
        query = self._sql.SQL(
            "select {id} from {new} order by {vector} operator({there}.<=>) %s::{there}.vector limit %s"
        ).format(**names)
        return [[row[0] for row in self._run(query, [str(q.tolist()), k]).fetchall()] for q in Q]

    def put_in_place(self, *, force: bool) -> None:
        if force:
            self._run(self._sql.SQL("drop table if exists {}").format(self._table))
        name, column = self._sql.Identifier(self._name), self._sql.Identifier(self._rows.id)
        self._run(self._sql.SQL("alter table {} rename to {}").format(self._new, name))
        self._run(self._sql.SQL("alter table {} add primary key ({})").format(self._table, column))
        self._run(self._sql.SQL("analyze {}").format(self._table))


def _check_names(names: list[str]) -> None:
    long = [name for name in names if len(name.encode()) > _LONGEST]
    if long:
        raise UserError(
            f"{', '.join(map(repr, long))}: longer than a name may be in PostgreSQL.",
            needed=f"{_LONGEST} bytes at most",
        )
