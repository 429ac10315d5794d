"""What one check of an audit found."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LISTED = 1000


@dataclass(frozen=True)
class Check:
    """One question asked of every row.

    Parameters
    ----------
    kind : {"duplicate", "same_vector", "near_duplicate", "outlier", "cut_text", "unknown_text", "label"}
        The question.
    title, says, how : str
        A heading, what was found in one sentence, and how we know.
    count : int
        Rows flagged.
    rows : list of int
        The flagged rows, worst first, at most 1,000.
    findings : list of dict
        For each of them `row`, `other` (the row it is held against, or None), `score` (higher is more suspect) and
        `why` (one sentence).
    pairs : list of dict
        Of labels: pairs of classes that overlap, each with `given` and `better` (more rows of the first look like the
        second), `rows_given` and `rows_better` (rows in doubt that are labelled so), `share_given` and `share_better`
        (of the judged rows of that class, 0 to 1), `mixed` and `lone` (the vote that rows not in doubt give to another
        class, and what lone mistakes would cause, 0 to 1), `scattered` (rows, were doubts spread by the classes' sizes)
        and `says`. Their rows are among `rows` too, in so far as there is room beside the others.
    """

    kind: str
    title: str
    says: str
    how: str
    count: int
    rows: list[int]
    findings: list[dict[str, Any]]
    pairs: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self)


def n_rows(count: int) -> str:
    """Return "1 row" or "2,000 rows"."""
    return f"{count:,} row" + ("" if count == 1 else "s")


def worst_first(flagged: NDArray[Any], score: NDArray[Any]) -> NDArray[Any]:
    """Return the flagged rows that are listed, the highest scores first."""
    return flagged[np.lexsort((flagged, -score[flagged]))][:LISTED]
