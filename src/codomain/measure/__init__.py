"""Say how good a space is, with how we know."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.measure.fisher_ratio import fisher_ratio as fisher_ratio
    from codomain.measure.head_accuracy import head_accuracy as head_accuracy
    from codomain.measure.health import Measure as Measure
    from codomain.measure.health import health as health
    from codomain.measure.unsup_class_sep import ClassSeparability as ClassSeparability

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ClassSeparability": "unsup_class_sep",
        "Measure": "health",
        "fisher_ratio": "fisher_ratio",
        "head_accuracy": "head_accuracy",
        "health": "health",
    },
)
