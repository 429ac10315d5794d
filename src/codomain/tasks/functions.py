"""Functions of Python's standard library without their docstrings, and what these say first."""

import ast
import re
import sysconfig
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit

from codomain.core import unit_rows
from codomain.search.gnn_coder.trees import Trees, syntax_trees

_MANY = 200  # nodes of a function at most: a claim has to end
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def stdlib_functions() -> tuple[tuple[str, str, str], ...]:
    """Return (package, summary, source) of documented public functions and methods, in the order of the docstrings.

    The summary is the first paragraph of the docstring, of at least 20 characters, and unlike all others. The source
    is written anew from the syntax tree, so that comments and layout are gone; its docstring is taken out, and
    functions of which nothing remains, or more than 200 nodes, are left out.
    """
    from codomain.data import stdlib_docstrings

    root = Path(sysconfig.get_paths()["stdlib"])
    wanted: dict[str, list[dict[str, str]]] = {}
    for row in stdlib_docstrings().to_pylist():
        if row["kind"] in ("function", "method"):
            wanted.setdefault(row["module"], []).append(row)
    found: dict[str, tuple[str, str, str]] = {}
    twice: set[str] = set()
    for module, rows in wanted.items():
        place = root.joinpath(*module.split("."))
        path = next((each for each in (place.with_suffix(".py"), place / "__init__.py") if each.exists()), None)
        if path is None:
            continue  # written in C
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known = dict(_named(ast.parse(path.read_bytes())))
        for row in rows:
            node = known.get(row["name"])
            summary = " ".join(re.split(r"\n\s*\n", row["text"])[0].split())
            if node is None or len(summary) < 20:
                continue
            del node.body[0]  # the docstring
            if node.body and sum(1 for _ in ast.walk(node)) <= _MANY:
                if summary in found:
                    twice.add(summary)
                found[summary] = (row["package"], summary, ast.unparse(node))
    return tuple(each for summary, each in found.items() if summary not in twice)


def held_out_packages(encoder: Any, seed: int, most: tuple[int, int]) -> list[tuple[NDArray[Any], NDArray[Any], Trees]]:
    """Return features of sources, features of summaries, and trees: to learn from, then of a fifth of the packages.

    `most` says how many functions of each are drawn. No package is on both sides, so near copies are not either.
    """
    packages, summaries, sources = zip(*stdlib_functions(), strict=True)
    split = GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(sources, groups=packages)
    parts = []
    for rows, count in zip(next(split), most, strict=True):
        some = np.random.default_rng(seed).permutation(rows)[:count]
        code, told = ([texts[row] for row in some] for texts in (sources, summaries))
        X, y = (unit_rows(encoder.encode(texts)) for texts in (code, told))
        parts.append((X, y, syntax_trees(code, encoder.encode)))
    return parts


def mean_reciprocal_rank(queries: NDArray[Any], answers: NDArray[Any]) -> float:
    """Mean of 1 / rank of answer i for query i by inner product; an equal score counts as one ahead."""
    scores = queries @ answers.T
    return float(np.mean(1 / np.sum(scores >= np.diagonal(scores)[:, None], axis=1)))


def _named(node: ast.AST, prefix: str = "") -> "list[tuple[str, _Function]]":
    """Return the documented functions of a module by dotted name; of one name, the first, as the docstrings have it."""
    found: dict[str, _Function] = {}
    for child in getattr(node, "body", []):
        if isinstance(child, ast.ClassDef):
            found = dict(_named(child, f"{prefix}{child.name}.")) | found
        elif isinstance(child, _Function) and ast.get_docstring(child):
            found.setdefault(prefix + child.name, child)
    return list(found.items())
