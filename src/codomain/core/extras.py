"""Optional dependencies, with an error that is the command to type."""

from importlib import import_module
from typing import Any

from codomain.core.errors import UserError


def need(module: str, extra: str) -> Any:
    """Import an optional module.

    Parameters
    ----------
    module : str
        Name to import, dots allowed.
    extra : str
        The extra of this package that brings it.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    UserError
        When the module, or one that it needs, is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(
            f"This needs the module {error.name!r}, which is not installed.",
            todo=f"pip install 'codomain[{extra}]'",
        ) from error
