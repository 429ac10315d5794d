"""The commands about methods: the catalogue, claims, and a new method."""

import json
from typing import Annotated, Any

import typer

from codomain.core import UserError, say

claims_app = typer.Typer(no_args_is_help=True, help="Rerun what a method promises.")


def methods(
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of records.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/methods.md.")] = False,
) -> None:
    """List every method with the verdict of its own claim."""
    from codomain.core.catalogue import methods as every
    from codomain.core.catalogue import to_markdown

    if markdown:
        print(to_markdown(), end="")
        return
    records = [entry.to_dict() for entry in every()]
    if as_json:
        print(json.dumps(records, ensure_ascii=False, indent=1))
        return
    columns = ("room", "slug", "object", "verdict", "ours", "floor", "peer")
    _table(columns, [[_cell(record[column]) for column in columns] for record in records])
    print("Scores are medians over five seeds. More: codomain methods --markdown; again: codomain claims run ROOM/SLUG")


@claims_app.command("run")
def run_claims(
    name: Annotated[str, typer.Argument(metavar="SLUG|ROOM", help="One method, or all of a room; else all.")] = "",
    record: Annotated[bool, typer.Option("--record", help="Write the verdict into the room's verdicts.toml.")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Only those whose code, data or libraries changed.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; a recorded verdict takes 5.")] = 5,
) -> None:
    """Measure the claims again, here and now; exit with 1 when a verdict is not the recorded one."""
    from codomain.core import claims
    from codomain.core.catalogue import methods, named

    if record and seeds != len(claims.SEEDS):
        raise UserError(f"--record with --seeds {seeds}.", needed="five seeds", todo="leave --seeds out")
    changed = False
    for entry in named(name) if name else methods():
        title, what, before = f"{entry.room}/{entry.paper.slug}", entry.claim, entry.record
        if not isinstance(what, claims.Claim):
            print(f"{title}: no claim" + (f", because: {what.why}" if what else ""))
            continue
        moved = what.stale(before) if before else "it was never run"
        if stale and not moved:
            continue
        if what.hindrance:
            print(f"{title}: not rerun here: {what.hindrance}")
            continue
        if moved:
            say(f"{title}: {moved}")
        say(f"{title}: {seeds} seeds, stopped after {3 * what.seconds:g} s")
        outcome = claims.run(what, range(seeds))
        print(f"{title}: {outcome.verdict}, in {outcome.took:.1f} s. {what.says}")
        rows = zip(outcome.seeds, outcome.ours, outcome.floor, outcome.peer, strict=True)
        _table(("seed", "ours", "floor", "peer"), [[str(seed), *map(_cell, scores)] for seed, *scores in rows])
        print(f"floor: {what.floor}\npeer: {what.peer}\nscore: {what.unit}; margin {what.margin:g}")
        if record:
            print(f"recorded in {claims.record(entry.method.__module__, entry.paper.slug, outcome)}")
        elif before is None:
            print("not recorded before")
        elif seeds == len(claims.SEEDS):
            same = outcome.verdict == before.verdict
            changed |= not same
            print(f"recorded {before.date}: {before.verdict}" + ("" if same else " - CHANGED"))
    if changed:
        raise typer.Exit(1)


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


def _cell(value: Any) -> str:
    """Write a value for a table."""
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(columns: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table as wide as it needs to be, so that a pipe gets whole words."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=1000)).maximum
        )
    console.print(table)
