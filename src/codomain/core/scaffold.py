"""Begin a method: everything that a new one needs, with an honest gap where its maths and its claim will be."""

import ast
import keyword
import re
import textwrap
from pathlib import Path

from codomain.core import records
from codomain.core.catalogue import NOT_ROOMS, rooms
from codomain.core.errors import UserError
from codomain.core.sealed import replace_atomically

_FILE = '''"""{title}."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Method, Paper, Seed, Trial, claim


class {name}(Method):
    """One line: what it does for the person who uses it.

    The maths, at most three lines.

    Parameters
    ----------
    random_state : int, RandomState or None, default=None
        Seed.

    Notes
    -----
    Say in one sentence against what this file was checked: it begins with "Checked against" and goes on with "the
    authors' code" and where it is, "the paper's text" or "the abstract only"; then what differs, and why. Whoever reads
    it after you adds what they found, and the change that they tried to break the claim with: "Second reading: ...".

    References
    ----------
{cite}
    """

    paper = Paper.get("{slug}")
    rules: ClassVar = {{"random_state": Seed()}}
    small: ClassVar = {{"random_state": 0}}

    def __init__(self, random_state: Any = None) -> None:
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn from X, of shape (n_samples, n_features); y is ignored."""
        self._check_params()
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32))
        raise NotImplementedError(f"{name} is not written yet: it got {{len(data)}} rows.")

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Say what comes out, with its shape and its unit."""
        check_is_fitted(self)
        raise NotImplementedError("{name} is not written yet.")


@claim(
    {name}, unit="say the unit and its range", margin=0.01, seconds=30, says="not written yet",
    premise="what these data must show, without this method, for its effect to be possible", least=0.05,
    floor="the paper's own rival, with the same data and budget", peer="the strongest simple way without it",
)  # fmt: skip
def {function}(seed: int) -> Trial:
    """Say on which data, and what of the setting is as published.

    Return Trial(ours=..., floor=..., peer=..., chance=..., premise=...) with one score for each row, query or episode.
    """
    raise NotImplementedError("The claim of {slug} is not written yet, so it has no verdict.")
'''

_TEST = '''"""What is true of {name} and of nothing else."""

from codomain.{room} import {name}


def test_{file}_has_a_case_by_hand():
    # Replace this by a case whose answer you worked out on paper, and add a law that hypothesis can attack.
    assert {name}().fit([[0.0, 1.0], [1.0, 0.0]]).transform([[1.0, 1.0]]) is not None
'''

_ROOM = '''"""Say here what people come to the room {room} for."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
'''

# Git merges the lines of two people by union, so their order is free: .gitattributes.
_EXPORTS = "# ruff: isort: skip_file"


def scaffold(
    room: str, slug: str, *, title: str, year: int, arxiv: str = "", authors: str = "", root: Path | None = None
) -> list[Path]:
    """Write what a new method needs into a checkout.

    Parameters
    ----------
    room : str
        Package of the method; it is made when it does not exist.
    slug : str
        Short name of the paper in lower case, words joined by "-".
    title, authors : str
        The paper's title and the surnames of who wrote it.
    year : int
        Year of its first version.
    arxiv : str, default=""
        Its arXiv identifier.
    root : Path, default=None
        The checkout; None takes the one that this package runs from.

    Returns
    -------
    list of Path
        Files written or changed.

    Raises
    ------
    UserError
        When the names cannot be used or are taken, the room is another part of the package, or there is no checkout.
    """
    root = root or Path(__file__).parents[3]
    package = root / "src" / "codomain"
    if not (root / "pyproject.toml").exists() or not package.is_dir():
        raise UserError(f"{root} is not a checkout of this project.", todo="clone it, pip install -e . and try again")
    file = slug.replace("-", "_")
    name = "".join(part.capitalize() for part in slug.split("-"))
    _check_names(package, room, slug, name)
    if arxiv and not re.fullmatch(r"\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}", arxiv):
        raise UserError(f"{arxiv!r} is no arXiv identifier.", needed="e.g. 2209.15430, without 'arXiv:' and version")

    cite = f"{authors or title} ({year}), {f'arXiv:{arxiv}' if arxiv else title}."
    fields = {
        "title": textwrap.shorten(title.rstrip(".").replace('"', "'").replace("\\", ""), 100),
        "name": name, "slug": slug, "room": room, "file": file, "function": f"claim_of_{file}",
        "cite": textwrap.fill(cite.replace("\\", ""), 110, initial_indent="    ", subsequent_indent="    "),
    }  # fmt: skip
    paper = {"title": title, "year": year, "authors": authors, "arxiv": arxiv, "theirs": ""}
    init, exports = package / room / "__init__.py", package / room / "__init__.pyi"
    written = {
        package / room / "records" / f"{slug}.toml": records.to_toml({"object": name, **paper}),
        package / room / f"{file}.py": _FILE.format(**fields),
        **({} if init.exists() else {init: _ROOM.format(room=room)}),
        exports: _with_export(exports, file, name),
        root / "tests" / room / f"test_{file}.py": _TEST.format(**fields),
        root / "news" / f"{slug}.added.md": f"`codomain.{room}.{name}`: {title.rstrip('.')} ({year}).\n",
    }
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_atomically(path, text.encode())
    return list(written)


def _check_names(package: Path, room: str, slug: str, name: str) -> None:
    """Refuse a room or a slug that cannot be used or is taken, before anything is written."""
    file = slug.replace("-", "_")
    forms = {"room": (room, r"[a-z][a-z0-9_]*"), "slug": (slug, r"[a-z][a-z0-9]*(-[a-z0-9]+)*")}
    for what, (word, form) in forms.items():
        if not re.fullmatch(form, word) or keyword.iskeyword(word):
            raise UserError(
                f"{what} {word!r} cannot be a Python name.", needed="small letters and digits, a slug joined by '-'"
            )
    known = rooms(package)
    others = NOT_ROOMS | _exported(package / "__init__.pyi")
    if room not in known and (room in others or _taken(package / room)):
        raise UserError(
            f"{room!r} is another part of the package, not a room.", needed=f"{', '.join(known)}, or a new verb"
        )
    exports = _exported(package / room / "__init__.pyi") if room in known else set()
    taken = name in exports or file in {"records", "shared"} or _taken(package / room / file)
    if taken or list(package.glob(f"*/records/{slug}.toml")):
        raise UserError(f"{slug!r} is there already.", todo="choose another slug or edit what is there")


def _taken(path: Path) -> bool:
    """Say whether a module or folder has this name."""
    return path.exists() or path.with_suffix(".py").exists()


def _exported(stub: Path) -> set[str]:
    """Return the names that an `__init__.pyi` exports."""
    lines = ast.parse(stub.read_text(encoding="utf-8")).body
    return {str(alias.asname) for line in lines if isinstance(line, ast.ImportFrom) for alias in line.names}


def _with_export(stub: Path, file: str, name: str) -> str:
    """Return a room's `__init__.pyi` with one more line, before the first whose module comes later."""
    lines = stub.read_text(encoding="utf-8").splitlines() if stub.exists() else [_EXPORTS]
    later = (place for place, line in enumerate(lines) if line.startswith("from .") and line.split()[1] > f".{file}")
    lines.insert(next(later, len(lines)), f"from .{file} import {name} as {name}")
    return "\n".join(lines) + "\n"
