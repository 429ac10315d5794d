"""Views of the standard library's docstrings as unit vectors of wordllama, read once for all seeds of a claim."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows


@cache
def docstring_views(resolve: Callable[[str], Any], *views: str) -> tuple[NDArray[np.float32], ...]:
    """Return one array of shape (n, 256) for each view, row i of all about the same docstring.

    `resolve` is that of `codomain.encode`. Views are "text" (all of it), "head" (full name and signature), "first" and
    "rest" (its first line and what follows); with "rest", docstrings without 10 characters before the first line break
    and 20 after are left out.
    """
    from codomain.data import stdlib_docstrings

    texts: list[dict[str, Any]] = []
    for row in stdlib_docstrings().to_pylist():
        first, _, rest = row["text"].partition("\n")
        if "rest" not in views or (len(first) >= 10 and len(rest.strip()) >= 20):
            texts.append({"text": row["text"], "head": f"{row['id']} {row['signature']}", "first": first, "rest": rest})
    encoder = resolve("static:wordllama")
    return tuple(unit_rows(encoder.encode([each[view] for each in texts])) for view in views)
