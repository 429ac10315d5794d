"""The laws of import, read from the source; and what `import codomain` costs."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from codomain.core import UserError, need
from codomain.core.catalogue import NOT_ROOMS, PACKAGE, methods, rooms

ROOT = PACKAGE.parents[1]
FILES = sorted(PACKAGE.rglob("*.py"))
OUTSIDE = {"workbench", "serve", "cli"}  # what nothing below the command line may import
HEAVY = {"numpy", "sklearn", "scipy", "pyarrow", "faiss", "rich", "jinja2", "torch", "onnxruntime", "tokenizers",
         "wordllama", "model2vec", "sentence_transformers", "umap", "numba", "pandas",
         "fastapi", "starlette", "uvicorn", "ray"}  # fmt: skip


def place(path):
    """The package below codomain that a file is in; its own name for a file at the top."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def targets(node):
    """The parts of this package that an import statement reaches."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        assert node.level == 0, "imports are absolute here"
        here = str(node.module)
        names = [f"{here}.{alias.name}" if here == "codomain" else here for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("codomain.")}


def imports(path):
    """Pairs of a place and how it is imported: at the top, in a function, or in a claim. Types alone do not count."""
    found, tree = set(), ast.parse(path.read_text(encoding="utf-8"))
    of_claims = only_in_claims(tree)

    def visit(node, how):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update((target, how) for target in targets(node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and how != "claim":
            how = "claim" if is_claim(node) or node in of_claims else "function"
        for child in ast.iter_child_nodes(node):
            visit(child, how)

    visit(tree, "top")
    return found


def is_claim(node):
    """Whether a function is a claim."""
    return isinstance(node, ast.FunctionDef) and any(
        ast.unparse(mark).startswith("claim(") for mark in node.decorator_list
    )


def only_in_claims(tree):
    """Private functions of a module that nothing but its claims calls: they are parts of the claims."""

    def names(node):
        return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}

    others = set().union(*(names(node) for node in tree.body if not is_claim(node)))
    called = set().union(*(names(node) for node in tree.body if is_claim(node))) - others
    return {
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in called and node.name[0] == "_"
    }


def broken(path):
    """Imports of a file that the laws forbid."""
    here, room = place(path), place(path) in rooms()
    bad = []
    for target, how in imports(path):
        if target == here or here in {"cli", "__main__"}:
            fine = True
        elif here in OUTSIDE:
            fine = target not in {"cli", "serve", "tasks"}
        elif here == "core" or target in OUTSIDE:
            fine = False
        elif here == "space":
            fine = target == "core"
        elif room:
            fine = target in {"core", "space"} or how == "claim" or (target == "data" and how == "function")
        elif here == "tasks":
            fine = target in {"core", "data", "encode"}
        else:  # data
            fine = target == "core"
        if not fine:
            bad.append(f"{target} ({how})")
    return bad


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_laws_of_import_hold(path):
    assert broken(path) == []


def test_a_broken_law_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "core").mkdir()
    (tmp_path / "align").mkdir()
    (tmp_path / "core" / "bad.py").write_text("def f():\n    from codomain.align import Procrustes\n")
    (tmp_path / "align" / "bad.py").write_text(
        "from codomain.search import search\nimport codomain.workbench.run\n"
        "def _a():\n    import codomain.tasks\ndef _b():\n    import codomain.guard\n_c = _b\n"
        "@claim(1)\ndef g():\n    _a(), _b()\n    from codomain.measure import health\n"
    )
    (tmp_path / "workbench").mkdir()
    (tmp_path / "workbench" / "bad.py").write_text("import codomain.serve\nfrom codomain.align import Procrustes\n")
    assert broken(tmp_path / "core" / "bad.py") == ["align (function)"]
    assert broken(tmp_path / "workbench" / "bad.py") == ["serve (top)"]
    assert sorted(broken(tmp_path / "align" / "bad.py")) == ["guard (function)", "search (top)", "workbench (top)"]


def hidden(path):
    """What a file of the workbench or the server takes from other packages past their public names."""
    bad = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            found = [name for name in [ast.unparse(node)] if name.replace(".", "").isidentifier()]
        for name in found:
            top, *rest = name.split(".")
            if top == "codomain" and len(rest) > 1 and rest[0] not in {"workbench", "serve"}:
                public = import_module(f"codomain.{rest[0]}").__all__
                if rest[1] not in public or (not isinstance(node, ast.Attribute) and len(rest) > 2):
                    bad.add(name)
    return bad


@pytest.mark.parametrize(
    "path",
    sorted([*(PACKAGE / "workbench").rglob("*.py"), *(PACKAGE / "serve").rglob("*.py")]),
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_the_workbench_and_the_server_use_public_names_only(path):
    assert hidden(path) == set()


def test_a_name_that_is_not_public_is_seen(tmp_path):
    (tmp_path / "bad.py").write_text(
        "import codomain.space\nimport codomain.search.engine.null\nfrom codomain.core import UserError, claims\n"
        "from codomain.search.engine.search import fuse\nfrom codomain.workbench.run import study\n"
        "codomain.space.open(1).path.stem\ncodomain.space.commit.collect(1)\n"
    )
    assert hidden(tmp_path / "bad.py") == {
        "codomain.search.engine.null", "codomain.core.claims", "codomain.search.engine.search.fuse",
        "codomain.space.commit", "codomain.space.commit.collect",
    }  # fmt: skip


def bound(package):
    """Names that a package's own file binds, other than its modules themselves."""
    stub = package / "__init__.pyi"
    source = stub if stub.exists() else package / "__init__.py"
    inside = "codomain" + "".join(f".{part}" for part in package.relative_to(PACKAGE).parts)
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom) and node.module != inside:
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (one.id for one in targets if isinstance(one, ast.Name))


