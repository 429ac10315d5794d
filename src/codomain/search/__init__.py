"""Find rows by meaning, by words, by example, with scores that mean something."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.core.neighbors import Neighbors as Neighbors
    from codomain.search._sets import max_sim as max_sim
    from codomain.search.divprune import DivPrune as DivPrune
    from codomain.search.filters import parse_filter as parse_filter
    from codomain.search.hnsw_lid import LIDOrder as LIDOrder
    from codomain.search.keywords import Keywords as Keywords
    from codomain.search.muvera import MUVERA as MUVERA
    from codomain.search.neighbors import neighbors as neighbors
    from codomain.search.null import Null as Null
    from codomain.search.search import Hit as Hit
    from codomain.search.search import Results as Results
    from codomain.search.search import Why as Why
    from codomain.search.search import fuse as fuse
    from codomain.search.search import search as search

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DivPrune": "divprune",
        "Hit": "search",
        "Keywords": "keywords",
        "LIDOrder": "hnsw_lid",
        "MUVERA": "muvera",
        "Neighbors": "neighbors",
        "Null": "null",
        "Results": "search",
        "Why": "search",
        "fuse": "search",
        "max_sim": "_sets",
        "neighbors": "neighbors",
        "parse_filter": "filters",
        "search": "search",
    },
)
