"""Real text with real labels that every machine has: the docstrings of Python's own standard library."""

import ast
import importlib
import inspect
import platform
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

# Programs and test suites that ship beside the library, and what it deprecates: not what a person looks up.
_SKIP = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "distutils", "ensurepip", "site-packages", "pydoc_data"}
_KINDS = {ast.ClassDef: "class", ast.FunctionDef: "function", ast.AsyncFunctionDef: "function", ast.Module: "module"}

Row = tuple[str, str, str, str, str]  # module, dotted name, kind, signature, text


def _public(name: str) -> bool:
    return not name.startswith("_")


def _signature(node: ast.AST) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return f"({ast.unparse(node.args)})"
    if isinstance(node, ast.ClassDef):
        return f"({', '.join(ast.unparse(base) for base in node.bases)})" if node.bases else ""
    return ""


def _from_source(module: str, node: ast.AST, prefix: str = "", inside_class: bool = False) -> Iterator[Row]:
    """Yield the documented public names below a parsed node, in the order of the file."""
    doc = ast.get_docstring(node)  # type: ignore[arg-type]
    kind = _KINDS[type(node)]
    if doc:
        name = prefix or module
        yield module, name, "method" if inside_class and kind == "function" else kind, _signature(node), doc
    for child in getattr(node, "body", []):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _public(child.name):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{prefix}.{child.name}" if prefix else child.name
                yield from _from_source(module, child, name, isinstance(node, ast.ClassDef))


def _from_object(module: str, thing: Any, prefix: str = "") -> Iterator[Row]:
    """Yield the documented public names of a module or class written in C, which has no source to parse."""
    doc = inspect.getdoc(thing)
    if doc:
        kind = "class" if inspect.isclass(thing) else "module" if inspect.ismodule(thing) else "function"
        kind = "method" if kind == "function" and "." in prefix else kind
        head, _, rest = doc.partition("\n--\n\n") if "\n--\n\n" in doc else ("", "", doc)
        try:
            signature = str(inspect.signature(thing)) if kind != "module" else ""
        except Exception:  # it evaluates what C code wrote down, which may fail in any way
            signature = head
        yield module, prefix or module, kind, signature, rest
    for name, child in sorted(vars(thing).items()) if inspect.ismodule(thing) or inspect.isclass(thing) else []:
        if not _public(name) or inspect.ismodule(child):
            continue
        if inspect.isclass(thing) and (inspect.isclass(child) or not callable(child)):
            continue
        if callable(child):
            yield from _from_object(module, child, f"{prefix}.{name}" if prefix else name)


def _compiled_modules() -> Iterator[str]:
    for name in sorted(filter(_public, sys.stdlib_module_names)):
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):
            continue
        if spec and (spec.origin == "built-in" or isinstance(spec.loader, ExtensionFileLoader)):
            yield name


def _rows() -> Iterator[Row]:
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not parts or _SKIP & set(parts) or not all(map(_public, parts)) or parts[0] not in sys.stdlib_module_names:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escapes in string literals of the library itself
            try:
                tree = ast.parse(path.read_bytes())
            except SyntaxError:
                continue
        yield from _from_source(".".join(parts), tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _compiled_modules():
            with suppress(ImportError):  # built without what it wraps
                yield from _from_object(name, importlib.import_module(name))


@cache  # half a second of parsing; a table cannot be changed
def stdlib_docstrings(min_characters: int = 20) -> pa.Table:
    """Return the docstrings of the running Python's standard library; those that never change: `frozen_docstrings`.

    Parameters
    ----------
    min_characters : int, default=20
        Shorter docstrings say nothing and are left out.

    Returns
    -------
    pyarrow.Table
        Columns `id` (module and name, unique), `package` (the label: the top-level package), `module`, `name`,
        `kind` (module, class, function or method), `signature` and `text`, in the order of modules and files.
        About 6,000 rows on CPython 3.11; other versions differ by a few per cent.
    """
    seen: set[str] = set()
    rows: list[dict[str, str]] = []
    for module, name, kind, signature, text in _rows():
        key = module if kind == "module" else f"{module}.{name}"
        if len(text) >= min_characters and key not in seen:
            seen.add(key)
            clean = text.encode("utf-8", "replace").decode()
            package = module.partition(".")[0]
            rows.append(
                dict(id=key, package=package, module=module, name=name, kind=kind, signature=signature, text=clean)
            )
    return pa.Table.from_pylist(rows)


def identity() -> str:
    """Return which Python is running."""
    return f"{platform.python_implementation()} {platform.python_version()}"
