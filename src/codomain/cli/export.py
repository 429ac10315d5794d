"""The command that writes a person's own table with the new columns."""

from pathlib import Path
from typing import Annotated

import typer

import codomain
from codomain.cli.options import SpacePath


def export(
    space: SpacePath,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .parquet or .csv.")],
    where: Annotated[
        str | None,
        typer.Option(help="Only rows where this holds, as in `codomain search`; also on what the study found."),
    ] = None,
    rows: Annotated[str | None, typer.Option(help="Only rows with these numbers, from 0, such as 1,5-9.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE even when the space was made from it.")] = False,
) -> None:
    """Write your own table with the new columns: group, its name, place on the map, flags.

    In csv, lists and structs are JSON text.
    """
    from codomain.workbench import export_space as run

    if where is not None or rows is not None:
        from codomain.workbench import export_rows

        print(export_rows(codomain.open(space), out, where=where, rows=rows, force=force))
        return
    print(run(codomain.open(space), out, force=force))
