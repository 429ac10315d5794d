"""Shrink a space: recipes, certificates of recall, the cheapest recipe for a target, and a map in two dimensions."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.shrink.certificate import Certificate as Certificate
    from codomain.shrink.certificate import Judge as Judge
    from codomain.shrink.certificate import bounds as bounds
    from codomain.shrink.certificate import certify as certify
    from codomain.shrink.cheapest import Front as Front
    from codomain.shrink.cheapest import cheapest as cheapest
    from codomain.shrink.layout import Layout as Layout
    from codomain.shrink.layout import kept_neighbors as kept_neighbors
    from codomain.shrink.layout import layout as layout
    from codomain.shrink.recipe import FittedRecipe as FittedRecipe
    from codomain.shrink.recipe import Recipe as Recipe

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Certificate": "certificate",
        "FittedRecipe": "recipe",
        "Front": "cheapest",
        "Judge": "certificate",
        "Layout": "layout",
        "Recipe": "recipe",
        "bounds": "certificate",
        "certify": "certificate",
        "cheapest": "cheapest",
        "kept_neighbors": "layout",
        "layout": "layout",
    },
)
