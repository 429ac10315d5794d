# ruff: isort: skip_file
from .engine.audit import Audit as Audit
from .engine.audit import Check as Check
from .engine.audit import audit as audit
