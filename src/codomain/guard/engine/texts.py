"""Checks of texts: copies, one vector for other texts, texts that are cut, texts that the encoder does not know."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codomain.guard.engine.check import Check, n_rows, worst_first

if TYPE_CHECKING:
    from codomain.encode import TokenCounts

Found = tuple[Check, NDArray[Any]]


def copies(first: NDArray[np.int64], texts: Sequence[Any] | None) -> Found:
    """List rows that repeat an earlier one: its text, or without texts its vector."""
    n = len(first)
    sizes = np.bincount(first, minlength=n)[first]
    flagged = np.flatnonzero(first != np.arange(n))
    worst = worst_first(flagged, sizes)
    findings = []
    for row in worst.tolist():
        blank = texts is not None and not str(texts[row]).strip()
        same = f"Same {'vector' if texts is None else 'text'} as the other row"
        why = "No text, like the other row" if blank else same
        why += f"; {sizes[row]:,} rows are alike." if sizes[row] > 2 else "."
        findings.append({"row": row, "other": int(first[row]), "score": float(sizes[row]), "why": why})
    says = (
        f"{n_rows(len(flagged))} ({len(flagged) / n:.1%}) repeat an earlier row."
        if len(flagged)
        else "No row repeats another."
    )
    how = (
        "Vectors are compared number for number; there are no texts to compare."
        if texts is None
        else "Texts are compared letter for letter, in Unicode's composed form (NFC) and without white space around "
        "them; their vectors are not asked."
    ) + " The first row of each family is not flagged: the others can go."
    return Check("duplicate", "Copies", says, how, len(flagged), worst.tolist(), findings), flagged


def equal_vectors(alike: NDArray[np.int64], family: NDArray[np.int64], texts: Sequence[Any]) -> Found:
    """List rows whose vector an earlier row with another text has."""
    n = len(alike)
    # The first row of a text stands for it; the text that has a vector first keeps it.
    head = family == np.arange(n)
    flagged = np.flatnonzero(head & (family[alike] != family))
    texts_with = np.bincount(alike[head], minlength=n)[alike]
    worst = worst_first(flagged, texts_with)
    findings = []
    for row in worst.tolist():
        other = int(alike[row])
        one, two = (" ".join(str(texts[place]).split()).casefold() for place in (row, other))
        why = "Same vector as the other row, whose text differs"
        why += " in case or white space only" if one == two else ": the encoder does not see the difference"
        why += f"; {texts_with[row]:,} texts have this vector." if texts_with[row] > 2 else "."
        findings.append({"row": row, "other": other, "score": float(texts_with[row]), "why": why})
    says = (
        f"{n_rows(len(flagged))} ({len(flagged) / n:.1%}) have the vector of an earlier row, though the texts differ."
        if len(flagged)
        else "Different texts have different vectors."
    )
    how = (
        "Vectors are compared within the rounding of their numbers, and texts as for copies. These rows are no copies, "
        "so keep them: the encoder cannot tell them apart, because it reads only the beginning of a text, does not "
        "know its letters, or drops case and accents. No search by meaning can tell them apart either."
    )
    return Check("same_vector", "Same vector, other text", says, how, len(flagged), worst.tolist(), findings), flagged


def cut_texts(tokens: "TokenCounts") -> Found:
    """List rows whose text has an end that the encoder does not read."""
    flagged = np.flatnonzero(tokens.unread > 0)
    whole = np.maximum(tokens.read + tokens.unread, 1)
    worst = worst_first(flagged, tokens.unread / whole)
    findings = [
        {
            "row": row, "other": None, "score": float(tokens.unread[row] / whole[row]),
            "why": f"{tokens.unread[row]:,} of its {whole[row]:,} tokens go unread.",
        }
        for row in worst.tolist()
    ]  # fmt: skip
    lost = tokens.unread.sum() / max(int(whole.sum()), 1)
    says = (
        f"{n_rows(len(flagged))} ({len(flagged) / len(whole):.1%}) are longer than the encoder reads: "
        f"{tokens.unread.sum():,} tokens ({lost:.1%} of all) go unread."
        if len(flagged)
        else "Every text is read to its end."
    )
    windowed = int(tokens.windowed.sum())
    how = "Tokens are counted by the encoder's own tokenizer. What goes unread changes no vector and cannot be found."
    if windowed:
        how += (
            f" {n_rows(windowed)} are longer than the {tokens.window:,} tokens that are read at once: they are read "
            "in windows, and their vector is the mean of the windows', weighted by tokens."
        )
    return Check("cut_text", "Texts cut short", says, how, len(flagged), worst.tolist(), findings), flagged


def unknown_texts(tokens: "TokenCounts") -> Found:
    """List rows of whose text the encoder knows nothing."""
    flagged = np.flatnonzero(tokens.unknown == tokens.read)
    worst = worst_first(flagged, tokens.unknown)
    findings = [
        {
            "row": row, "other": None, "score": float(tokens.unknown[row]),
            "why": f"None of its tokens ({tokens.unknown[row]:,}) is known: its vector says nothing about it.",
        }
        for row in worst.tolist()
    ]  # fmt: skip
    share = tokens.unknown.sum() / max(int(tokens.read.sum()), 1)
    some = int((tokens.unknown > 0).sum())
    says = (
        f"{n_rows(len(flagged))} ({len(flagged) / len(tokens.read):.1%}) hold nothing that the encoder knows."
        if len(flagged)
        else "Every text holds something that the encoder knows."
    )
    how = (
        f"{n_rows(some)} hold tokens that the encoder's tokenizer does not know, {tokens.unknown.sum():,} in all "
        f"({share:.1%} of those read): emoji or another script, say. All of them look the same to it. A row is flagged "
        "when it holds no other; its vector, its neighbours and its group then mean nothing. Another encoder may know "
        "them."
    )
    return Check("unknown_text", "Nothing known", says, how, len(flagged), worst.tolist(), findings), flagged


def shared_words(texts: Sequence[Any] | None, row: int, other: int) -> str:
    """Return what share of the words of two texts both hold, as the end of a sentence; empty without texts."""
    if texts is None:
        return ""
    one, two = (set(re.findall(r"\w+", str(texts[place]).casefold())) for place in (row, other))
    return f"; they share {len(one & two) / len(one | two):.0%} of their words" if one | two else ""
