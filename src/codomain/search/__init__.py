"""Find rows by meaning, by words, by example, with scores that mean something."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
