"""Shrink a space: recipes, certificates of recall, the cheapest recipe for a target, and a map in two dimensions."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_HOMES = {
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
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that a map does not load faiss."""
    if name not in _HOMES:
        raise AttributeError(f"module 'codomain.shrink' has no attribute {name!r}")
    value = getattr(import_module(f"codomain.shrink.{_HOMES[name]}"), name)
    globals()[name] = value  # importing a file named like its function would otherwise leave the file under that name
    return value
