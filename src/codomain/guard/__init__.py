"""Find rows that deserve a second look: copies, odd ones out, labels that their surroundings contradict."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.guard.audit import Audit as Audit
    from codomain.guard.audit import Check as Check
    from codomain.guard.audit import audit as audit

__getattr__, __dir__, __all__ = attach(__name__, {"Audit": "audit", "Check": "audit", "audit": "audit"})
