"""What is true of attributes gathered through a learnt hierarchy and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.classify import AttrSeg, ByDescription
from codomain.classify.shared.attention import attend, first_attention

torch = pytest.importorskip("torch")


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def task(seed, n_classes=6, d=5, n=60, noise=1.0):
    """Attributes of which the first of each class is right and the others are noise, and rows."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_classes, d))
    y = np.repeat(np.arange(n_classes), rng.integers(1, 5, n_classes))
    first = np.concatenate([[True], y[1:] != y[:-1]])
    X = np.where(first[:, None], centres[y], noise * rng.normal(size=(len(y), d)))
    of = rng.integers(0, n_classes, n)
    return X, y, centres[of] + 0.3 * rng.normal(size=(n, d)), of


def look(queries, keys, joint, out):
    """Attention of one query and one head at a time."""
    d = len(out)
    heads = np.gcd(4, d)
    size = d // heads
    seen = []
    for query in queries:
        parts = []
        for h in range(heads):
            q, k, v = (
                rows @ joint[i * d + h * size : i * d + (h + 1) * size].T for i, rows in enumerate((query, keys, keys))
            )
            share = np.exp(k @ q / np.sqrt(size))
            parts.append(share @ v / share.sum())
        seen.append(out @ np.concatenate(parts))
    return np.array(seen)


def slowly(A, seen, stages, temperature):
    """One class, one attribute at a time."""
    tokens = A
    for stage in stages:
        tokens = tokens + look(tokens, seen, stage["fuse"], stage["fuse_out"])
        joint = np.concatenate([stage["groups"], tokens])
        joint = joint + look(joint, joint, stage["mix"], stage["mix_out"])
        groups, tokens = unit(joint[: len(stage["groups"])]), joint[len(stage["groups"]) :]
        shares = np.array([np.exp(groups @ unit(token) / temperature) for token in tokens])
        shares /= shares.sum(axis=1, keepdims=True)
        means = [share @ tokens / share.sum() for share in shares.T]
        tokens = np.array([m + m @ stage["turn"] for m in means])
    return unit(tokens[0])


@settings(max_examples=6)
@given(seed=st.integers(0, 1000), n_groups=st.integers(1, 6), temperature=st.floats(0.05, 1))
def test_prototypes_are_the_stages_written_out(seed, n_groups, temperature):
    X, y, Z, of = task(seed)
    head = AttrSeg(n_groups, temperature=temperature, learning_rate=1e-2, epochs=5, random_state=0).fit(X, y, Z, of)
    assert min(np.abs(part).max() for stage in head.stages_ for part in stage.values()) > 1e-3  # not about the start
    for c in range(6):
        expected = slowly(unit(X[y == c]), head.seen_, head.stages_, temperature)
        np.testing.assert_allclose(head.prototypes_[c], expected, atol=1e-6)


@given(seed=st.integers(0, 1000))
def test_attention_is_torchs(seed):
    rng = np.random.RandomState(seed)
    joint, out = map(torch.from_numpy, first_attention(8, rng))
    queries, keys, values = (torch.from_numpy(rng.normal(size=(5, n, 8))) for n in (2, 3, 3))
    there = torch.from_numpy(np.column_stack([np.ones(5, bool), rng.random_sample((5, 2)) < 0.5]))
    attention = torch.nn.MultiheadAttention(8, 4, bias=False, batch_first=True, dtype=torch.float64)
    attention.in_proj_weight, attention.out_proj.weight = map(torch.nn.Parameter, (joint, out))
    expected = attention(queries, keys, values, key_padding_mask=~there)[0].detach()
    np.testing.assert_allclose(attend(queries, keys, values, joint, out, there=there), expected, atol=1e-9)


def test_with_one_group_and_before_a_step_it_is_the_mean_of_the_attributes():
    X, y, Z, of = task(0)
    head = AttrSeg(1, learning_rate=0.0, random_state=0).fit(X, y, Z, of)
    np.testing.assert_allclose(head.prototypes_, ByDescription(normalise=True).fit(X, y).prototypes_, atol=1e-6)


def test_what_was_learnt_serves_classes_that_were_not_there():
    # The last axis is what misleading attributes have in common: training on some classes must discount it for others.
    rng = np.random.default_rng(0)

    def described(n):
        centres = np.hstack([rng.normal(size=(n, 7)), np.zeros((n, 1))])
        loud = 4 * np.eye(8)[7] + 2 * rng.normal(size=(n, 8))
        of = np.repeat(np.arange(n), 30)
        return (
            np.concatenate([centres, loud]),
            np.tile(np.arange(n), 2),
            centres[of] + 0.8 * rng.normal(size=(30 * n, 8)),
            of,
        )

    X, y, Z, of = described(40)
    A, names, Q, truth = described(30)
    plain = ByDescription(normalise=True).fit(A, names).score(Q, truth)
    head = AttrSeg(random_state=0, epochs=40, learning_rate=3e-3).fit(X, y, Z, of)
    assert head.losses_[-1] < head.losses_[0] - 0.1
    assert head.for_classes(A, names).score(Q, truth) > plain + 0.05
    assert len(head.classes_) == 40  # the head itself is as it was


def test_a_class_with_few_attributes_is_not_changed_by_the_padding_of_others():
    X, y, Z, of = task(1)
    head = AttrSeg(random_state=0).fit(X, y, Z, of)
    subset = head.for_classes(X[(y == 2) | (y == 4)], y[(y == 2) | (y == 4)])
    np.testing.assert_allclose(subset.prototypes_, head.prototypes_[[2, 4]], atol=1e-6)


def test_the_global_seed_of_torch_is_left_alone():
    state = torch.random.get_rng_state()
    AttrSeg(epochs=1, random_state=0).fit(*task(2))
    assert torch.equal(state, torch.random.get_rng_state())


def test_rows_without_classes_are_refused():
    X, y, Z, _ = task(3)
    with pytest.raises(ValueError, match="One of rows and row_classes is missing"):
        AttrSeg().fit(X, y, Z)
