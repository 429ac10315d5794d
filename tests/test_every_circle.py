"""No file of the package needs, by any way round, itself; and no folder holds more than a person can look over."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from codomain.core.catalogue import PACKAGE

MOST = 30  # files side by side


def name_of(path):
    """Dotted name of a file, that of the folder for its __init__."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def stubs(root):
    """For each package with a stub: which module each of its lazy names comes from."""
    found = {}
    for path in root.rglob("__init__.pyi"):
        package = ".".join(path.parent.relative_to(root.parent).parts)
        found[package] = {
            alias.asname or alias.name: f"{package}.{node.module}"
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
    return found


def reached(module, name, modules, lazy):
    """The file that `from module import name` needs: through stubs, and a module itself where the name is one."""
    if f"{module}.{name}" in modules and name not in lazy.get(module, {}):
        return f"{module}.{name}"
    source = lazy.get(module, {}).get(name)
    if source is None:
        return module
    return reached(source, name, modules, lazy) if source in lazy else source


def graph(root=PACKAGE):
    """Every file, and the files that it imports anywhere: at the top, in a function or a claim, or for types alone."""
    paths = {".".join(path.relative_to(root.parent).with_suffix("").parts): path for path in root.rglob("*.py")}
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    lazy, edges = stubs(root), {}
    for name, path in paths.items():
        edges[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                edges[name] |= {alias.name for alias in node.names if alias.name in paths}
            if isinstance(node, ast.ImportFrom) and node.module in paths:
                edges[name] |= {reached(node.module, alias.name, paths, lazy) for alias in node.names}
        edges[name].discard(name)
    return edges


def circle(edges):
    """The files of one circle, in the order in which they need each other; none where there is no circle."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_file_of_the_package_needs_itself():
    assert circle(graph()) == []


def test_lazy_names_lead_to_the_files_that_define_them():
    edges = graph()
    assert "codomain.core.errors" in edges["codomain.core.locks"]
    assert "codomain.shrink.index.recipe" in edges["codomain.shrink.index.cheapest"]
    assert "codomain.search.engine.neighbors" in edges["codomain.workbench.compare.run"]
    assert sum(map(len, edges.values())) > len(edges)


@pytest.mark.parametrize(
    "back",
    [
        "from codomain.one import a", "def f():\n    from codomain.one import a", "import codomain.one",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from codomain.one import a",
        "from codomain import a", "from codomain import one",
    ],
)  # fmt: skip
def test_a_circle_is_seen_however_it_is_closed(tmp_path, back):
    root = tmp_path / "codomain"
    root.mkdir()
    (root / "__init__.py").touch()
    (root / "__init__.pyi").write_text("from .one import a as a\n")
    (root / "one.py").write_text("from codomain.two import b\na = b\n")
    (root / "two.py").write_text(back + "\nb = 1\n")
    assert {"codomain.one", "codomain.two"} == set(circle(graph(root)))


def test_no_folder_holds_more_files_than_a_person_can_look_over():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    crowded = {name_of(folder / "__init__.py"): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in crowded.items() if count > MOST} == {}
