"""The figures of a migration, as records."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One number with its interval.

    Parameters
    ----------
    name, says : str
        What it is, in a word and in a sentence.
    value, low, high : float
        The number, and the 95 % interval of a bootstrap over rows.
    own : float or None
        The same when every row is encoded again, where that is not 1 by definition.
    n : int
        Held-out rows behind it.
    """

    name: str
    says: str
    value: float
    low: float
    high: float
    own: float | None
    n: int


@dataclass(frozen=True)
class Candidate:
    """One bridge: its stretch and score on the validation pairs, by which it is chosen, and what it keeps on others."""

    name: str
    stretch: float
    choice: float
    recall: Figure
    own_first: float
    error: float


@dataclass(frozen=True)
class Measured:
    """Everything that was measured before a migration.

    Parameters
    ----------
    k : int
        Length of the lists.
    n_fit, n_choose, n_test : int
        Pairs that bridges were fitted on, chosen by, and tested with.
    candidates : list of Candidate
        Every bridge, the best choice first.
    rows : int
        Rows of the space.
    among_all : Figure
        Recall of the chosen bridge among all of them, which decides: more rows, harder lists.
    stay : Figure
        The same of the old encoder's own lists: what staying would give.
    figures : list of Figure
        Of the chosen bridge: heads, groups, alerts, where the space has what they need.
    curve : list of (int, float)
        Pairs and recall of the chosen bridge.
    pool : list of (int, float)
        Rows searched and recall of the chosen bridge, measured.
    doubt_rank : float
        Rank correlation of doubt with the true error, -1 to 1.
    gain, random_gain : float
        Recall won when the worst tenth by doubt, or any tenth, is encoded again.
    """

    k: int
    n_fit: int
    n_choose: int
    n_test: int
    candidates: list[Candidate]
    rows: int
    among_all: Figure
    stay: Figure
    figures: list[Figure]
    curve: list[tuple[int, float]]
    pool: list[tuple[int, float]]
    doubt_rank: float
    gain: float
    random_gain: float

    @property
    def chosen(self) -> Candidate:
        """The bridge with the best recall on the validation pairs."""
        return self.candidates[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return {**asdict(self), "chosen": self.chosen.name}

    def pairs_for(self, recall: float) -> int | None:
        """Pairs with which the curve reaches a recall, None when it does not: it is taken as c - a / sqrt(pairs)."""
        pairs, kept = (np.array(column, float) for column in zip(*self.curve, strict=True))
        a, c = np.linalg.lstsq(np.column_stack([-(pairs**-0.5), np.ones(len(pairs))]), kept, rcond=None)[0]
        return int(np.ceil((a / (c - recall)) ** 2)) if a > 0 and c > recall + 1e-3 else None
