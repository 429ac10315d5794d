"""Codomain: measure, shrink, search, group, audit and explain the features that models make."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "open", "read", "study", "write"]

if TYPE_CHECKING:
    from codomain.space import open, read, write
    from codomain.study import study


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import codomain` stays light."""
    if name not in __all__:
        raise AttributeError(f"module 'codomain' has no attribute {name!r}")
    if name == "study":  # a package that can be called
        return import_module("codomain.study")
    return getattr(import_module("codomain.space"), name)
