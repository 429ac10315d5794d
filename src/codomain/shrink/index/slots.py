"""The places of a vector's columns when it is cut into equal parts."""

import numpy as np

from codomain.core.maths.rows import Ints


def slots_of(width: int, parts: int) -> tuple[int, Ints]:
    """Return the columns of a part when a width is cut into equal parts, and the place of each column.

    A width that does not divide is spread over the parts and padded, so that no part is made of padding alone.
    """
    size, cuts = -(-width // parts), np.array_split(np.arange(width), parts)
    return size, np.concatenate([size * part + np.arange(len(cut)) for part, cut in enumerate(cuts)])
