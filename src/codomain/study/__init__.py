"""The main job: from a table or bare vectors to a sealed space and one report."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Settings", "Study", "add", "study"]

if TYPE_CHECKING:
    from codomain.study.run import Study, add, study
    from codomain.study.stages import Settings

_HOMES = {"Settings": "stages", "Study": "run", "add": "run", "study": "run"}


def __getattr__(name: str) -> Any:
    """Import the job when it is first used: it brings every room."""
    if name not in _HOMES:
        raise AttributeError(f"module 'codomain.study' has no attribute {name!r}")
    return getattr(import_module(f"codomain.study.{_HOMES[name]}"), name)
