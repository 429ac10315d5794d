"""Test beds of claims: real or made tasks with their splits. Only claims import this."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
