"""Cut texts into sentences and find the most typical ones."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from codomain.core import unit_rows


def sentences(text: str) -> list[str]:
    """Cut a text at full stops, question and exclamation marks before white space, and at empty lines.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        Its sentences, white space made single, none empty.
    """
    return [" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n\s*\n", text) if part.strip()]


def most_typical(told: Sequence[str], encoder: Any, n_kept: int) -> list[str]:
    """Return the sentences whose vectors are most alike to the mean of all, the most typical first."""
    if not told:
        return []
    rows = unit_rows(np.asarray(encoder.encode(list(told))))
    order = np.argsort(-(rows @ rows.mean(axis=0)), kind="stable")
    return [told[number] for number in order[:n_kept]]
