# ruff: isort: skip_file
from .bridge.affine import Bridge as Bridge
from .bridge.bridges import BRIDGES as BRIDGES
from .bridge.bridges import AsItIs as AsItIs
from .bridge.bridges import LowRank as LowRank
from .bridge.bridges import Ridge as Ridge
from .bridge.bridges import Turn as Turn
from .bridge.bridges import TurnedRidge as TurnedRidge
from .bridge.doubt import Doubt as Doubt
from .bridge.doubt import cosine_error as cosine_error
from .bt2 import BT2 as BT2
from .d_simplex import DSimplex as DSimplex
from .deltaedit import DeltaEdit as DeltaEdit
from .oca import OCA as OCA
from .plato_3d_text import SubspaceAlignment as SubspaceAlignment
from .procrustes import Procrustes as Procrustes
from .relative_representations import RelativeRepresentation as RelativeRepresentation
from .vlap import VLAP as VLAP
