"""What Debian's packages are for, in the words of those who keep them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from codomain.core import UserError
from codomain.core.needs import cache_folder
from codomain.data.identity import ABSENT, hash_files

LISTS = Path("/var/lib/apt/lists")
DESCRIPTIONS, PACKAGES = "*_main_i18n_Translation-en*", "*_main_binary-*_Packages*"
_TAGS = re.compile(r"([^\s,:]+)::(\{[^}]*\}|[^\s,]+)")  # facet::tag, or facet::{tag,tag}
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("package", "source", "section", "summary", "text")]
    + [("tags", pa.list_(pa.string()))]
)
HELPER = "/usr/lib/apt/apt-helper"  # apt's own reader of the forms that its lists are packed in


def debian_descriptions(lists: str | Path | None = None) -> pa.Table:
    """Return packages with their descriptions in English, where they are filed and what people tagged them with.

    Parameters
    ----------
    lists : str or Path, default=None
        Folder of apt's lists. None takes apt-lists in the user's cache (~/.cache/codomain) where it is a folder, and
        else /var/lib/apt/lists, where many machines have no descriptions.

    Returns
    -------
    pyarrow.Table
        Columns `package`, `source` (the source package that it is built from), `section`, `summary` (one line), `text`
        (summary and description) and `tags` (list of debtags, sorted, as in use::gameplaying), sorted by package.

    Raises
    ------
    UserError
        When the list of packages or that of descriptions is not in the folder.
    """
    folder = _folder(lists)
    words = {
        (stanza["Package"], stanza.get("Description-md5", "")): stanza["Description-en"]
        for stanza in _stanzas(_list(folder, DESCRIPTIONS))
        if "Description-en" in stanza
    }
    rows = {}
    for stanza in _stanzas(_list(folder, PACKAGES)):
        name = stanza["Package"]
        text = words.get((name, stanza.get("Description-md5", "")))
        if text and "Section" in stanza:
            summary, _, long = text.partition("\n")
            long = "\n".join("" if line == "." else line for line in long.split("\n"))
            rows[name] = dict(
                package=name, source=stanza.get("Source", name).split()[0], section=stanza["Section"], summary=summary,
                text=f"{summary}\n{long}".strip(), tags=_tags(stanza.get("Tag", "")),
            )  # fmt: skip
    return pa.Table.from_pylist([rows[name] for name in sorted(rows)], schema=_SCHEMA)


def identity(lists: str | Path | None = None) -> str:
    """Return a hash of the two lists that are read, 16 hex digits, or "absent"."""
    try:
        return hash_files(*(_list(_folder(lists), pattern) for pattern in (DESCRIPTIONS, PACKAGES)))
    except UserError:
        return ABSENT


def _folder(lists: str | Path | None) -> Path:
    """Return the folder that is read."""
    if lists is not None:
        return Path(lists)
    own = cache_folder() / "apt-lists"
    return own if own.is_dir() else LISTS


def _tags(field: str) -> list[str]:
    """Write out tags that share a facet, as in devel::{lang:c,library}."""
    found = {f"{facet}::{tag.strip()}" for facet, tags in _TAGS.findall(field) for tag in tags.strip("{}").split(",")}
    return sorted(found)


def _list(folder: Path, pattern: str) -> Path:
    """Return the list of the release itself, not of its updates."""
    found = [path for path in sorted(folder.glob(pattern)) if not re.search("updates|security", path.name)]
    if not found:
        raise UserError(
            f"No file like {pattern} is in {folder}.",
            needed="apt's lists with descriptions in English",
            todo=f"mkdir -p {folder.absolute()}/partial, then "
            f"apt-get -o Acquire::Languages=en -o Dir::State::lists={folder.absolute()} update",
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
