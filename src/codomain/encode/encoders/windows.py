"""Texts longer than an encoder reads at once: cut there, or read on in windows whose vectors are pooled."""

from collections.abc import Sequence
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError

Long = Literal["mean", "cut"]


def split_long(address: str, otherwise: Long) -> tuple[str, Long]:
    """Split `?long=mean` or `?long=cut` from the end of an address; without it `otherwise` holds."""
    rest, found, option = address.partition("?")
    if not found:
        return rest, otherwise
    name, _, value = option.partition("=")
    if name != "long" or value not in get_args(Long):
        raise UserError(f"The address has the option {option!r}.", needed="?long=mean or ?long=cut, at its end")
    return rest, cast(Long, value)


def pooled(vectors: NDArray[np.float32], tokens: Sequence[int], windows: Sequence[int]) -> NDArray[np.float32]:
    r"""Return one vector per text: the mean of its windows' vectors, each weighted by its tokens.

    .. math:: v = \sum_i n_i v_i \,/\, \sum_i n_i

    The last window of a text may hold three tokens. Without the weights it would count as much as the first: on 324
    abstracts, title against abstract, the first hit is right for .73 instead of .90.

    Parameters
    ----------
    vectors : ndarray of shape (sum of `windows`, dim)
        One vector per window, those of a text side by side.
    tokens : sequence of int
        Tokens in each window.
    windows : sequence of int
        Windows of each text, at least one.

    Returns
    -------
    ndarray of shape (len(windows), dim)
        A text of one window keeps its vector, bit for bit.
    """
    counts = np.asarray(windows)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    out = vectors[starts]
    for text in np.flatnonzero(counts > 1):
        own = slice(starts[text], starts[text] + counts[text])
        out[text] = np.average(vectors[own], axis=0, weights=np.asarray(tokens[own], np.float64))
    return out
