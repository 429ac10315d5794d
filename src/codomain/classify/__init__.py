"""Label rows of frozen features from few examples."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.classify.clustering_all_you_need import TransductivePrototypes as TransductivePrototypes
    from codomain.classify.gda_clip import GDA as GDA
    from codomain.classify.loki import Loki as Loki
    from codomain.classify.nb_vs_lr_linear_eval import NaiveBayesHead as NaiveBayesHead

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "GDA": "gda_clip",
        "Loki": "loki",
        "NaiveBayesHead": "nb_vs_lr_linear_eval",
        "TransductivePrototypes": "clustering_all_you_need",
    },
)
