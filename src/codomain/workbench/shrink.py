"""Make the small form of a space again: for another recall, or within a number of bytes."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import codomain.space
from codomain.core import UserError
from codomain.shrink import Certificate, Front, cheapest
from codomain.space import ShrinkPart, Space
from codomain.workbench.encoders import check_studied, encoder_of
from codomain.workbench.run import finish, place_of_report
from codomain.workbench.stages import STAGES, Settings

_STAGE = next(stage for stage in STAGES if stage.part is ShrinkPart)
_LOST = {"project": "the projection", "code": "the code", "index": "rescoring and unread lists"}


@dataclass(frozen=True)
class Shrunk:
    """What `shrink` leaves behind.

    Parameters
    ----------
    space : Space
        With the part "shrink" of the winner.
    report : Path
        The space's report, with the plot of every recipe.
    front : Front
        Everything that was measured; it has a winner.
    """

    space: Space
    report: Path
    front: Front

    def to_dict(self) -> dict[str, Any]:
        """Return the certificate's record as JSON can hold it, with the paths of the space and its report."""
        return {"space": str(self.space.path), "report": str(self.report), **self.front.to_dict()}

    def __rich_console__(self, console: Any, options: Any) -> Any:
        """Draw the recipes that no other beats, and the winner's certificate."""
        from rich.box import SIMPLE
        from rich.table import Table

        table = Table(
            *("recipe", "bytes", "read by a search", f"recall@{self.front.k}", "interval, 95 %"), box=SIMPLE,
            title=f"Recipes that no other beats: {len(self.space):,} rows, {self.space.shape[1]} columns",
        )  # fmt: skip
        for column in table.columns[1:]:
            column.justify = "right"
        winner = self.front.winner
        for row in self.front.certificates:
            if row.front or row is winner:
                interval = f"{row.lower:.3f} to {row.upper:.3f}" if row.n_queries else "by definition"
                table.add_row(
                    f"{row.recipe.name} (chosen)" if row is winner else row.recipe.name, f"{row.bytes:,.0f}",
                    f"{row.scan_bytes:,}", f"{row.recall:.3f}", interval, style="bold" if row is winner else None,
                )  # fmt: skip
        yield table
        if winner:
            yield _proof(winner, self.front.target)


def _proof(winner: Certificate, target: float) -> str:
    lost = ", ".join(f"{share:.3f} in {_LOST[stage]}" for stage, share in winner.losses.items() if share)
    return (
        f"{winner.recipe.name}, {winner.bytes:,.0f} bytes a row, keeps at least {winner.lower:.3f} of the {winner.k} "
        f"nearest rows (asked: {target:g}), proved on {winner.n_queries:,} rows that nothing was learned or chosen "
        f"with; measured {winner.recall:.3f}, interval {winner.lower:.3f} to {winner.upper:.3f}. "
        f"Lost: {lost or 'nothing'}."
    )


def shrink_space(
    space: str | Path, *, recall: float = 0.95, bytes: float | None = None,
    fewest: Literal["bytes", "scan_bytes"] = "bytes", report: str | Path | None = None,
) -> Shrunk:  # fmt: skip
    """Find the smallest form of a space that keeps a share of the nearest rows, and seal it in the space.

    A study for the same recall then keeps it.

    Parameters
    ----------
    space : str or Path
        A studied space.
    recall : float, default=0.95
        Share of the true nearest rows that must come back, above 0 and below 1.
    bytes : float, optional
        Most bytes for each row, everything counted.
    fewest : {"bytes", "scan_bytes"}, default="bytes"
        What shall be least: all that is kept, or what a search reads for each row, which makes it fast.
    report : str or Path, optional
        Where to write the report; beside the space by default, as `study` does.

    Returns
    -------
    Shrunk
        The space and what was measured.

    Raises
    ------
    UserError
        When no recipe is proved to keep so much; the space is left as it was.
    """
    opened = codomain.space.open(space)
    check_studied(opened)
    settings = replace(Settings.of(opened), recall=recall)
    made = {name: opened.parts.need(name).made_from for name in ShrinkPart.reads}
    front = cheapest(
        opened.vectors, target=recall, k=min(settings.n_results, len(opened) - 1), random_state=settings.random_state,
        budget_bytes=bytes, neighbors=opened.parts.neighbors.lists, fewest=fewest, progress=True,
    )  # fmt: skip
    if front.winner is None:
        raise UserError(front.refusal, todo="ask for a lower --recall" + (" or more --bytes" if bytes else ""))
    files: dict[str, Any] = {ShrinkPart.certificate: front.to_dict(), ShrinkPart.settings: asdict(settings)}
    files |= front.build(opened.vectors).save()
    key = _STAGE.fingerprint(opened.fingerprint, settings, made)
    limit = f", at most {bytes:g} bytes" if bytes else ""
    aim = ", fast" if fewest == "scan_bytes" else ""
    opened = opened.put(_STAGE.name, files, made_from=key, note=f"shrink: recall {recall:g}{limit}{aim}")
    done = finish(opened, settings, place_of_report(opened.path, report), encoder_of(opened))
    return Shrunk(done.space, done.report, front)
