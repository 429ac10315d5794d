"""The command that returns to an earlier generation."""

from typing import Annotated

import typer

import codomain
from codomain.cli.options import SpacePath


def rollback(
    space: SpacePath, generation: Annotated[int, typer.Argument(help="A number that `codomain log` shows.")]
) -> None:
    """Return to an earlier generation; it becomes a new one, so this can be undone too."""
    print(codomain.open(space).rollback(generation))
