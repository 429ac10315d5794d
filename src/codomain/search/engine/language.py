"""The language of questions: plain words are alternatives, "quoted words" stand together, -word leaves rows out."""

import re
from dataclasses import dataclass
from typing import Self

from codomain.search.engine.words import MOST_WORDS as MOST_WORDS
from codomain.search.engine.words import STOP_WORDS, alternatives, piece_length, tokens


@dataclass(frozen=True)
class Query:
    """A question as the person typed it, taken apart; `page/search.js` of the report reads it in the same way."""

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    without: tuple[str, ...]
    wanted: str  # the question minus what is not wanted, as an encoder should read it

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split plain words, "quoted phrases" and -unwanted ones; nothing else has a meaning."""
        words: list[str] = []
        phrases: list[str] = []
        without: list[str] = []
        wanted: list[str] = []
        for found in re.finditer(r'(?:(?<=\s)|^)(-?)"([^"]*)"|(\S+)', text.replace("\0", " ")):
            minus, quoted, bare = found.groups(default="")
            if bare:
                minus, bare = (bare[0], bare[1:]) if bare[0] == "-" else ("", bare)
            part = (quoted or bare).replace('"', " ").strip()
            telling = bool(tokens(part))
            if not (minus and telling):
                wanted.append(found[0])
            if telling and (minus or quoted):
                (without if minus else phrases).append(part)
            elif telling:
                words.extend(alternatives(part))
        subject = [word for word in words if phrase(word) not in STOP_WORDS] or words
        few, close, gone = (tuple(dict.fromkeys(parts))[:MOST_WORDS] for parts in (subject, phrases, without))
        return cls(few, close, gone, " ".join(wanted) if without else text)

    def match(self) -> str:
        """Write it for sqlite: any word, every phrase, none of the unwanted."""
        parts = [quoted(part) for part in self.phrases]
        if self.words:
            parts.append("(" + " OR ".join(map(quoted, self.words)) + ")")
        wanted = " AND ".join(parts)
        return f"({wanted})" + "".join(f" NOT {quoted(part)}" for part in self.without) if wanted else ""

    def held_by(self, text: str) -> tuple[str, ...]:
        """Return the words and phrases that a text holds; pieces that overlap in it are one."""
        folded = f" {phrase(text)} "
        found: list[str] = []
        for part in (*self.words, *self.phrases):
            if f" {phrase(part)} " not in folded:
                continue
            before, now = tokens(found[-1]) if found else [], tokens(part)
            overlap = len(now) - 1
            if (
                piece_length(now[0])
                and overlap
                and before[-overlap:] == now[:-1]
                and f" {' '.join([*before, now[-1]])} " in folded
            ):
                found[-1] += now[-1]
            else:
                found.append(part)
        return tuple(found)


def phrase(part: str) -> str:
    """Return the words of a part with one blank between them."""
    return " ".join(tokens(part))


def quoted(part: str) -> str:
    """Return a part as sqlite takes a phrase: words have no signs in them that need care."""
    return f'"{phrase(part)}"'
