from .space import open as open
from .space import read as read
from .space import write as write
from .workbench.run import study as study

__version__: str
