"""Which data a machine has: a short hash or a version, so that a result can say what it was measured on."""

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

ABSENT = "absent"


@cache
def hash_files(*paths: Path) -> str:
    """Return the first 16 hex digits of the sha256 of files one after another, or "absent" when one is missing."""
    if not all(path.is_file() for path in paths):
        return ABSENT
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: whole)
    return whole.hexdigest()[:16]


def package_version(name: str) -> str:
    """Return name and version of an installed package, or "absent"."""
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return ABSENT
