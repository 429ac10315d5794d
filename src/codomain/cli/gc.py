"""The command that frees the bytes of old generations."""

from typing import Annotated

import typer

import codomain
from codomain.cli.options import SpacePath


def gc(
    space: SpacePath,
    keep: Annotated[int, typer.Option(min=1, help="Generations to keep.")] = 1,
) -> None:
    """Remove files that no kept generation uses."""
    print(f"{codomain.open(space).gc(keep=keep):,} bytes freed")
