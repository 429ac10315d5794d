"""How many tokens of each text an encoder reads, leaves unread, or does not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TokenCounts:
    """Tokens of some texts as one encoder sees them, special ones and prompts not counted.

    Parameters
    ----------
    read : ndarray of shape (n,), int64
        Tokens that reach the vector.
    unread : ndarray of shape (n,), int64
        Tokens behind the last one that is read.
    unknown : ndarray of shape (n,), int64
        Of those read, the ones that stand for whatever the tokenizer does not know: emoji, say, or another script.
    window : int
        Tokens read at once; a text with more of them was read in windows, or cut. 0 when there is no limit.
    """

    read: NDArray[np.int64]
    unread: NDArray[np.int64]
    unknown: NDArray[np.int64]
    window: int

    @classmethod
    def of(cls, found: Sequence[Sequence[int]], unknown: int | None, room: int, *, cut: bool) -> Self:
        """Count lists of token numbers, when `room` of them are read at once; 0 is no limit."""
        whole = np.array([len(ids) for ids in found], np.int64)
        read = np.minimum(whole, room) if cut and room else whole
        counts = [
            0 if unknown is None else list(ids[:stop]).count(unknown)
            for ids, stop in zip(found, read.tolist(), strict=True)
        ]
        return cls(read, whole - read, np.array(counts, np.int64), room)

    @property
    def cut(self) -> NDArray[np.bool_]:
        """Texts whose end goes unread, of shape (n,)."""
        return self.unread > 0

    @property
    def windowed(self) -> NDArray[np.bool_]:
        """Texts read in more than one window, of shape (n,)."""
        return (self.read > self.window) if self.window else np.zeros(len(self.read), np.bool_)

    @property
    def nothing_known(self) -> NDArray[np.bool_]:
        """Texts without one token that the tokenizer knows, of shape (n,): their vectors say nothing of them."""
        return self.unknown == self.read

    def take(self, rows: NDArray[Any]) -> "TokenCounts":
        """Return the counts of some rows, in their order."""
        return TokenCounts(self.read[rows], self.unread[rows], self.unknown[rows], self.window)

    def to_dict(self) -> dict[str, int]:
        """Return the sums as JSON can hold them."""
        return {
            "texts": len(self.read), "texts_cut": int(self.cut.sum()), "texts_in_windows": int(self.windowed.sum()),
            "texts_with_unknown_tokens": int((self.unknown > 0).sum()),
            "texts_without_known_tokens": int(self.nothing_known.sum()), "tokens_read": int(self.read.sum()),
            "tokens_unread": int(self.unread.sum()), "tokens_unknown": int(self.unknown.sum()),
            "tokens_at_once": self.window,
        }  # fmt: skip

    def sentences(self) -> list[str]:
        """Say what a person should know before trusting the vectors; an empty list when every token is read."""
        n, said = len(self.read), []
        if self.cut.any():
            share = self.unread.sum() / max(self.unread.sum() + self.read.sum(), 1)
            said.append(
                f"{_share(self.cut.sum(), n)} texts are cut after {self.window:,} tokens: {share:.0%} of all tokens "
                "go unread"
            )
        if self.windowed.any():
            said.append(f"{_share(self.windowed.sum(), n)} texts are read in windows of {self.window:,} tokens, pooled")
        if self.unknown.any():
            share = self.unknown.sum() / self.read.sum()
            said.append(
                f"{_share((self.unknown > 0).sum(), n)} texts hold tokens that the tokenizer does not know "
                f"({share:.1%} of all), and {self.nothing_known.sum():,} hold no other"
            )
        return said


def _share(count: int, n: int) -> str:
    return f"{count:,} of {n:,}"


@runtime_checkable
class CountsTokens(Protocol):
    """An encoder that knows what its tokenizer makes of a text."""

    def count(self, texts: Sequence[str]) -> TokenCounts | None:
        """Count the tokens of texts, or return None when it cannot."""


def count_tokens(encoder: Any, texts: Sequence[str]) -> TokenCounts | None:
    """Return what an encoder reads of texts.

    Parameters
    ----------
    encoder : Encoder
        Any encoder.
    texts : sequence of str
        One text per row.

    Returns
    -------
    TokenCounts or None
        None when the encoder does not say; a server does not.
    """
    return encoder.count(texts) if isinstance(encoder, CountsTokens) else None


def unknown_token(model: dict[str, Any], tokenizer: Any) -> int | None:
    """Return the number of the token that stands for what a tokenizer does not know; `model` is its own record."""
    if "unk_id" in model:
        return None if model["unk_id"] is None else int(model["unk_id"])
    word = model.get("unk_token")
    return tokenizer.token_to_id(word) if word else None
