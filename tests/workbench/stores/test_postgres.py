"""PostgreSQL: types, keys, schemas, and refusals in plain words that never hold a password."""

import datetime
import decimal
import socket
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest

import codomain
from codomain.core import UserError
from codomain.workbench import export_space
from codomain.workbench.stores.addresses import store_at
from codomain.workbench.stores.copy_format import rows_of
from codomain.workbench.stores.written import write_to

UTC = datetime.UTC


def test_every_type_of_column_has_one_of_postgresql_that_holds_its_values(postgres, space):
    export_space(space, to=postgres.address)
    found = postgres.run("select attname, format_type(atttypid, atttypmod) as kind from pg_attribute "
                         "where attrelid = 'papers'::regclass and attnum > 0")  # fmt: skip
    kinds = {row["attname"]: row["kind"] for row in found}
    assert {name: kinds[name] for name in space.columns} == {
        "key": "text", "text": "text", "flag": "boolean", "small": "smallint", "unsigned": "bigint",
        "large": "bigint", "huge": "numeric", "half": "real", "single": "real", "double": "double precision",
        "day": "date", "moment": "timestamp without time zone", "zoned": "timestamp with time zone",
        "clock": "time without time zone", "span": "interval", "exact": "numeric", "raw": "bytea", "words": "jsonb",
        "pair": "jsonb", "vector": "bigint",
    }  # fmt: skip
    assert kinds["codomain_vector"] == f"extras.vector({space.shape[1]})"
    rows = {row["key"]: row for row in postgres.rows()}
    zoned = space.rows(["zoned"])["zoned"].cast(pa.timestamp("us", "UTC")).to_pylist()
    for name in space.columns:
        if name == "zoned":
            assert [rows[key][name] for key in space.ids.to_pylist()] == zoned
        else:
            expected = space.rows([name])[name].to_pylist()
            assert [rows[key][name] for key in space.ids.to_pylist()] == expected, name
    assert rows["row 1"]["moment"] is None and rows["row 0"]["exact"] == decimal.Decimal("-12345.670")


def test_ids_are_the_primary_key_and_the_table_says_what_made_its_vectors(postgres, space):
    export_space(space, to=postgres.address)
    keys = postgres.run("select pg_get_constraintdef(oid) as key, conname from pg_constraint where contype = 'p' "
                        "and conrelid = 'papers'::regclass")  # fmt: skip
    assert keys == [{"key": "PRIMARY KEY (key)", "conname": "papers_pkey"}]
    about = postgres.run("select obj_description('papers'::regclass)::json as about")[0]["about"]
    assert about["distance"] == "cosine" and about["encoder"]["sha256"] == space.encoder.sha256
    assert about["rows"] == space.fingerprint


def test_names_are_taken_as_they_are(postgres, server, tmp_path):
    odd = codomain.write(tmp_path / "odd.space", {"n": [1, 2], 'a "b"; drop': ["x", "y"], "Group": [1, 2]}, np.eye(2))
    export_space(odd, to=f"{server}#extras.My table")
    found = postgres.run('select * from extras."My table" order by n')
    assert [row['a "b"; drop'] for row in found] == ["x", "y"] and found[0]["Group"] == 1
    with pytest.raises(UserError, match="there already"):
        export_space(odd, to=f"{server}#extras.My table")
    postgres.run('drop table extras."My table"')


def test_a_database_that_knows_no_encoding_takes_the_same_bytes(server, space):
    import psycopg

    address = server.replace("/mine", "/ascii")
    with psycopg.connect(address) as one:
        one.execute("create extension vector")
    export_space(space, to=f"{address}#papers")
    with psycopg.connect(address, client_encoding="utf8") as one:
        found = one.execute("select pair->>'b' as word from papers where key = 'row 3'").fetchone()[0]
    assert (found if isinstance(found, str) else found.decode()) == 'say "é"\n'


