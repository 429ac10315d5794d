"""Offline data for claims, tests and the demo. Nothing is downloaded."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.data.digit_nets import Twins as Twins
    from codomain.data.digit_nets import digit_net_in_training as digit_net_in_training
    from codomain.data.digit_nets import twin_digit_nets as twin_digit_nets
    from codomain.data.stdlib import stdlib_docstrings as stdlib_docstrings

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Twins": "digit_nets",
        "digit_net_in_training": "digit_nets",
        "stdlib_docstrings": "stdlib",
        "twin_digit_nets": "digit_nets",
    },
)
