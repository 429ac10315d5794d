import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.core import sinkhorn


@settings(max_examples=25)
@given(n=st.integers(2, 12), m=st.integers(2, 12), seed=st.integers(0, 99))
def test_column_sums_hold_exactly_and_row_sums_nearly(n, m, seed):
    plan = sinkhorn(np.random.default_rng(seed).uniform(-1, 1, (n, m)), temperature=0.2, n_iter=500)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / m, rtol=1e-9)
    np.testing.assert_allclose(plan.sum(axis=1), 1 / n, atol=1e-3)


def test_the_plan_is_the_one_of_another_library():
    rng = np.random.default_rng(0)
    scores, a, b = rng.uniform(-1, 1, (8, 5)), rng.dirichlet(np.ones(8)), rng.dirichlet(np.ones(5))
    theirs = ot.sinkhorn(a, b, -scores, reg=0.1, method="sinkhorn_log", numItermax=2000, stopThr=1e-12)
    np.testing.assert_allclose(sinkhorn(scores, rows=a, columns=b, temperature=0.1, n_iter=2000), theirs, atol=1e-8)


def test_cold_plans_are_the_best_assignment():
    scores = np.array([[0.9, 0.8], [0.8, 0.1]])  # greedy would take .9 + .1; the best is .8 + .8
    assert sinkhorn(scores, temperature=0.01, n_iter=500).argmax(axis=1).tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float32_stays_float32(dtype):
    assert sinkhorn(np.eye(3, dtype=dtype)).dtype == dtype
