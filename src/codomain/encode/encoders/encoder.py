"""What every text encoder offers."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, UserError


class Encoder(Protocol):
    """Anything that turns texts into vectors and says who it is."""

    @property
    def identity(self) -> EncoderIdentity:
        """What its vectors are bound to."""

    @property
    def batch_rows(self) -> int:
        """Texts worth handing over at once, some seconds of work at most: `encode_rows` resumes after each so many."""

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return the vectors of texts, of shape (n, identity.dim), with the query's prefix when `query`."""


class BadRow(UserError):  # noqa: N818 - the name says what it is about
    """One text of a batch could not be encoded.

    Parameters
    ----------
    row : int
        Its place among the texts handed over.
    why : str
        What happened to it.
    todo : str, default=""
        What to change.
    """

    def __init__(self, row: int, why: str, *, todo: str = "") -> None:
        super().__init__(f"Row {row}: {why}", todo=todo)
        self.row, self.why = row, why

    def at(self, row: int) -> "BadRow":
        """Return the same error for another row number."""
        return BadRow(row, self.why, todo=self.todo)
