"""The frozen data of claims: its bytes, where it comes from, and that nothing else is claimed on."""

import ast
import platform
import subprocess
import sys
from hashlib import sha256

import pyarrow as pa
import pytest
from pyarrow import parquet

from codomain.core import DamagedError
from codomain.core.catalogue import PACKAGE, rooms
from codomain.data import docstrings, frozen_docstrings, frozen_functions, functions, stdlib_docstrings

ROOT = PACKAGE.parents[1]
LIVE = {"stdlib_docstrings", "sysconfig", "stdlib_module_names"}  # ways to the library of the Python that runs


def names_in(path):
    """Every name that a file imports or takes from a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (part for alias in node.names for part in alias.name.split("."))
            yield from (getattr(node, "module", None) or "").split(".")
        if isinstance(node, ast.Attribute):
            yield node.attr


@pytest.mark.parametrize("module", [docstrings, functions], ids=["docstrings", "functions"])
def test_a_snapshot_has_the_bytes_of_its_seal(module):
    assert sha256(module.PATH.read_bytes()).hexdigest() == module.SHA256
    assert module.identity() == module.SHA256[:16]


@pytest.mark.parametrize(("module", "read"), [(docstrings, frozen_docstrings), (functions, frozen_functions)])
def test_another_table_in_its_place_is_refused(module, read, tmp_path, monkeypatch):
    parquet.write_table(pa.table({"text": ["a docstring that nobody sealed"]}), tmp_path / "other.parquet")
    monkeypatch.setattr(module, "PATH", tmp_path / "other.parquet")
    with pytest.raises(DamagedError, match="pip install --force-reinstall"):
        read.__wrapped__()


def test_frozen_rows_are_told_apart_by_their_id_and_long_enough():
    table = frozen_docstrings()
    rows = table.to_pylist()
    assert len({row["id"] for row in rows}) == len(rows) == 5738
    assert min(len(row["text"]) for row in rows) == 20
    assert all(row["module"].split(".")[0] == row["package"] for row in rows)
    assert frozen_docstrings(80).to_pylist() == [row for row in rows if len(row["text"]) >= 80]


def test_the_live_reader_gives_the_same_columns():
    assert stdlib_docstrings().schema == frozen_docstrings().schema


def test_frozen_functions_are_python_without_their_docstrings_and_of_several_packages():
    rows = frozen_functions().to_pylist()
    assert len(rows) == 2975
    assert len({row["package"] for row in rows}) > 50
    assert len({row["summary"] for row in rows}) == len(rows)
    for row in rows[::15]:
        (node,) = ast.parse(row["source"]).body
        assert ast.get_docstring(node) is None
        assert row["summary"] not in row["source"]


@pytest.mark.skipif(
    (platform.python_version(), sys.platform) != ("3.11.7", "linux"), reason="only CPython 3.11.7 on Linux has the rows"
)
def test_freezing_again_gives_the_same_tables(tmp_path):
    # In a process of its own: what other tests have imported and replaced shows in the modules written in C.
    code = "import runpy, sys; from pyarrow import parquet; tool = runpy.run_path(sys.argv[1])\n"
    code += "for name, table in tool['tables'](): parquet.write_table(table, f'{sys.argv[2]}/{name}')"
    subprocess.run([sys.executable, "-c", code, ROOT / "tools" / "freeze.py", tmp_path], check=True)
    assert parquet.read_table(tmp_path / "docstrings").equals(frozen_docstrings())
    assert parquet.read_table(tmp_path / "functions").equals(frozen_functions())


def test_no_room_and_no_task_reads_the_library_of_the_running_python():
    files = [path for room in (*rooms(), "tasks") for path in (PACKAGE / room).rglob("*.py")]
    assert len(files) > 100
    assert {path.relative_to(PACKAGE).as_posix(): bad for path in files if (bad := LIVE & set(names_in(path)))} == {}
