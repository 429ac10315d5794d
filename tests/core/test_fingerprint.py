"""Fingerprints: a change makes those claims stale that can run what was changed, and no others."""

import ast
import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from codomain.core import fingerprint as fingerprints
from codomain.core.catalogue import PACKAGE, methods
from codomain.core.claims import Claim
from codomain.core.fingerprint import HARMLESS, LEFT_OUT, changed, closure, fingerprint, unseen

CLAIMED = sorted(entry.method.__module__ for entry in methods() if isinstance(entry.claim, Claim))

# A package with one claim that uses a task, another room's method and a file beside it.
TOY = {
    "__init__.py": "import lazy_loader",
    "__init__.pyi": "from .core.maths.rows import unit as unit",
    "core/__init__.py": "import lazy_loader",
    "core/__init__.pyi": "from .errors import UserError as UserError\nfrom .maths.rows import unit as unit",
    "core/errors.py": "class UserError(ValueError): pass",
    "core/maths/__init__.py": "",
    "core/maths/rows.py": "def unit(x): return x / 2",
    "core/maths/idle.py": "def idle(): pass",
    "align/__init__.py": "import lazy_loader",
    "align/__init__.pyi": "from .one import One as One\nfrom .shared.near import near as near",
    "align/one.py": """
        '''One.'''
        from typing import TYPE_CHECKING

        from codomain.core import UserError, unit

        if TYPE_CHECKING:
            from codomain.core.maths.idle import idle

        class One:
            '''It is one.'''

            def fit(self, X):
                if not X:
                    raise UserError("No rows.", needed="at least one")
                return unit(X)

        @claim(One, says="It works.", margin=0.1)
        def works(seed):
            from codomain.tasks import rows
            from codomain.search import Two
            return Two(rows(seed), One())
        """,
    "align/shared/__init__.py": "",
    "align/shared/near.py": "near = 1",
    "search/__init__.py": "import lazy_loader",
    "search/__init__.pyi": "from .two import Two as Two",
    "search/two.py": """
        from pathlib import Path
        TABLE = Path(__file__).with_name("table.json")
        class Two: width = 2
        @claim(Two, says="It works too.", margin=0.1)
        def works_too(seed):
            from codomain.align import near
            return f"{near:>{seed}} {seed=}"
        """,
    "search/table.json": "[1, 2]",
    "tasks/__init__.py": "import lazy_loader",
    "tasks/__init__.pyi": "from .beds import rows as rows",
    "tasks/beds.py": "def rows(seed):\n    from codomain.data import toys\n    return [seed, *toys()]",
    "data/__init__.py": "import lazy_loader",
    "data/__init__.pyi": "from .shelf import toys as toys",
    "data/shelf.py": "def toys(): return [1, 2]",
}
ONE, TWO = "codomain.align.one", "codomain.search.two"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "codomain.data.shelf", SimpleNamespace(identity=lambda: "a shelf"))
    for name, text in TOY.items():
        path = tmp_path / "codomain" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
    return tmp_path / "codomain"


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("align/one.py", "unit(X)", "unit(X) * 1", {ONE}),
        ("align/one.py", "rows(seed), One()", "rows(seed + 1), One()", {ONE}),
        ("search/two.py", "width = 2", "width = 3", {ONE, TWO}),
        ("search/two.py", "{near:>{seed}}", "{near:<{seed}}", {TWO}),
        ("search/table.json", "2", "3", {ONE, TWO}),
        ("tasks/beds.py", "[seed, *toys()]", "[*toys(), seed]", {ONE}),
        ("data/shelf.py", "[1, 2]", "[2, 1]", {ONE}),
        ("core/maths/rows.py", "x / 2", "x / 3", {ONE}),
        ("core/maths/__init__.py", "", "seed = 0", {ONE}),
        ("align/shared/near.py", "1", "2", {TWO}),
        ("search/__init__.pyi", ".two", ".three", {ONE}),
        # Words, types, and files that no score can depend on.
        ("align/one.py", "It is one.", "It is a one.", set()),
        ("align/one.py", "'''One.'''", "# Another way to say it.", set()),
        ("align/one.py", "at least one", "a row", set()),
        ("align/one.py", 'says="It works.", margin=0.1', 'says="It does.", margin=0.2', set()),
        ("core/errors.py", "pass", "code = 2", set()),
        ("core/maths/idle.py", "pass", "return 1", set()),
        ("align/__init__.py", "lazy_loader", "lazy_loader as lazy", set()),
    ],
)
def test_a_change_makes_stale_what_can_run_it_and_nothing_else(toy, file, old, new, stale):
    (toy / "search" / "three.py").write_text("class Two: width = 3")
    before = {module: fingerprint(module, {}, toy) for module in (ONE, TWO)}
    edit(toy / file, old, new)
    assert {module for module in before if fingerprint(module, {}, toy) != before[module]} == stale
    for module in before:
        assert bool(changed(module, before[module], {}, toy)) == (module in stale)


