"""What measures of two spaces share: the moments that most of them need, null and interval."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from codomain.core import UserError, bar
from codomain.core.maths.blocks import slices
from codomain.measure.shared.interval import FOLDS, jackknife_interval
from codomain.measure.shared.record import Measure

FEWEST = 20  # with fewer rows, leaving out tenths gives no useful interval
_SHUFFLES = 5
_SMALL = 512  # features up to which taking products of features apart is faster on one thread than on several
_BLOCK = 8192


def check_pair(A: Any, B: Any) -> tuple[Any, Any]:
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
        for block in slices(space.shape[0], _BLOCK):
            rows = np.asarray(space[block], np.float64)
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
    def of(cls, A: NDArray[Any], B: NDArray[Any]) -> Self:
        """Sum over the rows of two blocks; sums have 64 bits, whatever the dtype of the blocks."""
        a, b = (np.einsum("ij,ij->i", Z, Z) for Z in (A, B))
        sums = (A.sum(axis=0), B.sum(axis=0), A.T @ B, b @ A, a @ B, a.sum(), b.sum(), a @ b)
        return cls(len(A), *(np.asarray(part, np.float64) for part in sums))

    def add(self, other: Self) -> Self:
        """Add the sums of other rows."""
        return type(self)(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def subtract(self, other: Self) -> Self:
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


def _ordinary(Z: Any) -> bool:
    """Whether float32 holds the squares of these numbers and their sums."""
    largest = max(float(np.max(np.abs(Z[s : s + _BLOCK]), initial=0)) for s in range(0, Z.shape[0], _BLOCK))
    return largest == 0 or 2.0**-30 < largest < 2.0**30


class Sums:
    """Moments of two spaces, read in blocks: memory is one block and a few products of features, whatever the rows."""

    def __init__(self, A: Any, B: Any, random_state: int) -> None:
        self.n, self.seed, self.widths = A.shape[0], random_state, (A.shape[1], B.shape[1])
        small = all(np.dtype(Z.dtype).itemsize <= 4 and np.dtype(Z.dtype).kind == "f" and _ordinary(Z) for Z in (A, B))
        self.dtype = np.float32 if small else np.float64  # of products within a block
        # Coordinates in the span of the rows have the same inner products and are at most as many as the rows.
        self.spaces = [
            np.asarray(np.linalg.qr(np.asarray(Z, np.float64).T, mode="r")).T if Z.shape[1] > self.n else Z
            for Z in (A, B)
        ]
        # Subtracting the means first changes no measure and keeps precision for spaces far from the origin.
        self.means = [
            sum(np.asarray(Z[rows], np.float64).sum(axis=0) for rows in slices(self.n, _BLOCK)) / self.n
            for Z in self.spaces
        ]
        self.whole = Moments(*self._sum(np.arange(self.n), np.arange(self.n), itself=True))

    def _sum(self, rows: NDArray[Any], partners: NDArray[Any], *, itself: bool) -> list[Products]:
        """Sum over some rows of A paired with rows of B; with `itself` also of each space paired with itself."""
        found: list[Products] = []
        for some in slices(len(rows), _BLOCK):
            a, b = (
                (np.asarray(Z[chosen[some]], np.float64) - mean).astype(self.dtype)
                for Z, chosen, mean in zip(self.spaces, (rows, partners), self.means, strict=True)
            )
            parts = [Products.of(*both) for both in (((a, a), (a, b), (b, b)) if itself else ((a, b),))]
            found = [old.add(new) for old, new in zip(found, parts, strict=True)] if found else parts
        return found

    def leave_tenths_out(self) -> Iterator[Moments]:
        """Yield the moments with each tenth of the rows left out, drawn at random."""
        fold = np.random.default_rng([self.seed, 0]).permutation(self.n) % FOLDS
        for own in (np.flatnonzero(fold == f) for f in range(FOLDS)):
            tenth = self._sum(own, own, itself=True)
            yield Moments(*(all_.subtract(part) for all_, part in zip(self.whole, tenth, strict=True)))

    def shuffle_rows(self) -> Iterator[Moments]:
        """Yield the moments with the rows of B in another order, a few times."""
        for shuffle in range(_SHUFFLES):
            order = np.random.default_rng([self.seed, 1 + shuffle]).permutation(self.n)
            yield self.whole._replace(ab=self._sum(np.arange(self.n), order, itself=False)[0])


class Formula(NamedTuple):
    """A measure of two spaces that needs nothing but their moments."""

    name: str
    title: str
    of: Callable[[Moments], float]
    unit: str
    best: Literal["high", "low"]
    bounds: tuple[float, float]
    smallest_n: Callable[[int, int], int]
    how: str


def apply_formulas(formulas: Sequence[Formula], sums: Sums, *, progress: bool = False) -> list[Measure | UserError]:
    """Apply formulas of the moments to all rows, to nine tenths of them, and to shuffled ones; or say why not."""
    found: list[Measure | UserError] = []
    values: dict[str, list[float]] = {}
    refused: dict[str, UserError] = {}

    def collect(moments: Moments) -> None:
        for formula in formulas:
            if formula.name not in refused:
                try:
                    values.setdefault(formula.name, []).append(formula.of(moments))
                except UserError as error:
                    refused[formula.name] = error

    threads = 1 if max(sums.widths) <= _SMALL else None
    total = 1 + FOLDS + _SHUFFLES if progress else 0
    with threadpool_limits(threads, user_api="blas"), bar("measures", total=total, unit="passes") as tick:
        collect(sums.whole)
        tick(1)
        if len(refused) < len(formulas):
            for part in chain(sums.leave_tenths_out(), sums.shuffle_rows()):
                collect(part)
                tick(1)
    for formula in formulas:
        if formula.name in refused:
            found.append(refused[formula.name])
            continue
        value, *parts = values[formula.name]
        value = min(max(value, formula.bounds[0]), formula.bounds[1])
        low, high = jackknife_interval(value, parts[:FOLDS], formula.bounds)
        null = float(np.mean(parts[FOLDS:]))
        found.append(make_record(
            formula.name, formula.title, value, formula.unit, low, high, null, formula.best, formula.bounds,
            formula.smallest_n(*sums.widths), f"{formula.how}, over {sums.n:,} rows; the null shuffles the rows of one "
            f"space {_SHUFFLES} times.", sums.n,
        ))  # fmt: skip
    return found


def apply_formula(formula: Formula, A: Any, B: Any, random_state: int) -> Measure:
    """Apply one formula, or raise why not."""
    [found] = apply_formulas([formula], Sums(*check_pair(A, B), random_state))
    if isinstance(found, UserError):
        raise found
    return found


def make_record(
    name: str, title: str, value: float, unit: str, low: float, high: float, null: float, best: Literal["high", "low"],
    bounds: tuple[float, float], smallest_n: int, how: str, n: int,
) -> Measure:  # fmt: skip
    """Return the record of a measure of two spaces, with a sentence that compares the value with its null."""
    whole = bounds[1] if best == "high" else bounds[0]
    share = (value - null) / (whole - null) if whole != null else 0.0
    beyond = low > null if best == "high" else high < null
    says = (
        f"{value:z.2f}, where shuffled rows have {null:z.2f} and equal spaces {whole:g}: {share:.0%} of the way."
        if beyond
        else f"{value:z.2f}, and rows that have nothing to do with each other have {null:z.2f}."
    )
    return Measure(
        name, title, value, unit, low, high, null, best, "none", says, how, smallest_n, bounds
    ).careful(n)  # fmt: skip
