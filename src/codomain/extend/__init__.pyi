# ruff: isort: skip_file
from .fetril import FeTrIL as FeTrIL
from .gcab_fdc import FDC as FDC
from .lasso_a_mtrl import L1AMTRL as L1AMTRL
from .nmc_cl import NMC as NMC
from .teen import TEEN as TEEN
