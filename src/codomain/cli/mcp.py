"""The command that hands spaces to agents."""

from pathlib import Path
from typing import Annotated

import typer

from codomain.core import need


def mcp(spaces: Annotated[list[Path], typer.Argument(help="Folders of studied spaces.")]) -> None:
    """Answer agents about spaces, by the Model Context Protocol on standard input and output; nothing is changed.

    An agent's program starts this command by itself: give it `codomain mcp SPACE` as the command of a server.
    """
    need("mcp", "mcp")
    from codomain.serve.agents import make_agent_server

    make_agent_server(spaces).run("stdio")
