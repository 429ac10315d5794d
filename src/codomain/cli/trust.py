"""The command that names servers to which texts and questions may be sent, and models that may be opened."""

from typing import Annotated

import typer

from codomain.cli.options import AsJson
from codomain.cli.printing import print_json
from codomain.core import UserError


def trust(
    uri: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="As in https://host/v1, or a model: onnx:DIR, st:DIR. None: list them."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Trust it no longer.")] = False,
    key: Annotated[
        bool, typer.Option("--key", help="CODOMAIN_API_KEY is meant for it, also when another server has it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Trust the server or the model's folder of a space that came from elsewhere, or list those that are trusted.

    A space says which encoder made it. When that is behind a server, texts and questions are sent there only after the
    server was named on this machine: here, or with --encoder openai:URL#MODEL. A key is only sent to servers that it
    was meant for. When it is in a folder, the model there is only opened after the folder was named in the same way.
    """
    from codomain.core import Trusted, server_address
    from codomain.core.trusted import model_folder, place
    from codomain.workbench.encoders import trust as run

    if uri is None:
        if remove or key:
            raise UserError("No server is named.", todo="codomain trust URL")
        there = [*Trusted().servers, *Trusted().folders]
        if as_json:
            print_json(there)
            return
        print("\n".join(there) or "Nothing is trusted.")
        return
    folder = model_folder(uri)
    if remove:
        Trusted().remove(uri)
        print(f"{folder or server_address(uri)} is trusted no longer.")
        return
    run(uri, key=key)
    what = "a model may be opened there" if folder else "texts and questions may be sent to it"
    print(f"{folder or server_address(uri)} is trusted: {what}. The list is {place()}.")
