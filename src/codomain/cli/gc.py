"""The command that frees the bytes of old generations."""

import shlex
import sys
from typing import Annotated

import typer

import codomain
from codomain.cli.options import AsRecord, SpacePath
from codomain.cli.printing import print_json, size
from codomain.core import UserError


def gc(
    space: SpacePath,
    keep: Annotated[
        int, typer.Option(min=1, help="States of the rows to keep: 2 leaves the way back to before they last changed.")
    ] = 2,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking, as in a script.")] = False,
    as_json: AsRecord = False,
) -> None:
    """Say which files no kept generation needs, and remove them after a yes.

    Only files that the space made are listed. With --json and without --yes nothing is removed.
    """
    opened = codomain.open(space)
    found = opened.garbage(keep)
    if as_json:
        freed = opened.gc(keep) if yes else 0
        record = {"kept": found.kept, "forgotten": found.forgotten, "files": found.files}
        print_json({**record, "bytes": found.bytes, "freed": freed})
        return
    for name, count in found.files.items():
        print(f"{size(count):>9}  {name}")
    print(
        f"{len(found.files):,} files, {size(found.bytes)}, are needed by nothing but {len(found.forgotten):,} old "
        f"generations. Generations {', '.join(map(str, found.kept))} stay."
        if found.files
        else f"Nothing to remove: generations {', '.join(map(str, found.kept))} need every file."
    )
    if not found.files:
        return
    if not yes and not sys.stdin.isatty():
        raise UserError(
            "Nothing was removed, because nobody can be asked here.",
            todo=f"codomain gc {shlex.quote(str(space))} --keep {keep} --yes",
        )
    if yes or typer.confirm("Remove them?", err=True):
        print(f"{size(opened.gc(keep))} freed.")
    else:
        print("Nothing was removed.")
