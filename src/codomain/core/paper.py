"""The papers whose methods live here: one record each in papers.toml, the only place for what they are called."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from codomain.core.errors import UserError

FILE = Path(__file__).parents[1] / "papers.toml"


@cache
def _records(path: Path) -> dict[str, dict[str, Any]]:
    """Read the file once."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Paper:
    """Where a method comes from.

    Parameters
    ----------
    slug : str
        Short name, also the file's name with `-` for `_`.
    title : str
        The paper's title.
    year : int
        Year of its first version.
    authors : str, default=""
        Surnames, shortened to "First et al." from three on.
    arxiv : str, default=""
        Its arXiv identifier, empty when it is not there.
    theirs : str, default=""
        The paper's own main number with its setting, empty when none is quoted.
    """

    slug: str
    title: str
    year: int
    authors: str = ""
    arxiv: str = ""
    theirs: str = ""

    @classmethod
    def get(cls, slug: str) -> "Paper":
        """Return the record of a slug; UserError when papers.toml has none."""
        if slug not in _records(FILE):
            raise UserError(f"papers.toml has no record {slug!r}.", todo=f"codomain new ROOM {slug} --title ...")
        return cls(slug=slug, **_records(FILE)[slug])

    @classmethod
    def every(cls) -> "list[Paper]":
        """Return all records, in order of slug."""
        return [cls.get(slug) for slug in sorted(_records(FILE))]

    @property
    def cite(self) -> str:
        """The line that a docstring's References section holds, as in "Moschella et al. (2022), arXiv:2209.15430."."""
        where = f"arXiv:{self.arxiv}" if self.arxiv else self.title
        return f"{self.authors or self.title} ({self.year}), {where}."
