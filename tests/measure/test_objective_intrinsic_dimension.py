"""What is true of the intrinsic dimension of a task and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.measure import IntrinsicDimension
from codomain.measure.objective_intrinsic_dimension import forward, gradient, unpack

torch = pytest.importorskip("torch")


def task(n_classes=4, seed=0):
    """Clear groups in ten columns."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=400)
    return 3 * rng.normal(size=(n_classes, 10))[y] + rng.normal(size=(400, 10)), y


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 6), st.integers(2, 4))
@settings(max_examples=20)
def test_the_gradient_is_torchs(seed, d, h, k):
    rng = np.random.default_rng(seed)
    rows, which = rng.normal(size=(9, d)), rng.integers(k, size=9)
    theta = rng.normal(size=(d + 1) * h + (h + 1) * k)
    parts = [torch.tensor(part, requires_grad=True) for part in unpack(theta, (d, h, k))]
    hidden = (torch.from_numpy(rows) @ parts[0][:-1] + parts[0][-1]).relu()
    logits = hidden @ parts[1][:-1] + parts[1][-1]
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(which)).backward()
    wanted = np.concatenate([part.grad.numpy().ravel() for part in parts])
    np.testing.assert_allclose(gradient(rows, np.eye(k)[which], theta, (d, h, k)), wanted, atol=1e-10)


def test_a_seed_and_the_code_are_the_net():
    X, y = task()
    found = IntrinsicDimension(random_state=0).fit(X, y)
    assert len(found.code_) == found.dimension_ < found.n_parameters_ / 10
    logits = forward((X - found.mean_) / found.scale_, found.weights())[1]
    assert np.mean(found.classes_[logits.argmax(axis=1)] == y) >= 0.85 * found.baseline_
    found.code_ = np.zeros_like(found.code_)
    blind = forward((X - found.mean_) / found.scale_, found.weights())[1]
    assert np.mean(found.classes_[blind.argmax(axis=1)] == y) < 0.7  # all that was learned is in the code


def test_the_dimension_is_the_least_tried_that_reaches_its_share():
    X, y = task()
    found = IntrinsicDimension(random_state=1).fit(X, y)
    enough = found.dimensions_[found.accuracies_ >= 0.9 * found.baseline_]
    assert found.dimension_ == enough.min()
    below = found.dimensions_[found.dimensions_ < found.dimension_].max()
    assert found.dimension_ <= max(1.15 * below, below + 1)
    easier = IntrinsicDimension(share_of_baseline=0.5, random_state=1).fit(X, y)
    assert easier.dimension_ < found.dimension_


def test_more_classes_need_more_numbers():
    few, many = (IntrinsicDimension(random_state=0).fit(*task(k)).dimension_ for k in (2, 10))
    assert few < many


def test_the_number_of_parameters_by_hand_and_no_answer_when_the_subspaces_are_too_small():
    found = IntrinsicDimension(8, max_directions=1, random_state=0).fit(*task(10))
    assert found.n_parameters_ == 11 * 8 + 9 * 10
    assert found.dimension_ is None
    np.testing.assert_array_equal(found.dimensions_, [1])


def test_unit_and_shift_of_the_rows_do_not_matter():
    X, y = task()
    one, two = (IntrinsicDimension(random_state=0).fit(part, y) for part in (X, 4 * X))
    np.testing.assert_allclose(one.code_, two.code_)
    assert one.dimension_ == IntrinsicDimension(random_state=0).fit(X + 1, y).dimension_


def test_two_rows_are_refused():
    with pytest.raises(ValueError, match="minimum of 3"):
        IntrinsicDimension().fit([[0.0], [1.0]], [0, 1])
