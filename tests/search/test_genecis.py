"""What is true of mined triplets, of the combiner, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.search import GeneCIS
from codomain.search.shared.combiner import compose, cross_entropy
from codomain.search.shared.partners import draw_partners

torch = pytest.importorskip("torch")


def coloured(n_subjects=25, n_colours=6, seed=0):
    """Every subject in every colour: subject, colour, rows of both."""
    subject, colour = np.divmod(np.arange(n_subjects * n_colours), n_colours)
    looks = np.random.default_rng(seed).normal(size=(n_subjects, 8))
    return subject, np.eye(n_colours)[colour], np.hstack([looks[subject], 2 * np.eye(n_colours)[colour]])


def test_composing_by_hand():
    # One hidden unit: 3 - 1 = 2 opens it; the gate is sigmoid(0) = 1/2; the mean of (3, 0) and (0, 1), plus 2 (0, 1).
    weights = {
        "reference": torch.eye(2), "condition": torch.eye(2), "hidden": torch.tensor([[1.0], [0.0], [0.0], [-1.0]]),
        "shift": torch.zeros(1), "gate": torch.zeros(1, 1), "out": torch.tensor([[0.0, 1.0]]),
    }  # fmt: skip
    got = compose(weights, torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    np.testing.assert_allclose(got.numpy(), [[1.5 / np.hypot(1.5, 2.5), 2.5 / np.hypot(1.5, 2.5)]], rtol=1e-6)


def test_an_open_gate_leaves_the_condition_and_a_shut_one_the_reference():
    rng = np.random.default_rng(0)
    one, other = (torch.tensor(rng.normal(size=(4, 3))) for _ in "ab")
    eye, none = torch.eye(3, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.float64)
    weights = {"reference": eye, "condition": eye, "hidden": torch.zeros(6, 1, dtype=torch.float64),
               "shift": torch.ones(1), "out": none}  # fmt: skip
    for gate, left in ((50.0, other), (-50.0, one)):
        got = compose({**weights, "gate": torch.full((1, 1), gate, dtype=torch.float64)}, one, other)
        np.testing.assert_allclose(got, torch.nn.functional.normalize(left, dim=1), atol=1e-9)


@given(seed=st.integers(0, 1000), n=st.integers(2, 8))
def test_a_copy_of_the_right_target_is_no_negative(seed, n):
    rng = np.random.default_rng(seed)
    asked, targets = (torch.tensor(rng.normal(size=(n, 4))) for _ in "ab")
    targets[1] = targets[0]
    same = torch.eye(n, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    got = cross_entropy(asked @ targets.T, same).item()
    scores, total = (asked @ targets.T).numpy(), 0.0
    for row in range(n):
        against = [scores[row, column] for column in range(n) if column == row or {row, column} != {0, 1}]
        total += np.log(np.sum(np.exp(against))) - scores[row, row]
    assert got == pytest.approx(total / n)


@given(groups=st.lists(st.integers(0, 4), min_size=1, max_size=30), seed=st.integers(0, 100))
def test_a_partner_is_another_row_of_the_group_or_there_is_none(groups, seed):
    groups = np.array(groups)
    for row, found in enumerate(draw_partners(groups, np.random.RandomState(seed))):
        if np.sum(groups == groups[row]) == 1:
            assert found == -1
        else:
            assert found != row
            assert groups[found] == groups[row]


def test_every_other_row_of_a_group_gets_its_turn():
    random = np.random.RandomState(0)
    seen = {int(draw_partners(np.array([7, 1, 7, 7, 1]), random)[0]) for _ in range(60)}
    assert seen == {2, 3}


def test_subjects_and_conditions_never_seen_together_are_found():
    subject, colour, rows = coloured()
    known = subject < 15
    model = GeneCIS(16, n_hidden=32, epochs=80, random_state=0).fit(
        rows[known], subject[known], conditions=colour[known]
    )
    unseen = np.flatnonzero(~known)
    wanted = unseen.reshape(-1, 6)[:, [1, 2, 3, 4, 5, 0]].ravel()  # the same subject in the next colour
    asked = model.transform(rows[unseen], conditions=colour[wanted])
    best = unseen[(asked @ model.transform_targets(rows[unseen]).T).argmax(axis=1)]
    assert np.mean(best == wanted) > 0.5  # 1/60 by chance, 1/10 by the colour alone, 1/6 by the subject alone


def test_the_condition_decides():
    subject, colour, rows = coloured()
    model = GeneCIS(8, epochs=5, random_state=0).fit(rows, subject, conditions=colour)
    one, other = (model.transform(rows[:5], conditions=np.tile(np.eye(6)[c], (5, 1))) for c in (1, 2))
    assert np.abs(one - other).max() > 0.05


def test_what_cannot_be_mined_or_does_not_fit_is_refused():
    subject, colour, rows = coloured(4)
    with pytest.raises(UserError, match="No subject has two rows"):
        GeneCIS(2).fit(rows, np.arange(len(rows)))
    with pytest.raises(UserError, match="requires y"):
        GeneCIS(2).fit(rows, None)
    model = GeneCIS(2, epochs=1).fit(rows, subject, conditions=colour)
    with pytest.raises(UserError, match="6 columns, as in fit"):
        model.transform(rows)
    with pytest.raises(UserError, match="14, as the targets had in fit"):
        model.transform_targets(colour)
