"""Offline data for claims, tests and the demo. Nothing is downloaded.

Every module of a data set has `identity()`: a short hash or a version of what this machine has of it, or "absent".
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
