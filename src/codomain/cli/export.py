"""The command that writes a person's own table with the new columns, into a file or a vector store."""

from pathlib import Path
from typing import Annotated

import typer

import codomain
from codomain.cli.options import AsRecord, SpacePath
from codomain.cli.printing import print_json


def export(
    space: SpacePath,
    out: Annotated[Path | None, typer.Argument(metavar="FILE", help="Ends in .parquet or .csv.")] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Instead of FILE a store, with the vectors: lance:FOLDER#TABLE, qdrant:http://HOST:PORT#COLLECTION, "
            "postgres://USER@HOST:PORT/DATABASE#TABLE, faiss:FILE.faiss.",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Only rows where this holds, as in `codomain search`; also on what the study found."),
    ] = None,
    rows: Annotated[str | None, typer.Option(help="Only rows with these numbers, from 0, such as 1,5-9.")] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace FILE even when the space was made from it, or what is in the store."),
    ] = False,
    as_json: AsRecord = False,
) -> None:
    """Write your own table with the new columns: group, its name, place on the map, flags.

    In csv, lists and structs are JSON text. A store is checked before the rows are put in place: their number, and for
    20 of them whether it finds the same nearest rows as an exact search.
    """
    from codomain.workbench import export_space as run

    opened = codomain.open(space)
    if to is not None and out is None and where is None and rows is None:
        done = run(opened, to=to, force=force)
        print_json(done.to_dict()) if as_json else print(done)
    else:  # refuses a file and a store, neither, and some rows for a store
        wrote = run(opened, out, to=to, where=where, rows=rows, force=force)  # type: ignore[call-overload]
        print_json({"to": str(wrote)}) if as_json else print(wrote)
