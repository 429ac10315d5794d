"""Find rows by meaning, by words, by example, with scores that mean something."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.core.neighbors import Neighbors as Neighbors
    from codomain.search._angular import MeanAngularMargin as MeanAngularMargin
    from codomain.search._angular import mean_angular_margin as mean_angular_margin
    from codomain.search._ast import Trees as Trees
    from codomain.search._ast import syntax_trees as syntax_trees
    from codomain.search._sets import max_sim as max_sim
    from codomain.search.anncur import MaxSimSketch as MaxSimSketch
    from codomain.search.bidr import BiDR as BiDR
    from codomain.search.cfcd import CFCD as CFCD
    from codomain.search.cir_multigrained_uncertainty import MultiGrainedUncertainty as MultiGrainedUncertainty
    from codomain.search.dbl import DBL as DBL
    from codomain.search.divprune import DivPrune as DivPrune
    from codomain.search.filters import parse_filter as parse_filter
    from codomain.search.genecis import GeneCIS as GeneCIS
    from codomain.search.gnn_coder import GNNCoder as GNNCoder
    from codomain.search.hnsw_lid import LIDOrder as LIDOrder
    from codomain.search.keywords import Keywords as Keywords
    from codomain.search.m3el import M3EL as M3EL
    from codomain.search.muvera import MUVERA as MUVERA
    from codomain.search.neighbors import neighbors as neighbors
    from codomain.search.null import Null as Null
    from codomain.search.ragllava import RagLLaVA as RagLLaVA
    from codomain.search.repconc import RepCONC as RepCONC
    from codomain.search.results import Hit as Hit
    from codomain.search.results import Results as Results
    from codomain.search.results import Why as Why
    from codomain.search.search import fuse as fuse
    from codomain.search.search import search as search
    from codomain.search.ucofia import UCoFiA as UCoFiA

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "BiDR": "bidr",
        "CFCD": "cfcd",
        "DBL": "dbl",
        "DivPrune": "divprune",
        "GNNCoder": "gnn_coder",
        "GeneCIS": "genecis",
        "Hit": "results",
        "Keywords": "keywords",
        "LIDOrder": "hnsw_lid",
        "M3EL": "m3el",
        "MUVERA": "muvera",
        "MaxSimSketch": "anncur",
        "MeanAngularMargin": "_angular",
        "MultiGrainedUncertainty": "cir_multigrained_uncertainty",
        "Neighbors": "neighbors",
        "Null": "null",
        "RagLLaVA": "ragllava",
        "RepCONC": "repconc",
        "Results": "results",
        "Trees": "_ast",
        "UCoFiA": "ucofia",
        "Why": "results",
        "fuse": "search",
        "max_sim": "_sets",
        "mean_angular_margin": "_angular",
        "neighbors": "neighbors",
        "parse_filter": "filters",
        "search": "search",
        "syntax_trees": "_ast",
    },
)
