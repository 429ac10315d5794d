"""The command that compares two spaces."""

from pathlib import Path
from typing import Annotated

import typer

from codomain.cli.options import AsRecord
from codomain.cli.printing import console, print_json
from codomain.core import say


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A space, or a file of vectors.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one with the same items, paired by their ids.")],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one file with both maps side by side, and every row.")
    ] = None,
    as_json: AsRecord = False,
) -> None:
    """Are they the same space? Beside what chance gives; which rows and which groups differ most."""
    from codomain.workbench import compare_spaces as run

    done = run(a, b)
    if as_json:
        print_json(done.to_dict())
    else:
        console(markup=True).print(done)
    if html:
        say(f"page: {done.write(html)}")
