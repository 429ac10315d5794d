"""Rules for parameters: each has its own words for the error, and lists values that it must refuse."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import isfinite
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any

from codomain.core.errors import UserError


class Rule(ABC):
    """The values that one parameter may have."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The allowed values, as words after "must be"."""

    @property
    @abstractmethod
    def refuses(self) -> tuple[Any, ...]:
        """Values for which `allows` must be False."""

    @property
    def lowest(self) -> Any:
        """The smallest allowed value, or None when there is none."""
        return None

    @abstractmethod
    def allows(self, value: Any) -> bool:
        """Whether the value may be used."""

    def check(self, owner: str, name: str, value: Any) -> None:
        """Raise UserError, which is a ValueError, when the value may not be used."""
        if not self.allows(value):
            raise UserError(f"{owner}: {name}={value!r} cannot be used.", needed=f"{name} must be {self.words}")


def _range(low: Any, high: Any, above: bool = False) -> str:
    """Return a range in words."""
    start = "" if low is None else f" above {low}" if above else f" of at least {low}"
    return start + ("" if high is None else f"{' and' if start else ' of'} at most {high}")


@dataclass(frozen=True)
class Int(Rule):
    """A whole number from `low` to `high`, both allowed; `none` allows None too."""

    low: int | None = None
    high: int | None = None
    none: bool = False

    @property
    def words(self) -> str:
        """The allowed values in words."""
        return f"a whole number{_range(self.low, self.high)}{' or None' if self.none else ''}"

    @property
    def refuses(self) -> tuple[Any, ...]:
        """Values just outside, and objects that are not whole numbers."""
        outside = [self.low - 1] if self.low is not None else []
        outside += [self.high + 1] if self.high is not None else []
        return (*outside, (self.low or 0) + 0.5, "1", True, *([] if self.none else [None]))

    @property
    def lowest(self) -> int | None:
        """The lower end."""
        return self.low

    def allows(self, value: Any) -> bool:
        """Whether it is a whole number in range; True and False are not numbers here."""
        if value is None:
            return self.none
        return (
            isinstance(value, Integral)
            and not isinstance(value, bool)
            and (self.low is None or int(value) >= self.low)
            and (self.high is None or int(value) <= self.high)
        )


@dataclass(frozen=True)
class Real(Rule):
    """A finite number from `low` to `high`; `above` excludes `low` itself, `none` allows None too."""

    low: float | None = None
    high: float | None = None
    above: bool = False
    none: bool = False

    @property
    def words(self) -> str:
        """The allowed values in words."""
        return f"a finite number{_range(self.low, self.high, self.above)}{' or None' if self.none else ''}"

    @property
    def refuses(self) -> tuple[Any, ...]:
        """Values just outside, values that are not finite, and objects that are not numbers."""
        outside: list[Any] = [self.low if self.above else self.low - 0.5] if self.low is not None else []
        outside += [self.high + 0.5] if self.high is not None else []
        return (*outside, float("nan"), float("inf"), "1.0", True, *([] if self.none else [None]))

    @property
    def lowest(self) -> float | None:
        """The lower end, or None when `above` excludes it."""
        return None if self.above else self.low

    def allows(self, value: Any) -> bool:
        """Whether it is a finite number in range; True and False are not numbers here."""
        if value is None:
            return self.none
        if not isinstance(value, RealNumber) or isinstance(value, bool) or not isfinite(value):
            return False
        number = float(value)
        if self.low is not None and (number < self.low or (self.above and number == self.low)):
            return False
        return self.high is None or number <= self.high


class OneOf(Rule):
    """One of a few given values."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    @property
    def words(self) -> str:
        """The allowed values in words."""
        return "one of " + ", ".join(repr(value) for value in self.values)

    @property
    def refuses(self) -> tuple[Any, ...]:
        """A value of another name, and the first value misspelt."""
        return ("no such choice", f"{self.values[0]}?")

    def allows(self, value: Any) -> bool:
        """Whether it is one of them and of the same type, so that 1 is not True."""
        return any(type(value) is type(allowed) and value == allowed for allowed in self.values)


class Flag(Rule):
    """True or False."""

    @property
    def words(self) -> str:
        """The allowed values in words."""
        return "True or False"

    @property
    def refuses(self) -> tuple[Any, ...]:
        """Objects that only look like True or False."""
        return (1, 0, "yes", None)

    def allows(self, value: Any) -> bool:
        """Whether it is a bool; numpy's bool counts."""
        return isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}


class Seed(Rule):
    """None, a whole number that can be a seed, or a RandomState."""

    @property
    def words(self) -> str:
        """The allowed values in words."""
        return "None, a whole number from 0 to 2**32 - 1, or a numpy RandomState"

    @property
    def refuses(self) -> tuple[Any, ...]:
        """Numbers that cannot be a seed, and objects that are not numbers."""
        return (-1, 2**32, 0.5, "0", True)

    def allows(self, value: Any) -> bool:
        """Whether scikit-learn's `check_random_state` can start from it."""
        # Comparing the type's name avoids importing numpy in a file that every room imports.
        return value is None or type(value).__name__ == "RandomState" or Int(0, 2**32 - 1).allows(value)
