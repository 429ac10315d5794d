"""Which form an answer takes: what the address names, or what the header Accept likes best."""

import re
from collections.abc import Sequence

from codomain.core import UserError

FORMS = {
    "json": "application/json", "html": "text/html", "md": "text/markdown", "atom": "application/atom+xml",
    "feed": "application/feed+json",
}  # fmt: skip


class NoFormError(UserError):
    """The answer has none of the forms that were asked for."""


def choose(accept: str | None, named: str | None, offers: Sequence[str]) -> str:
    """Return the form of an answer.

    Parameters
    ----------
    accept : str or None
        The header, with its q-values; None accepts anything.
    named : str or None
        A key of `FORMS` that the address names; it counts more than the header.
    offers : sequence of str
        Keys of `FORMS` that the answer has; the first is given to who accepts anything.

    Returns
    -------
    str
        One of the offers: the one with the highest q, of equals the one that the header names first.

    Raises
    ------
    NoFormError
        When none will do.

    Examples
    --------
    >>> choose("text/html;q=0.5, application/json", None, ["html", "json"])
    'json'
    """
    there = ", ".join(f"{form} ({FORMS[form]})" for form in offers)
    if named is not None:
        if named not in offers:
            raise NoFormError(f"There is no form {named[:40]!r} of this.", needed=f"one of {there}")
        return named
    ranges = read_accept(accept) if accept and accept.strip() else [("*/*", 1.0)]
    ranked = []
    for order, form in enumerate(offers):
        q, place = quality(FORMS[form], ranges)
        if q > 0:
            ranked.append((-q, place, order, form))
    if not ranked:
        raise NoFormError(f"No form of this is among {(accept or '')[:200]!r}.", needed=f"one of {there}")
    return min(ranked)[-1]


def read_accept(header: str) -> list[tuple[str, float]]:
    """Return the ranges of a header Accept with their q, 0 to 1; what cannot be read is left out."""
    found = []
    for part in header.split(",")[:100]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        values = [re.fullmatch(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)", parameter) for parameter in parameters]
        if re.fullmatch(r"[^/\s]+/[^/\s]+", name):
            found.append((name, min(1.0, next((float(value[1]) for value in values if value), 1.0))))
    return found


def quality(kind: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Return the q of a type by the range that names it most exactly, and that range's place; 0 when there is none."""
    for name in (kind, kind.split("/")[0] + "/*", "*/*"):
        for place, (pattern, q) in enumerate(ranges):
            if pattern == name:
                return q, place
    return 0.0, len(ranges)
