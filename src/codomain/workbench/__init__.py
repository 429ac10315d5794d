"""The main job: from a table or bare vectors to a sealed space and one report."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
