"""The papers whose methods live here; each method's record is the only place for what its paper is called."""

from dataclasses import dataclass

from codomain.core import records


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
        """Return the paper of a slug; UserError when no room has a record of it."""
        table = records.read(records.find(slug))
        return cls(slug, **{key: table[key] for key in records.PAPER})

    @property
    def cite(self) -> str:
        """The line that a docstring's References section holds, as in "Moschella et al. (2022), arXiv:2209.15430."."""
        where = f"arXiv:{self.arxiv}" if self.arxiv else self.title
        return f"{self.authors or self.title} ({self.year}), {where}."
