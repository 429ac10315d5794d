"""The command that labels a space from few examples."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from codomain.cli.options import AsRecord, SpacePath
from codomain.cli.printing import console, print_json
from codomain.core import UserError, say


def label(
    space: SpacePath,
    source: Annotated[
        Path | None, typer.Option("--from", help="csv, tsv, json, jsonl or parquet with the ids and a label column.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column with the labels, of that file or of the space.")] = None,
    ask: Annotated[int | None, typer.Option(min=0, help="Ask for so many labels; 0: for none, label again.")] = None,
    classes: Annotated[str | None, typer.Option(help="The classes there are, with commas between them.")] = None,
    merge_spellings: Annotated[
        bool | None,
        typer.Option(
            "--merge-spellings/--keep-spellings",
            help="Whether labels that differ only in capitals, blanks or Unicode form are one class (default: asked "
            "on a terminal, kept apart elsewhere).",
        ),
    ] = None,
    risk: Annotated[
        float, typer.Option(min=0.001, max=0.999, help="Share of rows whose possible classes may lack the right one.")
    ] = 0.1,
    to: Annotated[
        Path | None, typer.Option("--apply", help="Label this other space of the same encoder with SPACE's head.")
    ] = None,
    head: Annotated[
        Path | None, typer.Option("--head", help="Label SPACE with the head of this other labelled space.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write ids and labels too: .csv or .parquet.")] = None,
    as_json: AsRecord = False,
) -> None:
    """Few labels in, from a file or typed one by one; calibrated labels for every row out.

    Without --from and without a label column it asks, and chooses what to ask: a key for each class, n for a new one,
    s to skip, u to undo, q to stop and keep. Every answer is on the disk at once; type the same command to go on.
    """
    from codomain.workbench import apply_head, export_labels
    from codomain.workbench import label_space as run

    if to is not None and head is not None:
        raise UserError("--apply and --head came together.", needed="one of them: the other way round is the same")
    carried = to is not None or head is not None
    if carried and (source, column, ask, classes, merge_spellings) != (None,) * 5:
        raise UserError("--apply and --head take the labels that are there.", todo="label first, then apply")
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise UserError(f"{out} ends in {out.suffix!r}.", needed="a file that ends in .parquet or .csv")
    names = [name.strip() for name in classes.split(",") if name.strip()] if classes else None
    if carried:
        done = apply_head(head or space, to or space, risk=risk)
    else:
        done = run(space, labels=source, column=column, ask=ask, classes=names,
                   merge_spellings=merge_spellings, risk=risk)  # fmt: skip
    if out:
        say(f"labels: {export_labels(done.space, out)}")
    if as_json:
        print_json(done.to_dict())
        return
    console().print(done)
    say(f"sealed in {done.space.path}; your table with them: codomain export {shlex.quote(str(done.space.path))} FILE")
