"""The command that writes a person's own table with the new columns."""

from pathlib import Path
from typing import Annotated

import typer

import codomain
from codomain.cli.options import SpacePath


def export(
    space: SpacePath,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .parquet or .csv.")],
) -> None:
    """Write your own table with the new columns: group, its name, place on the map, flags."""
    from codomain.workbench import export_space as run

    print(run(codomain.open(space), out))
