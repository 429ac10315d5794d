"""Which tests a change can reach: with `--since=REV` the others are left out.

A file reaches what its text names, in code, strings, docstrings and the blocks of pages: modules of the package, the
command line, helpers of tests, files and folders of the project; and what those reach in turn. A test that walks the
package reaches all of it, but where a parameter is a method, a module or a file, that case is about this one alone.
Pages, news, tests, data and the files of a room are chosen by; a change of anything else runs everything.
"""

import re
import subprocess
import sys
from ast import FunctionDef, get_source_segment, parse
from functools import cache
from pathlib import Path

import pytest

from codomain.core.catalogue import PACKAGE, rooms
from codomain.core.fingerprint import files_of

ROOT = PACKAGE.parents[1]
TESTS = ROOT / "tests"
CHOSEN_BY = (
    "docs/", "news/", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "tests/",
    *(f"src/codomain/{part}/" for part in (*rooms(), "data", "tasks")),
)  # fmt: skip
# Every test stands on these.
BELOW_ALL = {TESTS / name for name in ("conftest.py", "reach.py", "rerun.py", "time_limit.py")}
ALWAYS = TESTS / "test_reach.py"
IMPORT = re.compile(r"from (codomain(?:\.\w+)*) import\s*(\([^)]*\)|[^\n]*)")
STATEMENT = re.compile(r"^(?:\W*|.*; )import (codomain(?:\.\w+)*)", re.MULTILINE)
MENTION = re.compile(r"\bcodomain(?:\.\w+)+|(?<=import )codomain\b|(?<=, )codomain\b")
COMMAND = re.compile(r"""["']codomain["']|-m codomain\b""")
WALKS = re.compile(r"\b(?:PACKAGE|walk_packages)\b|\bcatalogue import|import .*\bcatalogue|\bcodomain\.\{")


def pytest_addoption(parser):
    parser.addoption("--since", metavar="REV", help="only tests that a change since this commit can reach")


def pytest_configure(config):
    rev = config.getoption("since")
    config.changed = None if rev is None or runs_everything(files := changes(rev)) else origins(files, rev)


def pytest_ignore_collect(collection_path, config):
    """Leave out whole files: what is not collected costs nothing."""
    if config.changed is not None and collection_path.name.startswith("test_") and collection_path.suffix == ".py":
        return True if not reaches(collection_path, config.changed) else None
    return None


def pytest_collection_modifyitems(config, items):
    """Of tests that walk the package, leave out the cases about something that the change cannot reach."""
    if config.changed is not None:
        left = {item for item in items if not concerns(item, config.changed)}
        config.hook.pytest_deselected(items=[item for item in items if item in left])
        items[:] = [item for item in items if item not in left]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a test that imports a file of the package which `reach` does not know of."""
    before = set(sys.modules)
    outcome = yield
    files = {getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - before}
    hidden = sorted(
        file for file in files if file and PACKAGE in Path(file).parents and Path(file) not in reach(item.path)
    )
    assert not hidden, f"tests/reach.py does not see that {item.path.name} reaches {hidden}: name them there"
    return outcome


def changes(rev):
    """Files that differ from a commit, in the working tree too; git's error where there is no such commit."""

    def git(*words):
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise pytest.UsageError(f"--since {rev}: {done.stderr.strip()}")
        return [ROOT / line for line in done.stdout.split("\0") if line]

    added = git("ls-files", "-z", "--others", "--exclude-standard")
    return {*git("diff", "-z", "--name-only", "--no-renames", rev, "--"), *added}


def runs_everything(files):
    """Whether any file is beyond choice: none of CHOSEN_BY, below all tests, or gone, so that nothing can name it."""
    return any(
        not path.relative_to(ROOT).as_posix().startswith(CHOSEN_BY) or path in BELOW_ALL or not path.exists()
        for path in files
    )


def origins(files, rev):
    """The files, with the code that stands on those that are no code: a record, a stub, a snapshot."""
    found = set(files)
    for path in files:
        if (
            path.is_relative_to(PACKAGE)
            and path.suffix != ".py"
            and not (path.suffix == ".pyi" and only_adds(path, rev))
        ):
            found |= set(readers(path))
    return found


def only_adds(stub, rev):
    """Whether a stub names all that it named at a commit: new names change nothing for those who use the old ones."""
    place = f"{rev}:{stub.relative_to(ROOT).as_posix()}"
    old = subprocess.run(["git", "show", place], cwd=ROOT, capture_output=True, text=True, timeout=60).stdout
    return set(old.splitlines()) <= set(stub.read_text(encoding="utf-8").splitlines())


