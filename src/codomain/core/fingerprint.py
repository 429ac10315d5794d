"""What a claim's verdict depends on, as three short hashes: its code, its data and its libraries.

Nothing is imported to find the code: imports are read from the source, so it is the same on every Python.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
# Files that touch arrays and still cannot change a score, each with the reason.
HARMLESS = {
    "core/npy.py": "gives arrays back byte for byte",
    "core/sealed.py": "reads bytes as they were sealed or refuses them",
    "core/verdicts.py": "takes means of the scores that a claim returns",
    "encode/encoders/endpoint.py": "no claim calls an address",
}
# Files that no score can depend on: they name, print, refuse, record or start things, and hold no numerics.
LEFT_OUT = (
    "core/catalogue.py", "core/claim_run.py", "core/claims.py", "core/errors.py", "core/extras.py",
    "core/fingerprint.py", "core/identity.py", "core/json_values.py", "core/locks.py", "core/needs.py",
    "core/pages.py", "core/paper.py", "core/progress.py", "core/records.py", "core/rules.py",
    "core/scaffold.py", "core/server.py", *HARMLESS,
)  # fmt: skip
PARTS = ("code", "data", "libraries")


@dataclass(frozen=True)
class Source:
    """One file as others depend on it.

    Parameters
    ----------
    hash : str
        Of its code, without words.
    imports : frozenset of (str, str)
        Module and name, "" for the module itself, of what it imports from this package.
    beside : frozenset of Path
        Files next to it that are no Python and whose names stand in its code.
    """

    hash: str
    imports: frozenset[tuple[str, str]]
    beside: frozenset[Path]


def fingerprint(module: str, versions: Mapping[str, str], package: Path = PACKAGE) -> dict[str, str]:
    """Return the hashes of what the claim in a module depends on.

    Parameters
    ----------
    module : str
        The module that holds the claim, as in "codomain.align.procrustes".
    versions : mapping of str to str
        Libraries that the claim loads; Python's own version does not count.
    package : Path, default=PACKAGE
        Folder of this package's source.

    Returns
    -------
    dict of str to str
        "code", "data" and "libraries", 16 hex digits each.
    """
    files = closure(module, package)
    code = [(_name(path, package), source.hash) for path, source in files.items()]
    data = [(_name(path, package), _identity(path.stem)) for path in files if path.parent == package / "data"]
    beside = {path for source in files.values() for path in source.beside}
    data += [(_name(path, package), hashlib.sha256(path.read_bytes()).hexdigest()) for path in beside]
    libraries = [(name, held) for name, held in versions.items() if name != "python"]
    return {part: _hash(sorted(rows)) for part, rows in zip(PARTS, (code, data, libraries), strict=True)}


def changed(module: str, recorded: Mapping[str, str], versions: Mapping[str, str], package: Path = PACKAGE) -> str:
    """Say what a recorded verdict depends on and has changed since; "" when nothing has.

    Parameters
    ----------
    module : str
        The module that holds the claim.
    recorded : mapping of str to str
        The fingerprint beside the verdict.
    versions : mapping of str to str
        Libraries that were loaded when it was recorded.
    package : Path, default=PACKAGE
        Folder of this package's source.
    """
    if set(recorded) != set(PARTS):
        return "its record has no fingerprint"
    now = installed(versions)
    found = fingerprint(module, now, package)
    words = [f"its {part} changed" for part in ("code", "data") if found[part] != recorded[part]]
    moved = [
        f"{name} {held} is now {now[name]}" for name, held in versions.items() if name in now and now[name] != held
    ]
    if found["libraries"] != recorded["libraries"]:
        words.append(", ".join(moved) or "its libraries changed")
    return "; ".join(words)


def installed(versions: Iterable[str]) -> dict[str, str]:
    """Return the versions that libraries have here, "absent" where one is not installed; Python is left out."""
    found = {}
    for name in versions:
        if name != "python":
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = "absent"
    return found


def unseen(module: str, files: Iterable[str], package: Path = PACKAGE) -> list[str]:
    """Return those of the files that a claim ran which `closure` does not know of; none, unless an import is hidden.

    Parameters
    ----------
    module : str
        The module that holds the claim.
    files : iterable of str
        Paths of this package's files that its run loaded.
    package : Path, default=PACKAGE
        Folder of this package's source.
    """
    known = set(closure(module, package))
    loaded = {Path(file) for file in files} - known
    return sorted(_name(path, package) for path in loaded if _counts(path, package))


def closure(module: str, package: Path = PACKAGE) -> dict[Path, Source]:
    """Return every file of the package that the claim in a module can run, except those of LEFT_OUT.

    A file that others bring in counts without its own claim, which only runs when that is the claim in question.
    """
    start = next(files_of(module, "", package))  # the module's own file comes first
    found: dict[Path, Source] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in found or not _counts(path, package):
            continue
        found[path] = _source(path, path.stat().st_mtime_ns, path == start)
        for name in found[path].imports:
            waiting.extend(files_of(*name, package))
    return found


def _counts(path: Path, package: Path) -> bool:
    """Whether a score can depend on a file; an __init__.py with a stub only says where names live."""
    return _name(path, package) not in LEFT_OUT and not (
        path.name == "__init__.py" and path.with_suffix(".pyi").exists()
    )


def _name(path: Path, package: Path) -> str:
    """Return a file's name inside the package."""
    return path.relative_to(package).as_posix()


