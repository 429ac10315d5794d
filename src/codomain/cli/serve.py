"""The command that serves spaces to a browser and to programs."""

from pathlib import Path
from typing import Annotated

import typer

from codomain.core import need


def serve(
    spaces: Annotated[list[Path], typer.Argument(metavar="SPACE...", help="Folders that `codomain study` wrote.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free one.")] = 0,
    host: Annotated[
        str, typer.Option(help="An address of this machine; other machines then need the token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None, typer.Option(help="What every request must show; made up where --host needs one.")
    ] = None,
    notes: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep stars and notes on rows in this folder.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="A page of another place that may read answers, as in http://host:3000; can be repeated."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
) -> None:
    """Serve the page and a JSON, Markdown and feed API over spaces, from this machine to this machine.

    One process, no database; nothing is written into a space. Stop it with Ctrl-C.
    """
    for module in ("fastapi", "uvicorn"):
        need(module, "serve")
    from codomain.serve.run import serve as run

    run(
        spaces, host=host, port=port, token=token, notes=notes, origins=allow_origin or (), browser=browser
    )  # fmt: skip
