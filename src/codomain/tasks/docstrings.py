"""Views of docstrings, such as first line and rest, as texts and as unit vectors of wordllama."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows
from codomain.data import frozen_docstrings
from codomain.encode import resolve


def docstring_texts(*views: str) -> tuple[list[str], ...]:
    """Return one list for each view, item i of all from the same docstring.

    Of docstrings that are copies of each other, one is left: rows to test may not be among those to learn from.

    Views are "text" (all of it), "head" (full name and signature), "first" and "rest" (its first line and what
    follows), and the data's other columns, such as "package"; with "rest", docstrings without 10 characters before the
    first line break and 20 after are left out.
    """
    texts: list[dict[str, Any]] = []
    met: set[str] = set()
    for row in frozen_docstrings().to_pylist():
        first, _, rest = row["text"].partition("\n")
        key = rest.strip() if "rest" in views else row["text"].strip()
        if key in met:
            continue
        met.add(key)
        if "rest" not in views or (len(first) >= 10 and len(rest.strip()) >= 20):
            texts.append(row | {"head": f"{row['id']} {row['signature']}", "first": first, "rest": rest})
    return tuple([each[view] for each in texts] for view in views)


@cache
def docstring_views(*views: str) -> tuple[NDArray[np.float32], ...]:
    """Return the vectors of these texts, an array of shape (n, 256) for each view."""
    encoder = resolve("static:wordllama")
    return tuple(unit_rows(encoder.encode(texts)) for texts in docstring_texts(*views))
