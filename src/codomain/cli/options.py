"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

SpacePath = Annotated[Path, typer.Argument(metavar="SPACE", help="The folder that `codomain study` wrote.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a list of records.")]
AsRecord = Annotated[bool, typer.Option("--json", help="Print one record.")]
ReportPath = Annotated[
    Path | None, typer.Option("--report", help="Where to write the report (default: SPACE-report.html).")
]
DropEmpty = Annotated[
    bool, typer.Option("--drop-empty", help="Leave out rows without text, however many; up to 5 % are anyway.")
]
