"""Cut a text into words, whatever its script: the same for texts and for questions."""

import re
import unicodedata
from functools import cache
from itertools import groupby

MOST_WORDS = 64  # sqlite refuses expressions that are nested much deeper
# Words that say nothing of the subject; a question made of them alone is still looked up.
STOP_WORDS = frozenset(
    "a about after all an and any are as at be been but by can could did do does for from had has have how i if in "
    "into is it its me my no not of on or our should so some than that the their them then there these they this "
    "those to was we were what when where which who why will with would you your".split()
)
# Scripts that do not mark where a word ends: each letter is a token, and a word is a phrase of letters. The last number
# is how many letters a piece of a long run has: two where a letter is a syllable or a word, four where it is a sound.
UNSPACED = (
    (0x3005, 0x3007, 2), (0x3021, 0x3029, 2), (0x3041, 0x30FF, 2), (0x3105, 0x312F, 2), (0x31A0, 0x31BF, 2),
    (0x31F0, 0x31FF, 2), (0x3400, 0x4DBF, 2), (0x4E00, 0x9FFF, 2), (0xF900, 0xFAFF, 2), (0x1B000, 0x1B16F, 2),
    (0x20000, 0x3FFFD, 2),  # Chinese and Japanese
    (0x1100, 0x11FF, 2), (0xA960, 0xA97F, 2), (0xAC00, 0xD7FF, 2),  # Korean, whose particles stick to the words
    (0x0E00, 0x0EFF, 4), (0x1000, 0x109F, 4), (0xA9E0, 0xA9FF, 4), (0xAA60, 0xAA7F, 4),  # Thai, Lao, Myanmar
    (0x1780, 0x17FF, 4), (0x1950, 0x19DF, 4), (0x1A20, 0x1AAF, 4), (0xAA80, 0xAADF, 4),  # Khmer, Tai
)  # fmt: skip
# Accents, vowel points and invisible signs, which one person writes and another does not.
IGNORED = (
    (0xAD, 0xAD), (0x300, 0x36F), (0x483, 0x487), (0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C4, 0x5C5),
    (0x5C7, 0x5C7), (0x610, 0x61A), (0x61C, 0x61C), (0x640, 0x640), (0x64B, 0x65F), (0x670, 0x670), (0x6D6, 0x6DC),
    (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x200C, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069), (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xFEFF, 0xFEFF), (0xE0100, 0xE01EF),
)  # fmt: skip


def tokens(text: str) -> list[str]:
    """Return the words of a text in order, without case and accents; in scripts without spaces, the letters.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        None of them empty or with a blank in it.
    """
    if text.isascii():
        return re.findall(r"[^\W_]+", text.lower())
    word, unspaced, piece, ignored = _patterns()
    plain = ignored.sub("", unicodedata.normalize("NFKD", text)).lower()
    found = word.findall(unicodedata.normalize("NFC", plain).replace("_", " "))
    return [part for one in found for part in piece.findall(one)] if unspaced.search(plain) else found


def alternatives(part: str) -> list[str]:
    """Return what to look up for a word as a person typed it: itself, or the pieces of a long run without spaces.

    Parameters
    ----------
    part : str
        What stands between two blanks.

    Returns
    -------
    list of str
        Any of them will do. A run of more than twice as many letters as a piece has is rather a sentence than a word.
    """
    found: list[str] = []
    runs = [(size, list(run)) for size, run in groupby(tokens(part), piece_length)]
    for size, run in runs:
        pieces = [run] if not size or len(run) <= 2 * size else [run[i : i + size] for i in range(len(run) - size + 1)]
        found.extend((" " if not size else "").join(one) for one in pieces)
    return found if len(found) > 1 else [part]


def piece_length(token: str) -> int:
    """Return how many letters a piece of a run of such tokens has; 0 where words have blanks between them."""
    return next((size for low, high, size in UNSPACED if low <= ord(token[0]) <= high), 0)


def query_language() -> dict[str, object]:
    """Return what another reader of questions, such as a page, needs to read them as `Query.parse` does."""
    return {"stop_words": sorted(STOP_WORDS), "unspaced": UNSPACED, "ignored": IGNORED, "most_words": MOST_WORDS}


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    def some(ranges: tuple[tuple[int, ...], ...]) -> str:
        return "".join(f"{chr(low)}-{chr(high)}" for low, high, *_ in ranges)

    # Vowels of Indian and other scripts are marks, which \w leaves out.
    every = (chr(c) for c in range(0x300, 0x1F000) if unicodedata.category(chr(c))[0] == "M")
    marks, far = ("".join(part) for _, part in groupby(every, lambda mark: ord(mark) > 0xFFFF))
    letters = some(UNSPACED)
    return (
        # `re` has a table for sets below 0x10000 only, so that the marks above are looked for last and apart.
        re.compile(rf"\w(?:[\w{marks}]+|(?=[^\0-\uffff])[{far}])*"), re.compile(f"[{letters}]"),
        re.compile(f"[{letters}][{marks}]*|[^{letters}]+"), re.compile(f"[{some(IGNORED)}]"),
    )  # fmt: skip