def _hash(rows: Any) -> str:
    """Return 16 hex digits."""
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def _identity(module: str) -> str:
    """Return what a module of codomain.data says its data are, "" when it reads none."""
    says = getattr(import_module(f"codomain.data.{module}"), "identity", None)
    return _said(says) if says else ""


@cache
def _said(says: Callable[[], str]) -> str:
    """Ask once; some of them hash a file of many megabytes."""
    return says()


def files_of(module: str, name: str, package: Path) -> Iterator[Path]:
    """Yield the files that `from module import name` runs: the module's, its packages', and the one with the name."""
    place = package.joinpath(*module.split(".")[1:])
    if (file := place.with_suffix(".py")).exists():
        yield file
    for folder in (place, *place.parents):
        if folder.is_relative_to(package) and (init := folder / "__init__.py").exists():
            yield init
    stub = place / "__init__.pyi"
    homes = _homes(stub, stub.stat().st_mtime_ns) if stub.exists() else {}
    if name in homes:
        yield from files_of(f"{module}{homes[name]}", "", package)
    elif name and ((place / name).is_dir() or (place / f"{name}.py").exists()):
        yield from files_of(f"{module}.{name}", "", package)
    elif homes and not name:  # the package itself: any of its names may be meant
        for home in homes.values():
            yield from files_of(f"{module}{home}", "", package)


@cache
def _homes(stub: Path, when: int) -> dict[str, str]:
    """Return, for each public name in a stub, the module that defines it, as in ".shared.record"."""
    lines = [node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: f".{line.module}" for line in lines for alias in line.names}


@cache
def _source(path: Path, when: int, with_claim: bool) -> Source:
    """Read a file once for each time that it was written."""
    reader = _Reader(with_claim)
    code = reader.read(ast.parse(path.read_text(encoding="utf-8")))
    names = reader.strings & {file.name for file in path.parent.iterdir() if file.suffix not in {"", ".py", ".pyi"}}
    return Source(_hash(code), frozenset(reader.imports), frozenset(path.parent / name for name in names))


class _Reader:
    """Turn a syntax tree into lists that every Python from 3.11 on writes alike, and note what it imports.

    What cannot change a score is left out: docstrings, messages of errors, what `@claim` says, imports for types alone.
    """

    def __init__(self, with_claim: bool) -> None:
        self.with_claim = with_claim
        self.imports: set[tuple[str, str]] = set()
        self.strings: set[str] = set()

    def read(self, node: Any) -> Any:
        """Return lists of strings; empty fields are left out, as newer Pythons have more of them."""
        if isinstance(node, list):
            return [self.read(one) for one in node if not self._skips(one)]
        if not isinstance(node, ast.AST):
            return ascii(node)
        if isinstance(node, ast.Constant):
            self.strings.add(str(node.value))
            return ascii(node.value)
        if isinstance(node, ast.Import):
            self._imports((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            self._imports((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            return ["Raise", self.read(node.exc.func)]
        elif isinstance(node, ast.JoinedStr):
            return ["JoinedStr", *self._joined(node)]
        fields = ((name, getattr(node, name, None)) for name in node._fields)
        return [type(node).__name__, *([name, self.read(one)] for name, one in fields if one is not None and one != [])]

    def _imports(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Note what comes from this package."""
        self.imports.update(pair for pair in pairs if pair[0].split(".")[0] == "codomain")

    def _skips(self, node: Any) -> bool:
        """Whether an element of a list, mostly a statement, cannot change a score."""
        if isinstance(node, ast.FunctionDef) and not self.with_claim:
            return any(_is_claim(mark) for mark in node.decorator_list)
        if isinstance(node, ast.If):
            return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" and not node.orelse
        return _is_claim(node) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))

    def _joined(self, node: ast.JoinedStr) -> list[Any]:
        """Return an f-string's parts; some Pythons cut its text into more pieces than others."""
        parts: list[Any] = [""]
        for value in node.values:
            if isinstance(value, ast.Constant) and isinstance(parts[-1], str):
                parts[-1] += str(value.value)
            else:
                parts.append(value.value if isinstance(value, ast.Constant) else self.read(value))
        return [part for part in parts if part != ""]


def _is_claim(node: Any) -> bool:
    """Whether this is the call in `@claim(...)`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "claim"
