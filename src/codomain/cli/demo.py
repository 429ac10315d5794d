"""The command that studies text which every machine has."""

from pathlib import Path
from typing import Annotated

import typer

from codomain.cli.printing import print_study
from codomain.core import say


def demo(
    folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("demo"),
) -> None:
    """Study real text that every machine has: the docstrings of Python's own standard library."""
    from pyarrow import parquet

    from codomain.data import stdlib_docstrings
    from codomain.workbench import study as run

    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "python-stdlib.parquet"
    say("reading the docstrings of Python's standard library")
    parquet.write_table(stdlib_docstrings(), table)
    done = run(table, text="text", label="package", id="id", space=folder / "python-stdlib.space")
    print_study(done, "parse a date from a string")
