# ruff: isort: skip_file
from .engine.audit import Audit as Audit
from .engine.audit import audit as audit
from .engine.check import Check as Check
