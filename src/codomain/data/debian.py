"""What Debian's packages are for, in the words of those who keep them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from codomain.core import UserError
from codomain.data.identity import ABSENT, hash_files

LISTS = Path("/var/lib/apt/lists")
DESCRIPTIONS, PACKAGES = "*_main_i18n_Translation-en*", "*_main_binary-*_Packages*"
HELPER = "/usr/lib/apt/apt-helper"  # apt's own reader of the forms that its lists are packed in


def debian_descriptions(lists: str | Path = LISTS) -> pa.Table:
    """Return packages with their descriptions in English and the section that each is filed under.

    Parameters
    ----------
    lists : str or Path, default="/var/lib/apt/lists"
        Folder of apt's lists.

    Returns
    -------
    pyarrow.Table
        Columns `package`, `section`, `summary` (one line) and `text` (summary and description), sorted by package.

    Raises
    ------
    UserError
        When the list of packages or that of descriptions is not in the folder.
    """
    folder = Path(lists)
    words = {
        (stanza["Package"], stanza.get("Description-md5", "")): stanza["Description-en"]
        for stanza in _stanzas(_list(folder, DESCRIPTIONS))
        if "Description-en" in stanza
    }
    rows = {}
    for stanza in _stanzas(_list(folder, PACKAGES)):
        text = words.get((stanza["Package"], stanza.get("Description-md5", "")))
        if text and "Section" in stanza:
            summary, _, long = text.partition("\n")
            long = "\n".join("" if line == "." else line for line in long.split("\n"))
            text = f"{summary}\n{long}".strip()
            rows[stanza["Package"]] = dict(
                package=stanza["Package"], section=stanza["Section"], summary=summary, text=text
            )
    return pa.Table.from_pylist([rows[name] for name in sorted(rows)])


def identity(lists: str | Path = LISTS) -> str:
    """Return a hash of the two lists that are read, 16 hex digits, or "absent"."""
    try:
        return hash_files(*(_list(Path(lists), pattern) for pattern in (DESCRIPTIONS, PACKAGES)))
    except UserError:
        return ABSENT


def _list(folder: Path, pattern: str) -> Path:
    """Return the list of the release itself, not of its updates."""
    found = [path for path in sorted(folder.glob(pattern)) if not re.search("updates|security", path.name)]
    if not found:
        raise UserError(
            f"No file like {pattern} is in {folder}.",
            needed="apt's lists with descriptions in English",
            todo=f"apt-get -o Acquire::Languages=en -o Dir::State::lists={folder.absolute()} update",
        )
    return found[0]


def _stanzas(path: Path) -> Iterator[dict[str, str]]:
    """Yield the fields of each package; lines that begin with a space go on with the field above."""
    if path.suffix in {".lz4", ".xz", ".gz"}:
        done = subprocess.run([HELPER, "cat-file", str(path)], capture_output=True, check=True)
        text = done.stdout.decode("utf-8", "replace")
    else:
        text = path.read_text(encoding="utf-8", errors="replace")
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line[:1] in (" ", "\t"):
                fields[key] += "\n" + line[1:]
            else:
                key, _, value = line.partition(":")
                fields[key] = value.strip()
        if "Package" in fields:
            yield fields
