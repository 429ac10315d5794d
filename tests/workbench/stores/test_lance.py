"""LanceDB and faiss files: types, versions, refusals; and the command."""

import json
import os

import lancedb
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import codomain
from codomain.core import UserError
from codomain.workbench import export_space
from codomain.workbench.stores.addresses import FORMS, store_at
from codomain.workbench.stores.written import write_to


def test_every_column_keeps_its_type_and_values(lance, faiss_file, space, tmp_path):
    for place in (lance, faiss_file):
        export_space(space, to=place.address)
    tables = [
        lancedb.connect(tmp_path / "db").open_table("papers").to_arrow(),
        parquet.read_table(tmp_path / "files/papers.parquet"),
    ]
    whole = space.rows()
    for table in tables:
        for name in space.columns:
            assert table[name].type == whole[name].type, name
            assert table[name].to_pylist() == whole[name].to_pylist(), name
        about = json.loads(table.schema.metadata[b"codomain"])
        assert about["distance"] == "cosine" and about["encoder"]["sha256"] == space.encoder.sha256
        assert "uri" not in about["encoder"]


def test_who_has_the_table_open_goes_on_reading_the_old_version(lance, space, smaller, tmp_path):
    write_to(lance.store(), smaller, force=False)
    reader = lancedb.connect(tmp_path / "db").open_table("papers")
    reader.checkout(reader.version)
    write_to(lance.store(), space, force=True)
    assert reader.count_rows() == 5
    reader.checkout_latest()
    assert reader.count_rows() == len(space)


@pytest.mark.parametrize("name", ["a.b", "x y"])
def test_odd_names_of_columns_are_kept_or_refused_in_plain_words(lance, tmp_path, name):
    odd = codomain.write(tmp_path / "odd.space", {"n": [1, 2], name: [3, 4]}, np.eye(2))
    try:
        write_to(lance.store(), odd, force=False)
    except UserError as refused:
        assert "LanceDB refused" in str(refused) and "cargo" not in str(refused)
        assert lance.names() == []
    else:
        assert sorted(row[name] for row in lance.rows()) == [3, 4]


def test_a_name_that_no_table_can_have_and_a_file_in_the_way_are_refused(space, tmp_path):
    with pytest.raises(UserError, match=r"LanceDB refused.*Invalid table name"):
        export_space(space, to=f"lance:{tmp_path}#a b")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="LanceDB refused"):
        export_space(space, to=f"lance:{tmp_path}/file#papers")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_neither_file_of_an_index_is_written_over_unasked(faiss_file, space, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/papers.parquet").write_text("mine")
    with pytest.raises(UserError, match=r"papers.parquet is there already"):
        export_space(space, to=faiss_file.address)
    assert (tmp_path / "files/papers.parquet").read_text() == "mine"


@pytest.mark.parametrize(
    "address", ["papers", "lance:db", "lance:#t", "lance:s3://bucket/db#t", "faiss:x.index", "http://host#t", "", "#"]
)
def test_an_address_of_no_known_form_is_refused_with_the_forms(space, address):
    with pytest.raises(UserError) as refused:
        export_space(space, to=address)
    assert FORMS in str(refused.value)


def test_a_file_and_a_store_are_not_written_at_once(space, tmp_path):
    for out, to in [(None, None), (tmp_path / "a.csv", f"lance:{tmp_path}#t")]:
        with pytest.raises(UserError, match="not both"):
            export_space(space, out, to=to)


def test_a_missing_library_is_named_with_what_to_type(space, monkeypatch, tmp_path):
    import sys

    addresses = {"lance": f"lance:{tmp_path}#t", "qdrant": "qdrant:http://h#t", "postgres": "postgres://h/d#t"}
    for extra, module in {"lance": "lancedb", "qdrant": "qdrant_client", "postgres": "psycopg"}.items():
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(UserError) as refused:
                export_space(space, to=addresses[extra])
        assert refused.value.todo == f"pip install 'codomain[{extra}]'"


def test_the_command_prints_where_the_rows_are_and_the_recall(run, space, tmp_path):
    address = f"lance:{tmp_path}/db#papers"
    done = run("export", space.path.resolve(), "--to", address)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{address}: {len(space)} rows x {space.shape[1]}", "recall of the store on 20 rows: 1.000",
    ]  # fmt: skip
    again = run("export", space.path.resolve(), "--to", address)
    assert again.returncode == 2 and "add --force" in again.stderr and again.stdout == ""
    record = json.loads(run("export", space.path.resolve(), "--to", address, "--force", "--json").stdout)
    assert record == {"to": address, "rows": len(space), "dim": space.shape[1], "recall": 1.0, "asked": 20}
    assert run("export", space.path.resolve()).returncode == 2
    assert (
        run("export", space.path.resolve(), "out.csv", "--json").stdout
        == json.dumps({"to": "out.csv"}, indent=1) + "\n"
    )


def test_a_home_folder_is_meant_by_its_sign(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert store_at("lance:~/db#t").folder == tmp_path / "db"
    assert os.fspath(store_at("faiss:~/x.faiss").path) == str(tmp_path / "x.faiss")


def test_a_part_of_older_rows_is_refused(space, tmp_path):
    import shutil

    shutil.copytree(space.path, tmp_path / "copy.space")
    copy = codomain.open(tmp_path / "copy.space")
    more = copy.rows().slice(0, 1)
    more = more.set_column(0, "key", pa.array(["new"]))
    grown = copy.append(more, copy.vectors[:1], encoder=copy.encoder)
    with pytest.raises(UserError, match="changed after its last study"):
        export_space(grown, to=f"lance:{tmp_path}/db#t")
