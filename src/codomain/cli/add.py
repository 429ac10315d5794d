"""The command that appends rows to a space."""

from pathlib import Path
from typing import Annotated

import typer

from codomain.cli.options import AsRecord, DropEmpty, ReportPath, SpacePath
from codomain.cli.printing import print_study


def add(
    space: SpacePath,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="New rows with the same columns.")],
    report: ReportPath = None,
    drop_empty: DropEmpty = False,
    as_json: AsRecord = False,
) -> None:
    """Append rows: only they are encoded, ids and order stay, every stage is brought up to date.

    Run it again after Ctrl-C or a crash: it goes on where it was. The rows of one file are never added twice.
    """
    from codomain.workbench import add as run

    print_study(run(space, source, report=report, drop_empty=drop_empty), as_json=as_json)
