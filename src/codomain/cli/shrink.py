"""The command that makes the smallest form of a space."""

from typing import Annotated

import typer

from codomain.cli.options import AsRecord, ReportPath, SpacePath
from codomain.cli.printing import console, print_json
from codomain.core import say


def shrink(
    space: SpacePath,
    recall: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Share of the true nearest rows that must come back.")
    ] = 0.95,
    max_bytes: Annotated[
        float | None, typer.Option("--bytes", min=1, help="Most bytes for each row, everything counted.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="The form of which a search reads least, instead of the smallest.")
    ] = False,
    report: ReportPath = None,
    as_json: AsRecord = False,
) -> None:
    """Make the smallest form that is proved to keep a recall, show what each size keeps, and seal it."""
    from codomain.workbench import shrink_space as run

    done = run(space, recall=recall, bytes=max_bytes, fewest="scan_bytes" if fast else "bytes", report=report)
    if as_json:
        print_json(done.to_dict())
        return
    console().print(done)
    print(f"report: {done.report}")
    say(f"sealed in {space}")
