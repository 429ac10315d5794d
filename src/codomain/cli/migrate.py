"""The command that moves a space to another encoder."""

import shlex
from typing import Annotated

import typer

from codomain.cli.options import AsRecord, SpacePath
from codomain.cli.printing import console, print_json
from codomain.core import say


def migrate(
    space: SpacePath,
    to: Annotated[
        str,
        typer.Option(
            metavar="ENCODER|FILE", help="The new encoder, or a space or file with its vectors for these rows."
        ),
    ],
    encoder: Annotated[str | None, typer.Option(help="What made the vectors of FILE; tried on eight rows.")] = None,
    pairs: Annotated[
        int | None, typer.Option(min=60, help="Rows to encode for the bridge (default: a fifth, 500 to 2,000).")
    ] = None,
    keep: Annotated[
        float, typer.Option(min=0, max=1, help="Least recall among all rows; refused when its interval reaches lower.")
    ] = 0.8,
    reencode: Annotated[
        float, typer.Option(min=0, max=1, help="Share of all rows to encode again, the most doubtful first.")
    ] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, and write nothing.")] = False,
    study: Annotated[bool, typer.Option(help="Bring the rest of a studied space up to date afterwards.")] = True,
    as_json: AsRecord = False,
) -> None:
    """Query with another encoder without encoding everything again: rows are bridged, and it is said what that keeps.

    A sample is encoded with the new encoder, bridges are fitted on some of it and measured on the rest. Groups with
    their names, labels and the map are carried. `codomain rollback` undoes it. Run it again after Ctrl-C or a crash:
    it goes on where it was.
    """
    from codomain.workbench import migrate_space as run
    from codomain.workbench.migrate.shown import MigrationRefused, draw

    try:
        done = run(
            space, to, encoder=encoder, pairs=pairs, keep=keep, reencode=reencode, dry_run=dry_run, study=study
        )  # fmt: skip
    except MigrationRefused as refused:
        screen = console(stderr=True)
        for line in draw(refused.measured):
            screen.print(line)
        raise
    if as_json:
        print_json(done.to_dict())
        return
    console().print(done)
    if dry_run:
        say("nothing has been written: this was a dry run")
        return
    for row in done.worst[:5]:
        print(f"encode first: {row['id']} (expected error {row['doubt']:.2f})")
    say(f"undo: codomain rollback {shlex.quote(str(space))} {done.before}")