def test_a_file_that_runs_without_being_seen_is_named(toy):
    ran = [toy / name for name in TOY if name.endswith(".py") and "idle" not in name]
    assert unseen(ONE, map(str, ran), toy) == ["align/shared/__init__.py", "align/shared/near.py"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A copy of the package to edit, with the code of every claim in it as it was."""
    copy = tmp_path_factory.mktemp("copy") / "codomain"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy, {module: fingerprint(module, {}, copy) for module in CLAIMED}


def users(pattern):
    """Modules with a claim whose text has the pattern, read as text and not as code."""
    texts = {module: Path(import_module(module).__file__).read_text(encoding="utf-8") for module in CLAIMED}
    return {module for module, text in texts.items() if re.search(pattern, text)}


@pytest.mark.parametrize(
    ("file", "module", "name"),
    [
        ("align/relative_representations.py", "align", "RelativeRepresentation"),  # a method that no other claim uses
        ("tasks/digit_nets.py", "tasks", "twin_digit_nets"),
    ],
)
def test_a_line_of_a_method_or_a_task_makes_exactly_its_claims_stale(whole, file, module, name):
    copy, before = whole
    path = copy / file
    text = path.read_text(encoding="utf-8")
    own = {f"codomain.{file.removesuffix('.py').replace('/', '.')}"} & set(CLAIMED)
    expected = own | users(rf"from codomain\.{module}(\.\w+)? import .*\b({name})\b")
    try:
        path.write_text(text + "\nEDITED = 1\n", encoding="utf-8")
        assert {one for one in CLAIMED if fingerprint(one, {}, copy)["code"] != before[one]["code"]} == expected
        path.write_text(text.replace('"""', '"""So: ', 1) + "\n# A comment.\n", encoding="utf-8")
        assert all(fingerprint(one, {}, copy) == before[one] for one in CLAIMED)
    finally:
        path.write_text(text, encoding="utf-8")


def test_other_data_make_exactly_the_claims_on_them_stale(toy, monkeypatch):
    before = {module: fingerprint(module, {}, toy) for module in (ONE, TWO)}
    monkeypatch.setattr(sys.modules["codomain.data.shelf"], "identity", lambda: "another shelf")
    assert changed(ONE, before[ONE], {}, toy) == "its data changed"
    assert changed(TWO, before[TWO], {}, toy) == ""


def test_other_versions_of_libraries_make_a_claim_stale_and_are_named():
    held = {"python": "3.99.0", "numpy": "0.1", "scipy": version("scipy"), "no-such-library": "2.0"}
    words = changed(CLAIMED[0], fingerprint(CLAIMED[0], held), held)
    assert words == f"numpy 0.1 is now {version('numpy')}, no-such-library 2.0 is now absent"
    same = {"python": "3.99.0", "scipy": version("scipy")}
    assert changed(CLAIMED[0], fingerprint(CLAIMED[0], same), same) == ""


def test_a_record_without_a_fingerprint_is_stale():
    assert changed(CLAIMED[0], {}, {}) == "its record has no fingerprint"


@pytest.mark.parametrize("module", [CLAIMED[0], CLAIMED[-1], "codomain.classify.gda_clip"])
def test_what_python_imports_is_in_the_closure(module):
    code = f"import sys, {module}; ours = [m for name, m in sys.modules.items() if name.startswith('codomain.')]; "
    code += "print(*(module.__file__ for module in ours), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert len(done.stdout.split("\n")) > 5
    assert unseen(module, done.stdout.splitlines()) == []


def test_files_that_are_left_out_are_there_and_hold_no_numerics():
    for name in set(LEFT_OUT) - set(HARMLESS):
        tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {part.split(".")[0] for part in names} & {"numpy", "scipy", "sklearn", "faiss", "pyarrow"}, name
        assert not any(part.startswith("codomain.core.maths") for part in names), name


def test_no_claim_and_no_task_names_an_address():
    for module in CLAIMED:
        for path in closure(module):
            assert path.parts[-2:] == ("encoders", "resolve.py") or "openai:" not in path.read_text(encoding="utf-8"), (
                path
            )


def test_an_init_with_a_stub_holds_nothing_that_a_score_can_depend_on():
    for stub in PACKAGE.rglob("__init__.pyi"):
        code = [ast.unparse(node) for node in ast.parse(stub.with_suffix(".py").read_text(encoding="utf-8")).body[1:]]
        plain = [line for line in code if not line.startswith(("import lazy_loader", "__version__ = "))]
        assert [line.split(" = ")[1] for line in plain] == ["lazy_loader.attach_stub(__name__, __file__)"], stub


# Reads every file of the package with nothing but the standard library.
PROGRAM = """
import json, runpy, sys
from pathlib import Path
names = runpy.run_path(sys.argv[1])
source = names["_source"]
print(json.dumps([source(path, 0, claim).hash for path in sorted(Path(sys.argv[2]).rglob("*.py")) for claim in (0, 1)]))
"""


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_every_python_computes_the_same_hashes(minor):
    python = shutil.which(f"python3.{minor}")
    if minor == sys.version_info.minor or not python or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(f"no Python 3.{minor} beside this one")
    files = [fingerprints.__file__, str(PACKAGE)]
    done = subprocess.run(
        [python, "-I", "-c", PROGRAM, *files], capture_output=True, text=True, check=True, timeout=300
    )
    paths = sorted(PACKAGE.rglob("*.py"))
    assert json.loads(done.stdout) == [fingerprints._source(path, 0, claim).hash for path in paths for claim in (0, 1)]
