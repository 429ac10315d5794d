"""Show signs that a terminal would obey instead of printing."""

import unicodedata


def visible(text: str) -> str:
    r"""Return a text in which control signs, and marks that turn the direction of writing, are written out.

    Parameters
    ----------
    text : str
        Any text, of one line or more.

    Returns
    -------
    str
        Line ends and tabs stay; an escape sign becomes ``\\x1b``, a mark of direction ``\\u202e``. Joiners stay too,
        which some scripts and emoji need.

    Examples
    --------
    >>> print(visible("\x1b[31mred\u202etxt.exe"))
    \x1b[31mred\u202etxt.exe
    """
    if text.isprintable():
        return text
    return "".join(_shown(sign) for sign in text)


def _shown(sign: str) -> str:
    if sign in "\n\t\u200c\u200d" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return sign
    return sign.encode("unicode_escape").decode()
