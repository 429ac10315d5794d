"""The interface of every index of rows, and the one that a file holds."""

from typing import ClassVar, Protocol, Self

from codomain.core.maths.rows import Floats, Ints
from codomain.shrink.index.flat import FaissIndex
from codomain.shrink.index.lists import Lists
from codomain.shrink.index.signs import Signs
from codomain.shrink.index.waterfill import Waterfill


class Index(Protocol):
    """Codes of rows that can be searched; rows and queries have length 1 and their full width.

    Attributes
    ----------
    suffix : str
        How the name of its file ends.
    magic : bytes
        How its file begins.
    d : int
        Columns of a row.
    """

    suffix: ClassVar[str]
    magic: ClassVar[bytes]
    d: int

    @property
    def ntotal(self) -> int:
        """Rows it holds."""

    def add(self, rows: Floats) -> None:
        """Code rows and keep them."""

    def search(self, Q: Floats, k: int) -> tuple[Floats, Ints]:
        """Return cosines and rows, both of shape (n_queries, k), best first; row -1 where there are no more."""

    def candidates(self, Q: Floats, k: int) -> Ints:
        """Rows that the code ranks first, before any rescoring, of shape (n_queries, k)."""

    def project(self, rows: Floats) -> Floats:
        """Rows after the projection, before coding."""

    def scan_bytes(self) -> int:
        """Bytes of code that a search reads for each row, before rescoring."""

    def to_bytes(self) -> bytes:
        """Return everything as one file."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote."""


def index_of(data: bytes) -> Index:
    """Return the index that a file holds: the one whose `magic` it begins with, else faiss's.

    The caller checks the seal first: faiss crashes on a damaged file.
    """
    kinds: tuple[type[Index], ...] = (Waterfill, Signs, Lists)
    return next((kind for kind in kinds if data.startswith(kind.magic)), FaissIndex).from_bytes(data)