def readers(path):
    """The method of a record; the code beside any other file, or above it where there is none."""
    if path.parent.name == "records":
        method = path.parents[1] / path.stem.replace("-", "_")
        return [method.with_suffix(".py") if method.with_suffix(".py").exists() else method / "__init__.py"]
    return next(list(folder.glob("*.py")) for folder in path.parents if any(folder.glob("*.py")))


def reaches(test, files):
    """Whether a file of tests can depend on one of the files; a room's tests always do on the room."""
    room = test.relative_to(TESTS).parts[0]
    return (
        test == ALWAYS or not reach(test).isdisjoint(files) or any((PACKAGE / room) in path.parents for path in files)
    )


def concerns(item, files):
    """Whether one case can depend on the files: with a subject, of those that walk, only by the subject."""
    found = subjects(item)
    own = {path for path in files if path.is_relative_to(TESTS)}
    if not found or not own.isdisjoint(reach(item.path)) or not WALKS.search(item.path.read_text(encoding="utf-8")):
        return True
    return any(not reach(path).isdisjoint(files) for path in found)


def subjects(item):
    """Files that the parameters of a case stand for: those of a method, a module or a path of the project."""
    found = set()
    for value in item.callspec.params.values() if hasattr(item, "callspec") else ():
        kind = value if isinstance(value, type) else type(value)
        module = value if isinstance(value, str) else getattr(value, "module", kind.__module__)
        if str(module).startswith("codomain."):
            found.add(next(files_of(module, "", PACKAGE)))
        path = getattr(value, "path", value)
        if isinstance(path, Path) and path.is_relative_to(ROOT):
            found.add(path)
    return found


@cache
def reach(start):
    """Return all files that a file can depend on, itself among them."""
    found, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(mentions(path))
    return frozenset(found)


@cache
def mentions(path):
    """Files that the text of a file names."""
    if path.suffix not in (".py", ".md"):
        return frozenset()
    text = path.read_text(encoding="utf-8")
    found = set()
    if path.is_relative_to(TESTS):
        text += fixtures(text)
        found |= helpers(path, text) | places(path, text)
        if COMMAND.search(text):
            found |= {*(PACKAGE / "cli").glob("*.py"), PACKAGE / "__main__.py"}
        if WALKS.search(text):
            found |= everything_in(PACKAGE)
    for module, names in IMPORT.findall(text):
        for name in re.findall(r"\w+", names) or [""]:
            found |= runs(module, name)
    of_package = path.is_relative_to(PACKAGE)  # its words mention modules that it does not use
    for dotted in set((STATEMENT if of_package else MENTION).findall(IMPORT.sub("", text))):
        found |= runs(*split(dotted))
    return frozenset(found)


@cache
def runs(module, name):
    """Files that an import of a name runs."""
    return frozenset(files_of(module, name, PACKAGE))


def split(dotted):
    """The longest beginning that is a module, and the name that follows it."""
    module, *names = dotted.split(".")
    place = PACKAGE
    while names and ((place / names[0]).is_dir() or (place / f"{names[0]}.py").exists()):
        place, module = place / names[0], f"{module}.{names.pop(0)}"
    return module, names[0] if names else ""


def fixtures(text):
    """The source of what a test takes from conftest.py, by the names of its parameters."""
    held, found, waiting = fixture_sources(), "", [text]
    while waiting:
        one = waiting.pop()
        names = {word for word in held if re.search(rf"[(,\s\"']{word}\s*[,):=\"']", one)}
        for name in names:
            if held[name] not in found:
                found += held[name]
                waiting.append(held[name])
    return found


@cache
def fixture_sources():
    """The source of each function of conftest.py."""
    source = (TESTS / "conftest.py").read_text(encoding="utf-8")
    return {node.name: get_source_segment(source, node) for node in parse(source).body if isinstance(node, FunctionDef)}


def helpers(path, text):
    """What is beside a test and is none, and files of tests that it imports by their bare name."""
    names = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
    beside = {one for one in path.parent.glob("*.py") if not one.name.startswith("test_")}
    return (beside | {one for one in everything_in(TESTS) if one.stem in names and one.suffix == ".py"}) - BELOW_ALL


def places(path, text):
    """Files that a string names, from the project's root, tests/ or beside the test; all in a folder after a slash."""
    found = set()
    for slash, words in set(re.findall(r"""(/ )?["'](\w[\w./-]*)["']""", text)):
        found |= {place for folder in (ROOT, TESTS, path.parent) if (place := folder / words).is_file()}
        if slash and (ROOT / words).is_dir():
            found |= everything_in(ROOT / words)
    return found


@cache
def everything_in(folder):
    """Files of a folder, as deep as it goes."""
    return frozenset(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
