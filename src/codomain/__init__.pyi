from .space import read as read
from .space import write as write
from .workbench.opened import open as open
from .workbench.run import add as add
from .workbench.run import study as study

__version__: str
