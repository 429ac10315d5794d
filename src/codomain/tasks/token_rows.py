"""Name the section of a Debian package by the first tokens of its description."""

from typing import Any

from numpy.typing import NDArray

from codomain.tasks.sections import largest_sections, split_sections
from codomain.tasks.tokens import minilm_tokens

N_TOKENS, N_ROWS, N_SECTIONS, N_CHARACTERS = 16, 130, 10, 200
LEAST = 150  # characters, which give at least 16 tokens


def section_tokens(
    seed: int, n_train: int
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Split the descriptions of ten sections, 130 of each.

    Parameters
    ----------
    seed : int
        Seed of the split; the descriptions are always the same.
    n_train : int
        Rows of each section to train on; the rest are to test on.

    Returns
    -------
    train, test : pair of ndarray
        Tokens by MiniLM, of shape (n_rows, 16, 384), and sections.
    """
    texts, y = largest_sections(N_SECTIONS, N_ROWS, N_CHARACTERS, LEAST)
    X = minilm_tokens(texts, N_TOKENS)[0].reshape(len(texts), N_TOKENS, -1)
    train, test = split_sections(y, seed, n_train)
    return (X[train], y[train]), (X[test], y[test])
