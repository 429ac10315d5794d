"""What every index of rows offers."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from codomain.core import unit_rows
from codomain.shrink import Recipe
from codomain.shrink.index.kinds import index_of

RECIPES = [
    Recipe(code="f32"), Recipe(), Recipe("pca", 32, "int8", rescore="f32"), Recipe(code="binary"),
    Recipe(code="pq16x4"), Recipe(code="fill24"), Recipe(code="signs", rescore="int8", depth=40),
    Recipe(code="pq16x4", rescore="int8", depth=10, lists=24, probe=6),
]  # fmt: skip


@pytest.fixture(scope="module")
def digits():
    return unit_rows(load_digits().data.astype(np.float32))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_an_index_counts_finds_and_comes_back_from_its_bytes(recipe, digits):
    index = recipe.fit(digits).encode(digits[:1000]).index
    assert (index.ntotal, index.d) == (1000, 64)
    index.add(digits[1000:])
    assert index.ntotal == len(digits)
    scores, rows = index.search(digits[:40], 5)
    assert scores.shape == rows.shape == (40, 5)
    assert (np.diff(scores) <= 0).all() and (np.abs(scores) < 1.2).all()
    assert np.mean(digits[:40, None] @ digits[rows].swapaxes(1, 2) > 0.7) > 0.7
    assert index.candidates(digits[:40], 5).shape == (40, 5)
    assert index.scan_bytes() >= 1
    assert len(index.project(digits[:3])) == 3
    data = index.to_bytes()
    assert data.startswith(index.magic)
    again = index_of(data)
    assert type(again) is type(index) and again.suffix == index.suffix
    np.testing.assert_array_equal(again.search(digits[:40], 5)[1], rows)
    assert again.to_bytes() == data
