"""One number about a space or two, with its value by chance; it can print and draw itself."""

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Verdict = Literal["good", "watch", "bad", "none"]


@dataclass(frozen=True)
class Measure:
    """One number about a space, or about two, with its value by chance.

    Attributes
    ----------
    name, title : str
        For programs and for people.
    value : float
        The measure.
    unit : str
        What is counted.
    low, high : float or None
        Interval of 95 % for other rows of the same kind, from leaving out a tenth of the rows at a time; None when
        every row was counted.
    null : float or None
        The same measure on random directions, with the labels shuffled, or with the rows of one space shuffled.
    best : {"high", "low", "none"}
        Which end is better; for two spaces, which end means that they agree.
    verdict : {"good", "watch", "bad", "none"}
        What to make of it; "none" for information.
    says : str
        One sentence for a reader who does not know the measure.
    how : str
        How it was measured.
    smallest_n : int
        With fewer rows it says little, and the verdict is at best "watch".
    bounds : tuple of float or None
        Lowest and highest possible value, where both are known.
    """

    name: str
    title: str
    value: float
    unit: str
    low: float | None
    high: float | None
    null: float | None
    best: Literal["high", "low", "none"]
    verdict: Verdict
    says: str
    how: str
    smallest_n: int
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.bounds is not None:  # JSON gives a list back
            object.__setattr__(self, "bounds", tuple(self.bounds))

    def __str__(self) -> str:
        facts = [] if self.low is None or self.high is None else [f"95 %: {self.low:.3g} to {self.high:.3g}"]
        facts += [] if self.null is None else [f"by chance {self.null:.3g}"]
        facts += [] if self.best == "none" else [f"best {self.best}"]
        return f"{self.title}: {self.value:.3g} {self.unit}" + (f" ({', '.join(facts)})" if facts else "")

    def _repr_html_(self) -> str:
        """Draw the value, its interval and the null on one line."""
        says = html.escape(f"{self.says} {self.how}")
        return (
            f"<div style='display:flex;gap:1em;align-items:center' title='{html.escape(self.how, quote=True)}'>"
            f"<b style='min-width:14em'>{html.escape(self.title)}</b>{self._line()}<span>{html.escape(str(self))}"
            f"<br/><small>{says}</small></span></div>"
        )

    def _line(self, width: int = 160) -> str:
        known = [
            mark for mark in (self.value, self.low, self.high, self.null, *(self.bounds or ())) if mark is not None
        ]
        least, most = min([0.0, *known]), max(known)

        def place(mark: float) -> float:
            return 5 + (width - 10) * (mark - least) / ((most - least) or 1)

        colour = {"good": "#1a7341", "watch": "#8a5600", "bad": "#b3261c", "none": "#4d5d58"}[self.verdict]
        parts = [f"<line x1='5' x2='{width - 5}' y1='10' y2='10' stroke='currentColor' opacity='.3'/>"]
        if self.low is not None and self.high is not None:
            parts.append(
                f"<line class='interval' x1='{place(self.low):.1f}' x2='{place(self.high):.1f}' y1='10' y2='10' "
                f"stroke='{colour}' stroke-width='8' opacity='.35'/>"
            )
        if self.null is not None:
            x = f"{place(self.null):.1f}"
            parts.append(f"<line class='null' x1='{x}' x2='{x}' y1='3' y2='17' stroke='currentColor'/>")
        parts.append(f"<circle class='value' cx='{place(self.value):.1f}' cy='10' r='4.5' fill='{colour}'/>")
        return f"<svg width='{width}' height='20' style='flex:none'>{''.join(parts)}</svg>"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self)

    def careful(self, n: int) -> "Measure":
        """Replace the verdict by "watch" where there are too few rows to tell."""
        if n >= self.smallest_n:
            return self
        says = f"{self.says} With {n} rows this is hardly more than a guess: {self.smallest_n:,} would tell."
        return replace(self, verdict="watch", says=says)


Agreement = Measure  # the former name of a measure of two spaces; one record serves both


class Measures(list[Measure]):
    """Measures in the order in which they are shown; in a notebook they draw themselves."""

    def __init__(self, measures: Sequence[Measure] = ()) -> None:
        super().__init__(measures)

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        return "".join(measure._repr_html_() for measure in self)
