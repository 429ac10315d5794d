"""What a migration answers, and how it is drawn."""

from dataclasses import dataclass, field
from typing import Any

from codomain.core import UserError
from codomain.space import Doubtful, Space
from codomain.workbench.migrate.measured import Measured


class MigrationRefused(UserError):  # noqa: N818 - the name says what happened
    """A migration would keep too little.

    Parameters
    ----------
    came, needed, todo : str
        As in `UserError`.
    measured : Measured
        All the figures.
    """

    def __init__(self, came: str, *, needed: str, todo: str, measured: Measured) -> None:
        super().__init__(came, needed=needed, todo=todo)
        self.measured = measured


@dataclass(frozen=True)
class Migrated:
    """What `migrate` leaves behind.

    Parameters
    ----------
    space : Space
        The new generation; the old one after a dry run.
    measured : Measured or None
        What was measured; None when rows were only encoded again.
    record : dict
        What is sealed as migration.json, or would be.
    before : int
        The generation to roll back to.
    worst : list of Doubtful
        `row`, `id` and `doubt` of rows to encode first, worst first.
    """

    space: Space
    measured: Measured | None
    record: dict[str, Any]
    before: int
    worst: list[Doubtful] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the record with the path of the space and the rows to encode first."""
        return {"space": str(self.space.path), **self.record, "worst": self.worst}

    def __rich_console__(self, console: Any, options: Any) -> Any:
        """Draw the bridges and the figures."""
        if self.measured:
            yield from draw(self.measured)
        for between, asking in (("rows", "two rows"), ("questions", "a question and a row")):
            if told := self.record.get("thresholds", {}).get(between):
                yield scores(told, asking)


def scores(told: list[dict[str, float]], between: str) -> Any:
    """Return the table of scores with what they become, every other one when there are many."""
    from rich.box import SIMPLE
    from rich.table import Table

    title = f"Scores between {between}: as many random pairs lie above the old one as above the new one"
    table = Table("old", "new", "interval, 95 %", "random pairs above", title=title, box=SIMPLE)
    for column in table.columns:
        column.justify = "right"
    for one in told[:: 1 if len(told) < 8 else 2]:
        interval = f"{one['low']:.3f} to {one['high']:.3f}" if "low" in one else ""
        table.add_row(f"{one['old']:.2f}", f"{one['new']:.3f}", interval, f"{one['share']:.3%}")
    return table


def draw(measured: Measured) -> Any:
    """Yield the table of bridges and what else was measured, as rich draws it."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(
        *("bridge", "stretch", f"recall@{measured.k}", "interval, 95 %", "own row first", "error"), box=SIMPLE,
        title=f"Bridges: fitted on {measured.n_fit:,} pairs, tested among {measured.n_test:,} others",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for one in measured.candidates:
        best = one is measured.chosen
        table.add_row(
            f"{one.name} (chosen)" if best else one.name, f"{one.stretch:g}", f"{one.recall.value:.3f}",
            f"{one.recall.low:.3f} to {one.recall.high:.3f}", f"{one.own_first:.3f}", f"{one.error:.3f}",
            style="bold" if best else None,
        )  # fmt: skip
    yield table
    kept, stay = measured.among_all, measured.stay
    yield (
        f"recall@{measured.k} among all {measured.rows:,} rows: {kept.value:.3f} ({kept.low:.3f} to {kept.high:.3f}); "
        f"staying with the old encoder: {stay.value:.3f} ({stay.low:.3f} to {stay.high:.3f})"
    )
    for kept in measured.figures:
        own = f"; all encoded again: {kept.own:.3f}" if kept.own is not None else ""
        yield f"{kept.name}: {kept.value:.3f} ({kept.low:.3f} to {kept.high:.3f}{own}): {kept.says}"
    yield "recall by pairs: " + ", ".join(f"{count:,}: {recall:.3f}" for count, recall in measured.curve)
    yield (
        "it is carried on from the recall among fewer: "
        + ", ".join(f"{recall:.3f} among {count:,}" for count, recall in measured.pool)
    )
    yield (
        f"doubt ranks the true error with {measured.doubt_rank:.2f} (1 is perfectly); encoding the worst 10 % again "
        f"adds {measured.gain:+.3f} of recall, any 10 % {measured.random_gain:+.3f}"
    )
