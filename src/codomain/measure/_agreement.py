"""What measures of two spaces share: their record, the moments that most of them need, null and interval."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError

FEWEST = 20  # rows below which a tenth left out says nothing about an interval
_FOLDS = 10
_SHUFFLES = 5
_BLOCK = 8192


@dataclass(frozen=True)
class Agreement:
    """One number about two spaces of the same items, with what it would be by chance.

    Attributes
    ----------
    name : str
        The measure.
    value : float
        What it is for these rows.
    low, high : float
        Interval that holds what other rows of the same kind would give in about 95 of 100 cases, from leaving out a
        tenth of the rows at a time.
    null : float
        The same measure when the rows of the second space are shuffled, so that no item meets itself.
    best : {"high", "low"}
        Which end means that the spaces agree.
    bounds : tuple of float
        Lowest and highest possible value.
    smallest_n : int
        With fewer rows, read the value only beside its null.
    how : str
        How it was measured.
    """

    name: str
    value: float
    low: float
    high: float
    null: float
    best: Literal["high", "low"]
    bounds: tuple[float, float]
    smallest_n: int
    how: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self)


def pair(A: Any, B: Any) -> tuple[Any, Any]:
    """Return two spaces that can be compared, or say why they cannot; memory maps stay where they are."""
    A, B = (space if hasattr(space, "shape") else np.asarray(space) for space in (A, B))
    for space, name in ((A, "A"), (B, "B")):
        if len(space.shape) != 2 or space.shape[1] == 0:
            raise UserError(f"{name} has shape {tuple(space.shape)}.", needed="two dimensions: rows and features")
    if A.shape[0] != B.shape[0]:
        raise UserError(
            f"A has {A.shape[0]} rows and B has {B.shape[0]}.",
            needed="the same items in both, in the same order",
            todo="take the rows that both have, by their id",
        )
    if A.shape[0] < FEWEST:
        raise UserError(f"There are {A.shape[0]} rows.", needed=f"at least {FEWEST} to compare two spaces")
    for space, name in ((A, "A"), (B, "B")):
        first, moves = np.asarray(space[:1], np.float64), False
        for start in range(0, space.shape[0], _BLOCK):
            rows = np.asarray(space[start : start + _BLOCK], np.float64)
            if not np.isfinite(rows).all():
                raise UserError(f"{name} holds a value that is not finite.", needed="finite numbers")
            moves = moves or bool((rows != first).any())
        if not moves:
            raise UserError(f"All rows of {name} are equal.", needed="features that differ from row to row")
    return A, B


class Products(NamedTuple):
    """Sums over rows of two spaces; those of disjoint sets of rows add up.

    With rows a and b: their number, the sums of a and b, of a b', of a |b|^2 and b |a|^2, of |a|^2, |b|^2 and their
    product.
    """

    n: Any
    sum_a: Any
    sum_b: Any
    ab: Any
    a_by_length: Any
    b_by_length: Any
    lengths_a: Any
    lengths_b: Any
    lengths: Any

    @classmethod
    def of(cls, A: NDArray[np.float64], B: NDArray[np.float64]) -> Self:
        """Sum over the rows of two blocks."""
        a, b = (np.einsum("ij,ij->i", Z, Z) for Z in (A, B))
        return cls(len(A), A.sum(axis=0), B.sum(axis=0), A.T @ B, b @ A, a @ B, a.sum(), b.sum(), a @ b)

    def plus(self, other: Self) -> Self:
        """Add the sums of other rows."""
        return type(self)(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def without(self, other: Self) -> Self:
        """Leave out rows that are in the sums."""
        return type(self)(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    def covariance(self) -> NDArray[np.float64]:
        """Cross-covariance of the features, of shape (features of a, features of b), times the number of rows."""
        return np.asarray(self.ab - np.outer(self.sum_a, self.sum_b) / self.n)


class Moments(NamedTuple):
    """Sums over rows of the first space with itself, of the first with the second, of the second with itself."""

    aa: Products
    ab: Products
    bb: Products


class Sums:
    """Moments of two spaces, read in blocks: memory is one block and a few products of features, whatever the rows."""

    def __init__(self, A: Any, B: Any, random_state: int) -> None:
        self.n, self.rng = A.shape[0], np.random.default_rng(random_state)
        # Coordinates in the span of the rows have the same inner products and are as few as the rows.
        self.spaces = [
            np.asarray(np.linalg.qr(np.asarray(Z, np.float64).T, mode="r")).T if Z.shape[1] > self.n else Z
            for Z in (A, B)
        ]
        # Taking the means off first changes no measure and keeps the digits of spaces far from the origin.
        self.means = [
            sum(np.asarray(Z[s : s + _BLOCK], np.float64).sum(axis=0) for s in range(0, self.n, _BLOCK)) / self.n
            for Z in self.spaces
        ]
        self.whole = Moments(*self._over(np.arange(self.n), np.arange(self.n), itself=True))

    def _over(self, rows: NDArray[Any], partners: NDArray[Any], *, itself: bool) -> list[Products]:
        """Sum over some rows of A beside rows of B; also of each space beside itself."""
        found: list[Products] = []
        for start in range(0, len(rows), _BLOCK):
            a, b = (
                np.asarray(Z[chosen[start : start + _BLOCK]], np.float64) - mean
                for Z, chosen, mean in zip(self.spaces, (rows, partners), self.means, strict=True)
            )
            parts = [Products.of(*both) for both in (((a, a), (a, b), (b, b)) if itself else ((a, b),))]
            found = [old.plus(new) for old, new in zip(found, parts, strict=True)] if found else parts
        return found

    def without_a_tenth(self) -> Iterator[Moments]:
        """Yield the moments with each tenth of the rows left out, drawn at random."""
        fold = self.rng.permutation(self.n) % _FOLDS
        for own in (np.flatnonzero(fold == f) for f in range(_FOLDS)):
            tenth = self._over(own, own, itself=True)
            yield Moments(*(all_.without(part) for all_, part in zip(self.whole, tenth, strict=True)))

    def shuffled(self) -> Iterator[Moments]:
        """Yield the moments with the rows of B in another order, a few times."""
        for _ in range(_SHUFFLES):
            yield self.whole._replace(ab=self._over(np.arange(self.n), self.rng.permutation(self.n), itself=False)[0])


def around(value: float, parts: NDArray[Any] | list[float], bounds: tuple[float, float]) -> tuple[float, float]:
    """Interval of 95 in 100 from the values with a tenth of the rows left out at a time (the jackknife)."""
    spread = float(np.sqrt((_FOLDS - 1) / _FOLDS * np.sum((np.asarray(parts) - np.mean(parts)) ** 2)))
    low, high = value - 2.262 * spread, value + 2.262 * spread  # t with 9 degrees of freedom
    return max(low, bounds[0]), min(high, bounds[1])


def judged(
    name: str, formula: Callable[[Moments], float], A: Any, B: Any, *, best: Literal["high", "low"],
    bounds: tuple[float, float], smallest_n: int, how: str, random_state: int,
) -> Agreement:  # fmt: skip
    """Apply a formula of the moments to all rows, to nine tenths of them, and to shuffled ones."""
    sums = Sums(A, B, random_state)
    value = min(max(formula(sums.whole), bounds[0]), bounds[1])
    low, high = around(value, [formula(part) for part in sums.without_a_tenth()], bounds)
    null = float(np.mean([formula(part) for part in sums.shuffled()]))
    return Agreement(name, value, low, high, null, best, bounds, smallest_n, f"{how}, over {sums.n:,} rows.")
