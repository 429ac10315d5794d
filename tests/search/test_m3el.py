"""What is true of six levels of matching, of negatives of one's own side, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.search import M3EL
from codomain.search.m3el.matching import attend_across, info_nce_with_own_side, levels

torch = pytest.importorskip("torch")


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def draw(seed, n=4, parts=2, dim=3):
    return unit(np.random.default_rng(seed).normal(size=(n, 1 + parts, dim)))


def softmax(values):
    weights = np.exp(values - np.max(values))
    return weights / weights.sum()


def slowly(weights, mention, entity):
    """The six levels of one pair, from their definitions; each side is (text, image)."""
    found = []
    for kind, m, e in zip(("text", "image"), mention, entity, strict=True):
        found.append(m[0] @ e[0])
        context = 0
        for part in e[1:]:
            seen = softmax([part @ weights[f"{kind}_query"] @ (p @ weights[f"{kind}_key"]) / 0.2 for p in m[1:]])
            context = context + sum(w * (p @ weights[f"{kind}_value"]) for w, p in zip(seen, m[1:], strict=True))
        found.append(unit(e[0] @ weights[f"{kind}_whole"]) @ unit(context))
    for first in (0, 1):
        ends = []
        for side in (mention, entity):
            whole, parts = side[first][0], side[1 - first][1:]
            context = softmax(parts @ whole / 0.2) @ parts
            ends.append(unit(np.tanh(whole @ weights["gate"]) * whole + context))
        found.append(ends[0] @ ends[1])
    return found


@given(seed=st.integers(0, 1000), n=st.integers(1, 4), m=st.integers(1, 4), parts=st.integers(1, 3))
def test_the_levels_are_their_definitions_pair_by_pair(seed, n, m, parts):
    rng = np.random.default_rng(seed)
    names = [f"{kind}_{layer}" for kind in ("text", "image") for layer in ("query", "key", "value", "whole")]
    weights = {name: rng.normal(size=(3, 3)) for name in names} | {"gate": rng.normal(size=(3, 1))}
    mentions = [draw(seed + i, n, parts) for i in (1, 2)]
    entities = [draw(seed + i, m, parts) for i in (3, 4)]
    live = {name: torch.tensor(part) for name, part in weights.items()}
    got = levels(live, *(tuple(torch.tensor(kind) for kind in side) for side in (mentions, entities)))
    for i in range(n):
        for j in range(m):
            wanted = slowly(weights, [kind[i] for kind in mentions], [kind[j] for kind in entities])
            np.testing.assert_allclose(got[:, i, j], wanted, atol=1e-9)


def test_seeing_through_by_hand():
    # A shut gate leaves what is seen: the part along the whole outweighs the one across by e^5 to 1.
    one, other = torch.tensor([[[1.0, 0.0], [9.0, 9.0]]]), torch.tensor([[[9.0, 9.0], [1.0, 0.0], [0.0, 1.0]]])
    got = attend_across({"gate": torch.zeros(2, 1)}, one, other)[0].numpy()
    np.testing.assert_allclose(got, unit(np.array([np.exp(5), 1.0])), rtol=1e-5)


@given(seed=st.integers(0, 1000), n=st.integers(2, 6))
def test_negatives_of_the_same_side_count_and_a_row_itself_does_not(seed, n):
    one, other = draw(seed, n, 0)[:, 0], draw(seed + 1, n, 0)[:, 0]
    total = 0.0
    for A, B in ((one, other), (other, one)):
        for i in range(n):
            wrong = [A[i] @ B[j] for j in range(n) if j != i] + [A[i] @ A[j] for j in range(n) if j != i]
            total += np.log(np.sum(np.exp(np.array([A[i] @ B[i], *wrong]) / 0.3))) - A[i] @ B[i] / 0.3
    got = info_nce_with_own_side(torch.tensor(one), torch.tensor(other), 0.3).item()
    assert got == pytest.approx(total / (2 * n))


def test_images_that_are_rotated_distinguish_the_same_text():
    # Four entities share each text; who is meant, only the image says, which the other side has turned.
    rng = np.random.default_rng(0)
    text = np.repeat(rng.normal(size=(100, 3, 6)), 4, axis=0)
    image, turn = rng.normal(size=(400, 3, 6)), rng.normal(size=(6, 5))
    model = M3EL(32, epochs=40, random_state=0)
    model.fit(text[:300], text[:300], images=image[:300], other_images=image[:300] @ turn)
    new = slice(300, None)
    scores = model.score_all(text[new], text[new], images=image[new], other_images=image[new] @ turn)
    assert np.mean(scores.argmax(axis=1) == np.arange(100)) > 0.6  # 0.25 by the text alone
    wrong = np.roll(image[new], 1, axis=0)
    misled = model.score_all(text[new], text[new], images=wrong, other_images=image[new] @ turn)
    assert np.mean(misled.argmax(axis=1) == np.arange(100)) < 0.25


def test_more_mentions_than_a_block_are_scored_as_one_by_one():
    text = np.random.default_rng(3).normal(size=(70, 2, 4))
    model = M3EL(3, epochs=1, random_state=0).fit(text, text)
    alone = [model.score_all(text[[row]], text)[0] for row in (0, 63, 64, 69)]
    np.testing.assert_allclose(model.score_all(text, text)[[0, 63, 64, 69]], alone, atol=1e-5)


def test_without_parts_a_whole_is_its_own_part():
    rows = np.random.default_rng(1).normal(size=(30, 4))
    model = M3EL(3, epochs=2, random_state=0).fit(rows, rows)
    twice = np.stack([rows, rows], axis=1)
    np.testing.assert_allclose(model.score_all(rows, rows), model.score_all(twice, twice), atol=1e-6)


def test_missing_entities_and_other_shapes_are_refused():
    rows = np.random.default_rng(2).normal(size=(20, 4))
    with pytest.raises(UserError, match="requires y"):
        M3EL(2).fit(rows, None)
    with pytest.raises(UserError, match="parts, features"):
        M3EL(2).fit(rows, np.zeros((20, 2, 2, 2)))
    model = M3EL(2, epochs=1).fit(rows, rows)
    with pytest.raises(UserError, match="4, as in fit"):
        model.score_all(rows[:, :3], rows)
