import numpy as np
import pytest

from codomain.core import descend

torch = pytest.importorskip("torch")


def line(seed=0, **options):
    X = torch.from_numpy(np.random.default_rng(0).standard_normal((301, 3)).astype(np.float32))
    y = X @ torch.tensor([1.0, -2.0, 3.0])
    slope = torch.nn.Parameter(torch.zeros(3))
    losses = descend(lambda rows: ((X[rows] @ slope - y[rows]) ** 2).mean(), [slope], len(X), epochs=60, batch=30,
                     learning_rate=0.05, random_state=seed, **options)  # fmt: skip
    return slope.detach().numpy(), losses


def test_the_slopes_of_a_line_are_found():
    slope, losses = line()
    np.testing.assert_allclose(slope, [1, -2, 3], atol=1e-3)
    assert len(losses) == 60
    assert losses[-1] < 1e-4 < losses[0]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    assert line()[1] == line()[1] != line(seed=1)[1]


def test_the_single_row_left_over_is_not_a_minibatch():
    sizes = []
    weight = torch.nn.Parameter(torch.zeros(1))
    descend(lambda rows: sizes.append(len(rows)) or weight.sum(), [weight], 301, epochs=1, batch=30)
    assert sizes == [30] * 10


def test_a_loss_that_is_no_longer_finite_is_refused():
    weight = torch.nn.Parameter(torch.ones(1))
    with pytest.raises(FloatingPointError, match="learning rate"):
        descend(lambda rows: weight.sum() * torch.inf, [weight], 4, epochs=1)


def test_what_is_called_after_an_epoch_may_end_the_fit():
    def stop(epoch, loss):
        if epoch == 2:
            raise StopIteration

    with pytest.raises(StopIteration):
        line(after_epoch=stop)


def test_torch_has_as_many_threads_afterwards_as_before_even_after_an_error():
    torch.set_num_threads(2)
    weight = torch.nn.Parameter(torch.ones(1))
    with pytest.raises(FloatingPointError):
        descend(lambda rows: weight.sum() * torch.nan, [weight], 4, epochs=1)
    assert torch.get_num_threads() == 2
