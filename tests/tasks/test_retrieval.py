"""Average precision of rows that look for their class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from codomain.core import unit_rows
from codomain.tasks.retrieval import average_precision


@given(seed=st.integers(0, 1000), classes=st.integers(2, 5), size=st.integers(2, 4))
def test_it_is_that_of_scikit_learn_row_by_row_without_the_row_itself(seed, classes, size):
    rng = np.random.default_rng(seed)
    Z, labels = rng.normal(size=(classes * size, 3)), rng.permutation(np.repeat(np.arange(classes), size))
    U, got = unit_rows(Z), average_precision(Z, labels)
    for row in range(len(Z)):
        rest = np.arange(len(Z)) != row
        assert got[row] == pytest.approx(average_precision_score(labels[rest] == labels[row], U[rest] @ U[row]))
