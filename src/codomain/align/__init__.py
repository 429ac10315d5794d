"""Make two spaces speak to each other."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.align.procrustes import Procrustes as Procrustes
    from codomain.align.relative_representations import RelativeRepresentation as RelativeRepresentation

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Procrustes": "procrustes",
        "RelativeRepresentation": "relative_representations",
    },
)
