"""Rooms that import a file only when one of its names is used."""

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A package whose exported names win over files of the same name.

    Importing `measure/health.py` binds the module to `measure.health`; where `health` is also the function that the
    room exports, the function must stay what people get, in whatever order things were imported.
    """

    _homes: dict[str, str]

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and self._homes.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the room's function of the room's own name, as in `codomain.study(...)`, which is also a package."""
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


def attach(package: str, homes: dict[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return the `__getattr__`, `__dir__` and `__all__` of a package that imports on first use.

    Parameters
    ----------
    package : str
        The package's `__name__`.
    homes : dict of str to str
        Public name to the file of the package, without `.py`, that defines it.

    Returns
    -------
    tuple
        Assign it to `__getattr__, __dir__, __all__`.
    """
    room = sys.modules[package]
    room.__dict__["_homes"] = homes
    room.__class__ = _Room

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(room, name, value)
        return value

    return get, lambda: sorted({*room.__dict__, *homes}), sorted(homes)
