"""The command that searches a space."""

from typing import Annotated, Literal

import typer

from codomain.cli.options import AsJson, SpacePath
from codomain.cli.printing import print_json
from codomain.core import say


def search(
    space: SpacePath,
    query: Annotated[
        str | None, typer.Argument(help='What to look for; "quoted words" stay together, -word leaves out.')
    ] = None,
    like: Annotated[list[str] | None, typer.Option(help="Find rows like this row (its id); can be repeated.")] = None,
    unlike: Annotated[list[str] | None, typer.Option(help="... and unlike this one.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many rows.")] = 10,
    mode: Annotated[Literal["both", "meaning", "words"], typer.Option(help="How to look.")] = "both",
    where: Annotated[
        str | None,
        typer.Option(
            help="Only rows where this holds, e.g. \"year >= 2000 and kind == 'class'\"; also on what the study found: "
            "group, group_name, label, is_duplicate, ..."
        ),
    ] = None,
    show: Annotated[list[str] | None, typer.Option(help="Print this column beside each hit; can be repeated.")] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare with every row, also above 8 GiB of vectors.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find rows by meaning, by words, or both, with a score that means something.

    The question is compared with every row: for one question that is faster than loading the index. Only above
    8 GiB of vectors the index that `shrink` certified names the candidates.
    """
    from codomain.workbench import search_space

    results = search_space(space, query, like=like, unlike=unlike, k=k, mode=mode, where=where, exact=exact,
                           show=show or ())  # fmt: skip
    if as_json:
        print_json(results.to_records())
        for note in results.notes:
            say(note)
    else:
        print(results)
