"""Packages of several kinds from one source."""

import numpy as np
import pytest

from codomain.core.needs import missing
from codomain.tasks.package_kinds import KINDS, package_kinds

pytestmark = pytest.mark.skipif(bool(missing(("apt-lists", "wordllama"))), reason="needs apt-lists, wordllama")


def test_every_source_has_several_kinds_once_each_and_no_source_is_on_both_sides():
    train, test = package_kinds(0, 600, 400)
    assert set(train.sources) & set(test.sources) == set()
    assert len(train.sources) == 600 and 400 <= len(test.sources) < 420
    pairs = list(zip(test.sources, test.kinds, strict=True))
    assert len(set(pairs)) == len(pairs) and set(test.kinds) <= set(KINDS)
    assert np.unique(test.sources, return_counts=True)[1].min() > 1
    np.testing.assert_allclose(np.linalg.norm(test.summaries, axis=1), 1, rtol=1e-5)
    same = test.kinds == test.kinds[0]
    np.testing.assert_array_equal(test.words[same], np.tile(test.words[0], (same.sum(), 1)))