def test_what_others_depend_on_is_not_dropped(postgres, space, smaller):
    export_space(smaller, to=postgres.address)
    postgres.run("create view seen as select n from papers")
    with pytest.raises(UserError, match="depend"):
        export_space(space, to=postgres.address, force=True)
    assert len(postgres.rows()) == 5


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": ["a\0b"]}, "0x00"),
        ({"x": pa.array([1500], pa.timestamp("ns"))}, "'x'.*would lose data"),
        ({"é" * 40: [1]}, "longer than a name"),
    ],
)
def test_what_postgresql_has_no_form_for_is_refused_and_nothing_is_left(postgres, tmp_path, columns, words):
    odd = codomain.write(tmp_path / "odd.space", {"n": [1], **columns}, np.ones((1, 2), np.float32))
    with pytest.raises(UserError, match=words):
        export_space(odd, to=postgres.address)
    assert postgres.names() == []


def test_vectors_wider_than_pgvector_takes_are_refused(postgres, tmp_path):
    wide = codomain.write(tmp_path / "wide.space", {"n": [1]}, np.ones((1, 16_001), np.float32))
    with pytest.raises(UserError, match="cannot exceed 16000"):
        export_space(wide, to=postgres.address)
    assert postgres.names() == []


def test_a_database_without_the_extension_is_refused_with_what_to_type(server, smaller):
    with pytest.raises(UserError, match="no extension 'vector'") as refused:
        export_space(smaller, to=server.replace("/mine", "/bare") + "#papers")
    assert "create extension vector" in refused.value.todo


def test_no_refusal_tells_the_password(server, smaller):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        closed = one.getsockname()[1]
    secret = "swordfish"
    place = server.partition("@")[2]
    addresses = [
        f"postgres://me:{secret}@{place}#papers",  # wrong
        f"postgres://me:{secret}@127.0.0.1:{closed}/mine#papers",  # nobody there
        f"postgres://me:{secret}@no-such-host.invalid/mine#papers",
        f"postgres://me:{secret}@{place}-not#papers",
        f"postgres://me:{secret}@{place}",  # no table
        f"postgres://me@{place}?password={secret}#papers",
        *(f"postgres://me:{secret}{sign}{secret}@{place}#papers" for sign in "@/#?%: "),  # not written as %40
        f"postgres://me:%ZZ{secret}@{place}#papers",
        f"postgresql://{secret}",
    ]
    for address in addresses:
        with pytest.raises(UserError) as refused:
            export_space(smaller, to=address)
        assert secret not in str(refused.value), address
    assert store_at(f"postgres://me:{quote('a@b/c', safe='')}@h:5/d#t").shown == "postgres://me@h:5/d#t"


def test_a_table_that_appears_meanwhile_is_not_written_over(postgres, space, smaller):
    from codomain.workbench.stores.outgoing import Outgoing

    with (
        pytest.raises(UserError, match="there already"),
        store_at(postgres.address).fill(Outgoing(space), force=False),
    ):
        write_to(store_at(f"{postgres.address}2"), smaller, force=False)
        postgres.run("alter table papers2 rename to papers")
    assert len(postgres.rows()) == 5


def test_a_block_of_rows_is_what_the_manual_says():
    batch = pa.record_batch({
        "a": pa.array([1, None], pa.int16()), "b": ["é", ""],
        "v": pa.array([[1.0, -2.0], [0.0, 0.5]], pa.list_(pa.float32(), 2)),
    })  # fmt: skip
    vectors = [bytes.fromhex("0000000c" "00020000" "3f800000" "c0000000"),
               bytes.fromhex("0000000c" "00020000" "00000000" "3f000000")]  # fmt: skip
    assert rows_of(batch, ["a", "b"]) == (
        b"\0\3\0\0\0\2\0\1\0\0\0\2\xc3\xa9" + vectors[0] + b"\0\3\xff\xff\xff\xff\0\0\0\0" + vectors[1]
    )
    assert rows_of(batch.slice(1), ["a", "b"]) == b"\0\3\xff\xff\xff\xff\0\0\0\0" + vectors[1]
