"""Words in two corpora."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from codomain.tasks.wordnet import word_spaces as module
from codomain.tasks.wordnet.word_spaces import twin_word_spaces


@pytest.fixture
def corpus(monkeypatch):
    """Texts about one of three things, each thing with eight words of its own; a word that is nearly never said."""
    rng = np.random.default_rng(0)
    about = rng.integers(3, size=400)
    table = rng.random((400, 24)) < np.where(np.arange(24) // 8 == about[:, None], 0.5, 0.05)
    table = np.hstack([table, (np.arange(400) < 3)[:, None]])
    monkeypatch.setattr(module, "WIDTH", 3)
    monkeypatch.setattr(module, "N_TEXTS", 200)
    monkeypatch.setattr(module, "_counts", lambda: csr_matrix(table.astype(np.int64)))


def test_words_of_one_thing_are_near_each_other_in_both_spaces_in_the_same_order(corpus):
    one, two = twin_word_spaces(0)
    assert one.shape == two.shape == (24, 3)  # without the word that is nearly never said
    groups = [(Z @ Z.T > 0.5) for Z in (one, two)]
    assert np.mean(groups[0] == groups[1]) > 0.95
    assert 0.25 < groups[0].mean() < 0.45


def test_directions_of_the_two_spaces_are_not_the_same(corpus):
    one, two = twin_word_spaces(0)
    assert np.mean((one * two).sum(axis=1)) < 0.99
