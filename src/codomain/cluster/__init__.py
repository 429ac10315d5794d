"""Find groups in a space and name them from its own words."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.cluster.groups import Groups as Groups
    from codomain.cluster.groups import groups as groups
    from codomain.cluster.names import Name as Name
    from codomain.cluster.names import name_groups as name_groups

__getattr__, __dir__, __all__ = attach(
    __name__, {"Groups": "groups", "Name": "names", "groups": "groups", "name_groups": "names"}
)
