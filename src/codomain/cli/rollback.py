"""The command that returns to an earlier generation."""

import shlex
from typing import Annotated

import typer

import codomain
from codomain.cli.options import AsRecord, SpacePath
from codomain.cli.printing import local_time, one_line, print_json


def rollback(
    space: SpacePath,
    generation: Annotated[int, typer.Argument(help="A number that `codomain log` shows.")],
    as_json: AsRecord = False,
) -> None:
    """Return to an earlier generation; it becomes a new one, so this can be undone too."""
    before = codomain.open(space)
    after = before.rollback(generation)
    if as_json:
        print_json({"generation": after.generation, "from": before.generation, "to": generation, "rows": len(after)})
        return
    old = next(entry for entry in after.log() if entry.number == generation)
    print(
        f"{space} is as it was in generation {generation}: {len(after):,} rows, written {local_time(old.when)} "
        f"({one_line(old.note)}). This is generation {after.generation}."
    )
    print(f"To undo it: codomain rollback {shlex.quote(str(space))} {before.generation}")