@pytest.mark.parametrize(
    "package",
    sorted(path.parent for path in PACKAGE.rglob("__init__.py")),
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_no_name_of_a_package_hides_one_of_its_modules(package):
    modules = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert set(bound(package)) & (modules - {"__init__"}) == set()


def test_names_of_modules_are_modules_and_names_of_functions_say_what_they_take():
    code = (
        "import json, inspect, codomain, codomain.cluster.engine, codomain.search.engine.search as one\n"
        "import codomain.workbench.shrink as two\n"
        "kinds = [type(module).__name__ for module in (one, two, codomain.cluster.engine)]\n"
        "takes = [list(inspect.signature(f).parameters)[:2] for f in (codomain.study, codomain.open, codomain.read)]\n"
        "print(json.dumps([dir(codomain), kinds, takes]))"
    )
    names, kinds, takes = fresh(code)
    assert {"study", "open", "read", "write"} <= set(names)
    assert kinds == ["module"] * 3
    assert takes == [["source", "text"], ["path", "generation"], ["source", "text"]]


def fresh(code):
    """Run code in a new process and return what it prints as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_import_codomain_is_light():
    loaded = fresh("import sys, json, codomain; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))")
    assert set(loaded) & HEAVY == set()


def test_import_codomain_takes_under_three_tenths_of_a_second():
    code = "import time; t = time.perf_counter(); import codomain; print(time.perf_counter() - t)"
    assert min(fresh(code) for _ in range(5)) < 0.3


def test_the_short_names_stay_callable_however_often_they_are_used():
    code = "import codomain, json; names = [n for n in codomain.__all__ if n[0] != '_'] * 2; "
    code += "print(json.dumps([n for n in names if not callable(getattr(codomain, n))]))"
    assert fresh(code) == []


def test_core_brings_scikit_learn_only_with_method():
    code = "import sys, json; from codomain.core import {}; print(json.dumps('sklearn' in sys.modules))"
    assert fresh(code.format("UserError, Paper, Int, claim, need, Trial, EncoderIdentity, bar")) is False
    assert fresh(code.format("Method")) is True


@pytest.mark.parametrize("room", rooms())
def test_importing_a_room_imports_none_of_its_files(room):
    code = f"import sys, json, codomain.{room}; print(json.dumps(sorted(sys.modules)))"
    assert [name for name in fresh(code) if name.startswith(f"codomain.{room}.")] == []


def test_every_method_is_exported_by_its_room():
    for entry in methods():
        package = import_module(f"codomain.{entry.room}")
        assert entry.object in package.__all__, entry
        assert getattr(package, entry.object) is entry.method


@pytest.mark.parametrize("room", sorted({*rooms(), "core", "data", "space", "workbench"}))
def test_every_exported_name_is_there_and_typed(room):
    package = import_module(f"codomain.{room}")
    source = (PACKAGE / room / "__init__.pyi").read_text(encoding="utf-8")
    lines = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)]
    typed = {alias.asname or alias.name for line in lines for alias in line.names}
    assert sorted(typed) == sorted(package.__all__) == sorted(set(package.__all__))
    for name in package.__all__:
        value = getattr(package, name)
        assert not hasattr(value, "__path__") and type(value).__name__ != "module", name
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


def test_star_import_gives_what_all_promises():
    names: dict = {}
    exec("from codomain.align import *", names)
    assert {"Procrustes", "RelativeRepresentation"} <= set(names)


def needs():
    """Every need("module", "extra") in the source whose arguments are written out."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "need":
                if all(isinstance(part, ast.Constant) for part in node.args):
                    yield tuple(ast.literal_eval(part) for part in node.args)


@pytest.mark.parametrize(("module", "extra"), sorted({("umap", "map"), *needs()}))
def test_a_missing_extra_gives_the_command_to_type(module, extra, monkeypatch):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert extra in extras
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=re.escape(f"pip install 'codomain[{extra}]'")):
        need(module, extra)


def test_no_room_hides_a_missing_extra():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and path.name == "__init__.py" and node.type is not None:
                assert "ImportError" not in ast.unparse(node.type)
                assert "ModuleNotFoundError" not in ast.unparse(node.type)


def test_rooms_are_the_packages_that_are_not_something_else():
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(rooms()) == packages - NOT_ROOMS
    assert Path(PACKAGE / "core").is_dir()
