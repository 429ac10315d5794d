"""The result of a search for the cheapest recipe: what was tried, what won, or why nothing did."""

from dataclasses import dataclass, field
from typing import Any

from codomain.shrink.index.certificate import Certificate
from codomain.shrink.index.recipe import FittedRecipe, Recipe

_STAGES = {"project": "the projection", "code": "the code", "index": "rescoring and unread lists"}


@dataclass
class Front:
    """What was tried, what won, and what it proves.

    Parameters
    ----------
    target : float
        Recall wanted.
    k : int
        Neighbours that count.
    winner : Certificate or None
        The cheapest recipe whose recall is at least the target, proved on fresh queries.
    refusal : str
        Why there is none; empty when there is one.
    certificates : list of Certificate
        Everything measured on all rows, fewest bytes first; the last is the vectors as they are.
    skipped : list of (str, str)
        Recipes that were not measured on all rows, and why.
    chosen_among : int
        Number of rows when the winner was chosen.
    fewest : {"bytes", "scan_bytes"}
        What was minimised.
    """

    target: float
    k: int
    winner: Certificate | None = None
    refusal: str = ""
    certificates: list[Certificate] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    chosen_among: int = 0
    fewest: str = "bytes"
    _fitted: FittedRecipe | None = None

    def build(self, X: Any) -> FittedRecipe:
        """Return the certified index, or that of the vectors as they are when nothing was certified."""
        if self._fitted is None:
            self._fitted = Recipe(code="f32").fit(X).encode(X)
        return self._fitted

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {
            "target": self.target,
            "k": self.k,
            "chosen_among": self.chosen_among,
            "fewest": self.fewest,
            "queries": max((certificate.n_queries for certificate in self.certificates), default=0),
            "winner": self.certificates.index(self.winner) if self.winner else None,
            "refusal": self.refusal or None,
            "rows": [certificate.to_dict() for certificate in self.certificates],
            "skipped": [{"recipe": name, "why": why} for name, why in self.skipped],
        }


def refusal(front: Front, failed: list[Certificate], n_fresh: int, needed: int, budget_bytes: float | None) -> str:
    """Explain why nothing was certified: too few queries, too few bytes, or where recall is lost."""
    if n_fresh < needed:
        best = 0.025 ** (1 / n_fresh)
        return (
            f"With {n_fresh} held-out queries even no error at all proves only {best:.2f}; "
            f"a recall of {front.target:g} needs at least {3 * needed} rows."
        )
    limit = f" within {budget_bytes:,.0f} bytes" if budget_bytes is not None else ""
    measured = front.certificates[:-1]
    if not measured:
        return f"No recipe fits{limit}; the vectors as they are take {front.certificates[-1].bytes:,.0f} bytes."
    best = max(failed or measured, key=lambda row: (row.lower, -row.bytes))
    lost = [f"{share:.3f} in {_STAGES[stage]}" for stage, share in best.losses.items() if share >= 0.0005]
    return (
        f"No recipe{limit} is proved to keep {front.target:g} of the {front.k} nearest rows. The best is {best}. "
        + (f"It loses {', '.join(lost)}. " if lost else "")
        + "Lower the target, or keep the vectors as they are, which lose nothing."
    )
