"""`codomain methods`: the catalogue, from the records alone."""

from typing import Annotated

import typer

from codomain.cli.printing import cell, print_json, print_table


def methods(
    name: Annotated[str | None, typer.Argument(metavar="SLUG|ROOM", help="One method, or those of a room.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of records.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown: the table, or the whole page of SLUG.")
    ] = False,
) -> None:
    """List every method with the verdict of its own claim."""
    from codomain.core import catalogue, pages

    entries = catalogue.named(name) if name else catalogue.methods()
    if markdown:
        print(pages.page(entries[0]) if name and name not in catalogue.rooms() else pages.table(entries), end="")
        return
    records = [entry.to_dict() for entry in entries]
    if as_json:
        print_json(records)
        return
    columns = ("room", "slug", "object", "verdict", "ours", "floor", "peer")
    print_table(columns, [[cell(record[column]) for column in columns] for record in records])
    print("\n".join(pages.legend(entries)))
    print(pages.COLUMNS)
    if read := pages.sources(entries):
        print(read)
    print("More: codomain methods SLUG --markdown; measure again: codomain claims run SLUG")
