"""The command line: one verb per wish, errors that say what to type, results that pipe."""

import errno
import json
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import codomain
from codomain.cli.label import label
from codomain.cli.methods import claims_app, methods, new
from codomain.cli.migrate import migrate
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

SpacePath = Annotated[Path, typer.Argument(metavar="SPACE", help="The folder that `codomain study` wrote.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a list of records.")]
ReportPath = Annotated[
    Path | None, typer.Option("--report", help="Where to write the report (default: SPACE-report.html).")
]
DropEmpty = Annotated[
    bool,
    typer.Option(
        "--drop-empty", help="Leave out rows without text, however many; up to 5 % are anyway."
    ),
]


def _print_study(done: Any, query: str | None = None) -> None:
    from codomain.workbench.report.gather import suggestion

    print(f"space: {done.space.path}")
    print(f"report: {done.report}")
    if done.space.encoder.encodes:
        query = query or suggestion(done.space.part("groups")["groups.json"])
        print(f'search: codomain search {shlex.quote(str(done.space.path))} "{query}"')
    else:
        first = done.space.rows([done.space.roles.id]).column(0)[0].as_py()
        print(f"search: codomain search {shlex.quote(str(done.space.path))} --like {shlex.quote(str(first))}")


@app.command()
def study(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="csv, tsv, parquet, jsonl, npy, npz, safetensors, fvecs, a folder, or a space."
        ),
    ],
    text: Annotated[
        str | None, typer.Option(help="Column with the text, or several with commas between; guessed, and said.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Column with labels, to be checked against the neighbours.")] = None,
    id: Annotated[str | None, typer.Option(help="Column that names each row.")] = None,
    vector: Annotated[str | None, typer.Option(help="Column (or array) with vectors that you already have.")] = None,
    vectors: Annotated[Path | None, typer.Option(help="File of vectors in the same order as the rows.")] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="builtin:minilm, static:wordllama, model2vec:DIR, onnx:DIR, st:DIR or openai:URL#MODEL."),
    ] = None,
    space: Annotated[Path | None, typer.Option(help="Where to write the space (default: FILE.space here).")] = None,
    report: ReportPath = None,
    recall: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Share of the true nearest rows that the smallest form must keep.")
    ] = 0.95,
    sample: Annotated[int | None, typer.Option(min=3, help="Study only this many rows, drawn evenly.")] = None,
    layout: Annotated[
        Literal["forces", "umap"], typer.Option(help="How to draw the map; umap needs the extra 'map'.")
    ] = "forces",
    drop_empty: DropEmpty = False,
) -> None:
    """From a table, a folder or bare vectors to a sealed space and one HTML report.

    Run it again after Ctrl-C or a crash: it goes on where it was. Run it again on a changed file: only new texts are
    encoded.
    """
    from codomain.workbench import Settings
    from codomain.workbench import study as run

    done = run(
        source,
        text=text,
        label=label,
        id=id,
        vector=vector,
        vectors=vectors,
        encoder=encoder,
        space=space,
        report=report,
        sample=sample,
        drop_empty=drop_empty,
        settings=Settings(recall=recall, layout=layout),
    )
    _print_study(done)


@app.command()
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
    _print_study(done, "parse a date from a string")


@app.command()
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
        str | None, typer.Option(help="Only rows where this holds, e.g. \"year >= 2000 and kind == 'class'\".")
    ] = None,
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
    from codomain.workbench.report.pack import plain

    results = search_space(space, query, like=like, unlike=unlike, k=k, mode=mode, where=where, exact=exact)
    if as_json:
        print(json.dumps(plain(results.to_records()), ensure_ascii=False, indent=1, allow_nan=False))
        for note in results.notes:
            say(note)
    else:
        print(results)


@app.command()
def shrink(
    space: SpacePath,
    recall: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Share of the true nearest rows that must come back.")
    ] = 0.95,
    max_bytes: Annotated[
        float | None, typer.Option("--bytes", min=1, help="Most bytes for each row, everything counted.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="The form of which a search reads least, instead of the smallest.")
    ] = False,
    report: ReportPath = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one record.")] = False,
) -> None:
    """Make the smallest form that is proved to keep a recall, show what each size keeps, and seal it."""
    from rich.console import Console

    from codomain.workbench import shrink_space as run

    done = run(space, recall=recall, bytes=max_bytes, fewest="scan_bytes" if fast else "bytes", report=report)
    if as_json:
        print(json.dumps(done.to_dict(), ensure_ascii=False, indent=1))
        return
    console = Console(highlight=False)
    console.width = console.width if console.is_terminal else max(console.width, 120)
    console.print(done)
    print(f"report: {done.report}")
    say(f"sealed in {space}")


app.command()(label)
app.command()(migrate)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A space, or a file of vectors.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one with the same items, paired by their ids.")],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one file with both maps side by side, and every row.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one record.")] = False,
) -> None:
    """Are they the same space? Beside what chance gives; which rows and which groups differ most."""
    from rich.console import Console

    from codomain.workbench import compare_spaces as run

    done = run(a, b)
    if as_json:
        print(json.dumps(done.to_dict(), ensure_ascii=False, indent=1))
    else:
        console = Console(highlight=False)
        console.width = console.width if console.is_terminal else max(console.width, 120)
        console.print(done)
    if html:
        say(f"page: {done.write(html)}")


@app.command()
def add(
    space: SpacePath,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="New rows with the same columns.")],
    report: ReportPath = None,
    drop_empty: DropEmpty = False,
) -> None:
    """Append rows: only they are encoded, ids and order stay, every stage is brought up to date."""
    from codomain.workbench import add as run

    _print_study(run(space, source, report=report, drop_empty=drop_empty))


@app.command()
def export(
    space: SpacePath,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .parquet or .csv.")],
) -> None:
    """Write your own table with the new columns: group, its name, place on the map, flags."""
    from codomain.workbench import export_space as run

    print(run(codomain.open(space), out))


@app.command()
def log(space: SpacePath, as_json: AsJson = False) -> None:
    """List what was written when."""
    entries = codomain.open(space).log()
    if as_json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1))
    else:
        for entry in entries:
            print(entry)


@app.command()
def rollback(
    space: SpacePath, generation: Annotated[int, typer.Argument(help="A number that `codomain log` shows.")]
) -> None:
    """Return to an earlier generation; it becomes a new one, so this can be undone too."""
    print(codomain.open(space).rollback(generation))


@app.command()
def gc(
    space: SpacePath,
    keep: Annotated[int, typer.Option(min=1, help="Generations to keep.")] = 1,
) -> None:
    """Remove files that no kept generation uses."""
    print(f"{codomain.open(space).gc(keep=keep):,} bytes freed")


app.command(rich_help_panel="Methods from papers")(methods)
app.add_typer(claims_app, name="claims", rich_help_panel="Methods from papers")
app.command(rich_help_panel="Methods from papers")(new)


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
