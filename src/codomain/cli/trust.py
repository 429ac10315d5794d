"""The command that names servers to which texts and questions may be sent."""

from typing import Annotated

import typer

from codomain.cli.options import AsJson
from codomain.cli.printing import print_json
from codomain.core import UserError


def trust(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="As in https://host/v1; none: list them.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Trust it no longer.")] = False,
    key: Annotated[
        bool, typer.Option("--key", help="CODOMAIN_API_KEY is meant for it, also when another server has it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Trust the server of a space that came from elsewhere, or list the servers that are trusted.

    A space says which encoder made it. When that is behind a server, texts and questions are sent there only after the
    server was named on this machine: here, or with --encoder openai:URL#MODEL. A key is only sent to servers that it
    was meant for.
    """
    from codomain.core import Trusted, server_address
    from codomain.core.trusted import place
    from codomain.workbench.encoders import trust as run

    if url is None:
        if remove or key:
            raise UserError("No server is named.", todo="codomain trust URL")
        if as_json:
            print_json(Trusted().servers)
            return
        for server in Trusted().servers:
            print(server)
        if not Trusted().servers:
            print("No server is trusted.")
    elif remove:
        Trusted().remove(url)
        print(f"{server_address(url)} is trusted no longer.")
    else:
        run(url, key=key)
        print(f"{server_address(url)} is trusted: texts and questions may be sent to it. The list is {place()}.")
