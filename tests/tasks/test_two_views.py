"""Definitions and words in a space learned by contrast."""

import numpy as np
import pytest

from codomain.core import needs
from codomain.tasks import two_views as module

pytestmark = pytest.mark.skipif(
    bool(needs.missing(["wordnet-base", "wordllama", "torch"])), reason="wordnet-base or wordllama is not installed"
)


def test_new_definitions_find_their_words_ten_times_as_often_as_by_chance(
    monkeypatch,
):
    monkeypatch.setattr(module, "N_TRAIN", 2000)
    monkeypatch.setattr(module, "N_TEST", 100)
    _, new = module.two_views(0)
    assert new.definitions.shape == new.words.shape == new.codes.shape == (100, 64)
    np.testing.assert_allclose(np.linalg.norm(new.words, axis=1), 1, rtol=1e-5)
    assert np.mean((new.definitions @ new.words.T).argmax(axis=1) == np.arange(100)) > 0.1
