"""Find the most typical of some sentences."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from codomain.core import unit_rows


def typical_sentences(sentences: Sequence[str], encoder: Any, n_kept: int) -> list[str]:
    """Return the sentences whose vectors are most similar to the mean of all, the most typical first."""
    if not sentences:
        return []
    rows = unit_rows(np.asarray(encoder.encode(list(sentences))))
    order = np.argsort(-(rows @ rows.mean(axis=0)), kind="stable")
    return [sentences[number] for number in order[:n_kept]]
