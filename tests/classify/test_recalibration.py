"""What is true of moment probing with corrections inside the backbone."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from codomain.classify import MomentProbing, RecalibratedProbing
from codomain.core import UserError

torch = pytest.importorskip("torch")

Net = torch.nn.Sequential


def net(seed=0):
    """Tokens of two numbers become tokens of six; the batch norm would change if the net were in training."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Net(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 6), torch.nn.Dropout(0.5))


def sets(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4, 2)).astype(np.float32)
    return X, (X[:, :, 0] * X[:, :, 1]).mean(axis=1) > 0


HEAD = MomentProbing(2, width=7, epochs=4, random_state=0)


def test_before_training_the_net_is_as_it_came_and_the_head_is_moment_probing():
    X, _ = sets()
    plain = net().eval()
    with torch.no_grad():
        tokens = plain(torch.from_numpy(X)).numpy()
    probe = RecalibratedProbing(net(), ["2"], head=HEAD)
    probe.weights_ = {"2": (np.ones((8, 3), "f4"), np.zeros((3, 6), "f4"), np.zeros((3, 6), "f4"))}
    np.testing.assert_array_equal(probe.tokens(X), tokens)


def test_a_correction_by_hand():
    branch = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        branch.weight[:] = torch.tensor([[1.0, 1.0]])
    probe = RecalibratedProbing(Net(branch), ["0"])
    # Input (3, 4) has length 5, so r = ReLU(0.6 - 0.8, 0.6 + 0.8) = (0, 1.4); 7 * (1 + 2.8) + 4.2 = 30.8.
    down, scale, shift = [[1, 1], [-1, 1]], [[9], [2]], [[9], [3]]
    probe.weights_ = {"0": tuple(np.array(part, "f4") for part in (down, scale, shift))}
    np.testing.assert_allclose(probe.tokens([[[3.0, 4.0]]]), [[[30.8]]], rtol=1e-6)


def test_it_learns_what_the_frozen_net_lost_and_never_changes_the_net():
    """The net answers 0 to everything, so only what goes into it can tell the classes apart."""
    (X, y), (Q, truth) = sets(400, 1), sets(400, 2)
    backbone = Net(torch.nn.Linear(2, 6), torch.nn.Dropout(0.5)).train()
    with torch.no_grad():
        backbone[0].weight[:], backbone[0].bias[:] = 0, 0
    before = {name: part.clone() for name, part in backbone.state_dict().items()}
    head = MomentProbing(width=8, epochs=40, learning_rate=0.01, random_state=0)
    probe = RecalibratedProbing(backbone, ["0"], head=head).fit(X, y)
    frozen = RecalibratedProbing(backbone, ["0"])
    frozen.weights_ = {}
    assert not frozen.tokens(X).any()
    assert probe.score(Q, truth) > max(truth.mean(), 1 - truth.mean()) + 0.1
    assert probe.head_.losses_[-1] < 0.8 * probe.head_.losses_[0]
    assert all(torch.equal(part, before[name]) for name, part in backbone.state_dict().items())
    assert backbone.training and all(part.requires_grad for part in backbone.parameters())
    assert not any(module._forward_hooks for module in backbone.modules())


def test_the_same_seed_gives_the_same_answers_and_the_order_of_rows_asked_does_not_matter():
    X, y = sets()
    one, two = (RecalibratedProbing(net(), ["0"], head=HEAD).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    np.testing.assert_allclose(one.predict_proba(X[::-1])[::-1], one.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(one.predict_proba(X).sum(axis=1), 1, atol=1e-6)


def test_corrections_help_a_head_on_real_pictures():
    """Digits as eight tokens of eight pixels; a transformer block that was trained for nothing."""
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8) / 16
    with torch.random.fork_rng():
        torch.manual_seed(0)
        block = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    block.linear1.register_forward_hook(lambda module, given, out: out)  # somebody else's hook stays
    head = MomentProbing(width=16, epochs=30, learning_rate=0.003, random_state=0)
    probe = RecalibratedProbing(Net(block), ["0.linear1", "0.linear2"], head=head).fit(X[:600], y[:600])
    frozen = RecalibratedProbing(Net(block), ["0.linear2"])
    frozen.weights_ = {}
    seen, asked = (frozen.tokens(part) for part in (X[:600], X[1200:]))
    assert probe.score(X[1200:], y[1200:]) > head.fit(seen, y[:600]).score(asked, y[1200:])
    assert len(block.linear1._forward_hooks) == 1


@pytest.mark.parametrize(
    ("backbone", "branches", "said"),
    [
        (net(), ["5"], "no '5'"),
        (net(), "0", "a list of names"),
        (net(), [], "a list of names"),
        (Net(torch.nn.Flatten()), ["0"], r"gave \(60, 8\)"),
        (Net(torch.nn.LSTM(2, 3, batch_first=True)), ["0"], "does not take and give one tensor"),
    ],
)
def test_a_net_or_a_branch_that_does_not_fit_is_refused_and_left_alone(backbone, branches, said):
    X, y = sets()
    with pytest.raises(UserError, match=said):
        RecalibratedProbing(backbone, branches, head=HEAD).fit(X, y)
    assert not any(module._forward_hooks for module in backbone.modules())
    assert backbone.training


def test_a_branch_that_the_net_does_not_use_is_refused():
    class Idle(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)

        def forward(self, X):
            return self.used(X)

    with pytest.raises(UserError, match="does not use idle"):
        RecalibratedProbing(Idle(), ["used", "idle"], head=HEAD).fit(*sets())
