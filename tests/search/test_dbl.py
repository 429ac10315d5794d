"""What is true of margins set by an anchor and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError, unit_rows
from codomain.search import DBL
from codomain.search.dbl import hardest_loss, relative_margins

torch = pytest.importorskip("torch")


def views(seed=0, n=300):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, 6))
    return A, A @ rng.normal(size=(6, 5)) + 0.1 * rng.normal(size=(n, 5))


def slowly(scores, by_row, by_column):
    """The worst shortfall of each pair in each direction, pair by pair."""
    n, total = len(scores), 0.0
    for i in range(n):
        total += max(0.0, *(by_row[i, j] - scores[i, i] + scores[i, j] for j in range(n) if j != i))
        total += max(0.0, *(by_column[j, i] - scores[i, i] + scores[j, i] for j in range(n) if j != i))
    return total / n


def test_a_case_by_hand():
    # Row 0 is ahead of its rival by 0.1 and lacks 0.1 of 0.2; column 1's rival is ahead: 0.2 - 0.7 + 0.8.
    scores = torch.tensor([[0.9, 0.8], [0.1, 0.7]])
    assert hardest_loss(scores, 0.2).item() == pytest.approx((0.1 + 0 + 0 + 0.3) / 2)


@given(seed=st.integers(0, 1000), n=st.integers(2, 7))
def test_it_is_the_definition_pair_by_pair_with_a_margin_of_its_own_for_each(seed, n):
    rng = np.random.default_rng(seed)
    scores, by_row, by_column = rng.uniform(-1, 1, (3, n, n))
    got = hardest_loss(torch.tensor(scores), (torch.tensor(by_row), torch.tensor(by_column))).item()
    assert got == pytest.approx(slowly(scores, by_row, by_column))


@given(seed=st.integers(0, 1000), margin=st.floats(0.01, 1))
def test_a_target_no_better_than_the_anchor_lacks_the_margin_everywhere_and_one_ahead_by_it_lacks_nothing(seed, margin):
    anchor = torch.tensor(np.random.default_rng(seed).uniform(-1, 1, (5, 5)), dtype=torch.float64)
    assert hardest_loss(anchor, relative_margins(anchor, margin)).item() == pytest.approx(2 * margin)
    ahead = anchor + (margin + 1e-6) * torch.eye(5)
    assert hardest_loss(ahead, relative_margins(anchor, margin)).item() == 0
    # However wide its lead already is, a pair is asked for more: the plain loss asks for none here.
    clear = anchor + 3 * torch.eye(5)
    assert hardest_loss(clear, margin).item() == 0
    assert hardest_loss(clear, relative_margins(clear, margin)).item() == pytest.approx(2 * margin)


def test_the_anchor_is_what_the_plain_triplet_loss_makes_whatever_the_target_does():
    A, B = views()
    fitted = DBL(4, epochs=3, random_state=0).fit(A, B)
    random = np.random.RandomState(0)
    heads = [
        torch.nn.Parameter(torch.tensor(random.standard_normal((d, 4)) / np.sqrt(d), dtype=torch.float32))
        for d in (6, 5, 6, 5)
    ][:2]
    ends = [torch.tensor(unit_rows(view), dtype=torch.float32) for view in (A, B)]
    optimizer = torch.optim.AdamW(heads, lr=3e-3, weight_decay=0)
    for _ in range(3):
        order = random.permutation(300)
        for start in range(0, 300, 128):
            rows = order[start : start + 128]
            one, other = (
                torch.nn.functional.normalize(view[rows] @ head, dim=1) for view, head in zip(ends, heads, strict=True)
            )
            optimizer.zero_grad()
            hardest_loss(one @ other.T, 0.2).backward()
            optimizer.step()
    np.testing.assert_allclose(fitted.anchor_components_, heads[0].detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(fitted.anchor_other_components_, heads[1].detach().numpy(), atol=1e-5)
    assert not np.allclose(fitted.components_, fitted.anchor_components_)


def test_unseen_partners_are_found():
    A, B = views(n=600)
    fitted = DBL(4, epochs=100, random_state=0).fit(A[:400], B[:400])
    scores = fitted.transform(A[400:]) @ fitted.transform_other(B[400:]).T
    assert np.mean(scores.argmax(axis=1) == np.arange(200)) > 0.3  # 0.005 by chance


@given(factor=st.floats(0.01, 100))
def test_the_length_of_a_row_does_not_matter(factor):
    A, B = views(n=60)
    fitted = DBL(3, epochs=1, random_state=0).fit(A, B)
    np.testing.assert_allclose(fitted.transform(factor * A), fitted.transform(A), atol=1e-9)
    np.testing.assert_allclose(fitted.transform_other(factor * B), fitted.transform_other(B), atol=1e-9)


def test_a_missing_view_and_another_width_are_refused():
    A, B = views(n=20)
    with pytest.raises(UserError, match="requires y"):
        DBL(2).fit(A, None)
    with pytest.raises(UserError, match="5, as y had in fit"):
        DBL(2, epochs=1).fit(A, B).transform_other(A)
