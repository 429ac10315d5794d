"""Leave out of texts the lines that many of them share: headers, signatures, forms."""

import re
from collections import Counter
from collections.abc import Sequence

_END = re.compile(r"\r\n|\n|\r")
SHARED = 3  # texts that hold a line word for word, from which on it is nobody's own


def own_lines(texts: Sequence[str]) -> list[str]:
    """Return texts without the lines that stand word for word in three of them or more.

    A text that has no line of its own, as every copy and many a one-line text, stays as it is.

    Parameters
    ----------
    texts : sequence of str
        Any; only line feeds and carriage returns end a line.

    Returns
    -------
    list of str
        As many.
    """
    lines = [[" ".join(line.split()) for line in _END.split(text)] for text in texts]
    counts = Counter(line for own in lines for line in set(own) if line)
    kept = []
    for text, own in zip(texts, lines, strict=True):
        left = [line for line in own if line and counts[line] < SHARED]
        kept.append("\n".join(left) if left else text)
    return kept
