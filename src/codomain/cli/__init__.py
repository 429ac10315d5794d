"""The command line: one verb per wish, a file each; errors that say what to type; results that pipe."""

import errno
import os
import sys
from typing import Annotated

import typer

import codomain
from codomain.cli import (
    add,
    claims,
    compare,
    demo,
    export,
    gc,
    label,
    log,
    mcp,
    methods,
    migrate,
    new,
    rollback,
    search,
    serve,
    shrink,
    study,
    trust,
)
from codomain.core import UserError, say

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Find out what is in your embeddings, what is wrong with them, and how small they can be.\n\n"
    "Begin with `codomain study mine.csv`, or `codomain demo` to see it on text that every machine has. "
    "Nothing leaves this machine unless you name an encoder behind an address.",
)

# In the order of `codomain --help`. Modules are imported, not their functions, so that codomain.cli.study is a file.
app.command()(study.study)
app.command()(demo.demo)
app.command()(search.search)
app.command()(serve.serve)
app.command()(shrink.shrink)
app.command()(label.label)
app.command()(migrate.migrate)
app.command()(compare.compare)
app.command()(add.add)
app.command()(mcp.mcp)
app.command()(export.export)
app.command()(log.log)
app.command()(rollback.rollback)
app.command()(gc.gc)
app.command()(trust.trust)
app.command(rich_help_panel="Methods from papers")(methods.methods)
app.add_typer(claims.claims_app, name="claims", rich_help_panel="Methods from papers")
app.command(rich_help_panel="Methods from papers")(new.new)


def _version(wanted: bool) -> None:
    if wanted:
        print(codomain.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; what a person can mend ends with 2, a stop with 130."""
    try:
        app()
    except UserError as error:
        say(f"codomain: {error}")
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == 130:  # Ctrl-C
            say("codomain: stopped. Type the same command to go on where it was.")
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
            raise
        say(f"codomain: {error.strerror}: {error.filename or 'while writing'}. Nothing is half written.")
        sys.exit(2)
