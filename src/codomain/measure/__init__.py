"""Say how good a space is, with how we know."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.measure.convergent_learning import ConvergentLearning as ConvergentLearning
    from codomain.measure.fisher_ratio import fisher_ratio as fisher_ratio
    from codomain.measure.head_accuracy import head_accuracy as head_accuracy
    from codomain.measure.health import Measure as Measure
    from codomain.measure.health import health as health
    from codomain.measure.nc_deep_linear import NeuralCollapse as NeuralCollapse
    from codomain.measure.robustness_lottery import LogitGeometry as LogitGeometry
    from codomain.measure.two_spaces import Agreement as Agreement
    from codomain.measure.two_spaces import biased_cka as biased_cka
    from codomain.measure.two_spaces import debiased_cka as debiased_cka
    from codomain.measure.two_spaces import mutual_neighbors as mutual_neighbors
    from codomain.measure.two_spaces import procrustes_distance as procrustes_distance
    from codomain.measure.two_spaces import pwcca as pwcca
    from codomain.measure.two_spaces import svcca as svcca
    from codomain.measure.unsup_class_sep import ClassSeparability as ClassSeparability

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Agreement": "two_spaces",
        "ClassSeparability": "unsup_class_sep",
        "ConvergentLearning": "convergent_learning",
        "LogitGeometry": "robustness_lottery",
        "Measure": "health",
        "NeuralCollapse": "nc_deep_linear",
        "biased_cka": "two_spaces",
        "debiased_cka": "two_spaces",
        "fisher_ratio": "fisher_ratio",
        "head_accuracy": "head_accuracy",
        "health": "health",
        "mutual_neighbors": "two_spaces",
        "procrustes_distance": "two_spaces",
        "pwcca": "two_spaces",
        "svcca": "two_spaces",
    },
)
