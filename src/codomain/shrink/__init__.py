"""Shrink a space: recipes, certificates of recall, the cheapest recipe for a target, and a map in two dimensions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
