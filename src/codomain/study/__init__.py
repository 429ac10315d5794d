"""The main job: from a table or bare vectors to a sealed space and one report."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.study.export import export as export
    from codomain.study.find import find as find
    from codomain.study.resize import Shrunk as Shrunk
    from codomain.study.resize import shrink as shrink
    from codomain.study.run import Study as Study
    from codomain.study.run import add as add
    from codomain.study.run import study as study
    from codomain.study.stages import Settings as Settings

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Settings": "stages",
        "Shrunk": "resize",
        "Study": "run",
        "add": "run",
        "export": "export",
        "find": "find",
        "shrink": "resize",
        "study": "run",
    },
)
