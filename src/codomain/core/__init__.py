"""What every room shares: methods, claims, errors, sealed files. Imports no room."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.core.arrays import unit_rows as unit_rows
    from codomain.core.claims import Claim as Claim
    from codomain.core.claims import Trial as Trial
    from codomain.core.claims import claim as claim
    from codomain.core.claims import no_claim as no_claim
    from codomain.core.descent import descend as descend
    from codomain.core.errors import DamagedError as DamagedError
    from codomain.core.errors import EncoderMismatch as EncoderMismatch
    from codomain.core.errors import UserError as UserError
    from codomain.core.extras import need as need
    from codomain.core.identity import EncoderIdentity as EncoderIdentity
    from codomain.core.local_dimension import inverse_dimensions as inverse_dimensions
    from codomain.core.method import Method as Method
    from codomain.core.neighbors import Neighbors as Neighbors
    from codomain.core.paired import Paired as Paired
    from codomain.core.paper import Paper as Paper
    from codomain.core.progress import bar as bar
    from codomain.core.progress import say as say
    from codomain.core.rules import Flag as Flag
    from codomain.core.rules import Int as Int
    from codomain.core.rules import OneOf as OneOf
    from codomain.core.rules import Real as Real
    from codomain.core.rules import Rule as Rule
    from codomain.core.rules import Seed as Seed
    from codomain.core.threads import one_thread as one_thread
    from codomain.core.transport import sinkhorn as sinkhorn

# Everything on first use: Method brings scikit-learn and unit_rows numpy, which most commands do not need.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Claim": "claims",
        "DamagedError": "errors",
        "EncoderIdentity": "identity",
        "EncoderMismatch": "errors",
        "Flag": "rules",
        "Int": "rules",
        "Method": "method",
        "Neighbors": "neighbors",
        "OneOf": "rules",
        "Paired": "paired",
        "Paper": "paper",
        "Real": "rules",
        "Rule": "rules",
        "Seed": "rules",
        "Trial": "claims",
        "UserError": "errors",
        "bar": "progress",
        "claim": "claims",
        "descend": "descent",
        "inverse_dimensions": "local_dimension",
        "need": "extras",
        "no_claim": "claims",
        "one_thread": "threads",
        "say": "progress",
        "sinkhorn": "transport",
        "unit_rows": "arrays",
    },
)
