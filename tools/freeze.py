"""Freeze the docstrings and functions of this Python's standard library: the data that claims are measured on.

    python tools/freeze.py            write them where the package reads them
    python tools/freeze.py FOLDER     write them there instead

The snapshots in the package are those of CPython 3.11.7 on Linux. With other ones every recorded verdict on them is
void, so this runs once in a long while. Afterwards the seals in `codomain.data` have to follow; they are printed.
"""

import ast
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from codomain.core import say
from codomain.data import stdlib_docstrings

HOME = Path(__file__).parents[1] / "src/codomain/data/snapshots"
MANY = 200  # nodes of a function at most: a claim has to end
Function = ast.FunctionDef | ast.AsyncFunctionDef


def named(node: ast.AST, prefix: str = "") -> dict[str, Function]:
    """Return the documented functions of a module by dotted name; of one name, the first, as the docstrings have it."""
    found: dict[str, Function] = {}
    for child in getattr(node, "body", []):
        if isinstance(child, ast.ClassDef):
            found = named(child, f"{prefix}{child.name}.") | found
        elif isinstance(child, Function) and ast.get_docstring(child):
            found.setdefault(prefix + child.name, child)
    return found


def documented() -> Iterator[tuple[str, str, Function]]:
    """Yield package, docstring and syntax tree of every function written in Python, in the order of the docstrings."""
    root = Path(sysconfig.get_paths()["stdlib"])
    wanted: dict[str, list[dict[str, str]]] = {}
    for row in stdlib_docstrings().to_pylist():
        if row["kind"] in ("function", "method"):
            wanted.setdefault(row["module"], []).append(row)
    for module, rows in wanted.items():
        place = root.joinpath(*module.split("."))
        path = next((each for each in (place.with_suffix(".py"), place / "__init__.py") if each.exists()), None)
        if path is None:
            continue  # written in C
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escapes in string literals
            known = named(ast.parse(path.read_bytes()))
        for row in rows:
            if node := known.get(row["name"]):
                yield row["package"], row["text"], node


def functions() -> pa.Table:
    """Return what `codomain.data.frozen_functions` describes."""
    found: dict[str, dict[str, str]] = {}
    twice: set[str] = set()
    for package, text, node in documented():
        summary = " ".join(re.split(r"\n\s*\n", text)[0].split())
        del node.body[0]  # the docstring
        if len(summary) >= 20 and node.body and sum(1 for _ in ast.walk(node)) <= MANY:
            if summary in found:
                twice.add(summary)
            found[summary] = dict(package=package, summary=summary, source=ast.unparse(node))
    return pa.Table.from_pylist([row for summary, row in found.items() if summary not in twice])


def tables() -> Iterator[tuple[str, pa.Table]]:
    """Yield what is frozen and under which name."""
    yield "docstrings", stdlib_docstrings()
    yield "functions", functions()


def main() -> None:
    """Write both tables and print their seals."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME
    for name, table in tables():
        path = folder / f"{name}.parquet"
        aside = path.with_suffix(".part")
        often = [column for column in ("package", "module", "kind") if column in table.column_names]
        parquet.write_table(
            table, aside, compression="brotli", compression_level=11, use_dictionary=often, write_statistics=False
        )
        aside.replace(path)
        data = path.read_bytes()
        say(f"{path}: {table.num_rows} rows, {len(data)} bytes, sha256 {sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
