"""`codomain new`: begin a method in a checkout of this project."""

from typing import Annotated

import typer


def new(
    room: Annotated[str, typer.Argument(metavar="ROOM", help="The verb that says what people want to do.")],
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="Short name of the paper, words joined by '-'.")],
    title: Annotated[str, typer.Option(help="The paper's title.")],
    year: Annotated[int, typer.Option(help="Year of its first version.")],
    arxiv: Annotated[str, typer.Option(help="Its arXiv identifier, e.g. 2209.15430; empty when it is not there.")] = "",
    authors: Annotated[str, typer.Option(help="Surnames, e.g. 'Moschella et al.'.")] = "",
) -> None:
    """Begin a method: its record, file, export, test, claim and news, for a checkout of this project."""
    from codomain.core.scaffold import scaffold

    for path in scaffold(room, slug, title=title, year=year, arxiv=arxiv, authors=authors):
        print(path)
