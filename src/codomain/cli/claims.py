"""`codomain claims run`: measure again what a method promises."""

from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from codomain.cli.printing import cell, print_table
from codomain.core import UserError, say

if TYPE_CHECKING:
    from codomain.core.claims import Claim, Outcome

claims_app = typer.Typer(no_args_is_help=True, help="Rerun what a method promises.")


@claims_app.command("run")
def run_claims(
    name: Annotated[str, typer.Argument(metavar="SLUG|ROOM", help="One method, or all of a room; else all.")] = "",
    record: Annotated[bool, typer.Option("--record", help="Write the verdict into the method's record.")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Only those whose code, data or libraries changed.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; a recorded verdict takes 5.")] = 5,
) -> None:
    """Measure the claims again, here and now; exit with 1 when a verdict is not the recorded one."""
    from codomain.core import claim_run, claims, records
    from codomain.core.catalogue import methods, named

    if record and seeds != len(claims.SEEDS):
        raise UserError(f"--record with --seeds {seeds}.", needed="five seeds", todo="leave --seeds out")
    changed = False
    for entry in named(name) if name else methods():
        title, what, before = f"{entry.room}/{entry.slug}", entry.claim, entry.record
        if not isinstance(what, claims.Claim):
            print(f"{title}: no claim" + (f", because: {what.why}" if what else ""))
            if record and what:
                print(f"recorded in {records.record(entry.slug, what)}")
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
        outcome = claim_run.run(what, range(seeds))
        print_outcome(title, what, outcome, entry.paper.theirs)
        if record:
            print(f"recorded in {records.record(entry.slug, what, outcome)}")
        elif before is None:
            print("not recorded before")
        elif seeds == len(claims.SEEDS):
            same = outcome.verdict == before.verdict
            changed |= not same
            print(f"recorded {before.date}: {before.verdict}" + ("" if same else " - CHANGED"))
    if changed:
        raise typer.Exit(1)


def print_outcome(title: str, what: "Claim", got: "Outcome", theirs: str) -> None:
    """Print what a claim gave, in words for somebody who sees one for the first time."""
    from codomain.core.catalogue import LEGEND

    print(f"{title}: {got.verdict}, in {got.took:.1f} s. {what.says}")
    names = ("premise", "ours", "floor", "peer", "chance")
    columns = zip(got.seeds, *(getattr(got, name) for name in names), strict=True)
    print_table(("seed", *names), [[str(seed), *map(cell, scores)] for seed, *scores in columns])
    gap, premise = got.gap(what.rows), got.middle("premise")
    if gap and premise is not None:
        truth = "true" if premise >= what.least else "false"
        print(f"premise: {what.premise}: {premise:.3g}, needed {what.least:g}: {truth}")
        print(f"ours - floor: {gap.mean:.3g}, 95 % interval {gap.low:.3g} to {gap.high:.3g}; margin {what.margin:g}")
        if what.margin < 2 * gap.noise:
            print(f"too noisy: the margin is below twice the standard error of one seed, {gap.noise:.2g}")
    print(f"{got.verdict}: {LEGEND[got.verdict]}")
    print(f"floor: {what.floor}\npeer: {what.peer}\nscore: {what.unit}")
    for name, values in got.also.items():
        print(f"also: {name}: {median(values):.3g}")
    if theirs:
        print(f"the paper's own number, in its own setting: {theirs}")
