# ruff: isort: skip_file
from .engine.groups import Groups as Groups
from .engine.groups import groups as groups
from .engine.names import Name as Name
from .engine.names import name_groups as name_groups
