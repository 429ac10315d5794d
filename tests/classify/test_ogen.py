"""What is true of a head trained on made-up rows and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import OGEN
from codomain.classify.ogen.synthesis import first_generator, mean_state, nearest_classes, synthesise

torch = pytest.importorskip("torch")


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def task(seed, n_classes=24, n_rows=15, d=10):
    """Names of classes in four groups, and rows: the name and what the group adds, which no name tells."""
    rng = np.random.default_rng(seed)
    group = np.arange(n_classes) % 4
    centres, added = 2 * rng.normal(size=(4, d)), 0.3 * rng.normal(size=(4, d))
    names = unit(centres[group] + rng.normal(size=(n_classes, d)))
    of = np.repeat(np.arange(n_classes), n_rows)
    rows = unit(names[of] + added[group[of]] + 0.1 * rng.normal(size=(len(of), d)))
    return names, np.arange(n_classes), rows, of


@given(seed=st.integers(0, 1000), n=st.integers(1, 6))
def test_neighbours_are_the_nearest_others_but_not_the_class_itself(seed, n):
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    for c, found in enumerate(nearest_classes(one, two, n)):
        assert found.tolist() == sorted(range(4), key=lambda k: -(one[c] @ two[k]))[:n]
    for c, found in enumerate(nearest_classes(one, one, n, same=True)):
        assert found.tolist() == sorted(set(range(5)) - {c}, key=lambda k: -(one[c] @ one[k]))[: min(n, 4)]


@given(seed=st.integers(0, 1000))
def test_the_generator_is_torchs_attention_plus_two_layers_of_the_name(seed):
    rng = np.random.RandomState(seed)
    parts = first_generator(8, np.float64, rng)
    for part in parts:
        part.data += torch.from_numpy(0.1 * rng.normal(size=part.shape))  # so that no bias is zero
    names, keys, values = (torch.from_numpy(rng.normal(size=(5, n, 8))) for n in (2, 3, 3))
    attention = torch.nn.MultiheadAttention(8, 4, batch_first=True, dtype=torch.float64)
    attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight, attention.out_proj.bias = parts[:4]
    one, two = torch.nn.Linear(8, 8, dtype=torch.float64), torch.nn.Linear(8, 8, dtype=torch.float64)
    one.weight, one.bias, two.weight, two.bias = parts[4:]
    expected = attention(names, keys, values)[0] + two(torch.relu(one(names)))
    found = synthesise(parts, names, keys, values)
    np.testing.assert_allclose(found.detach(), unit(expected.detach().numpy()), atol=1e-9)
    nothing = synthesise(parts, names, keys, values, torch.zeros(5, 4, 2, 3, dtype=torch.float64))
    plain = parts[3] + two(torch.relu(one(names)))
    np.testing.assert_allclose(nothing.detach(), unit(plain.detach().numpy()), atol=1e-9)


@pytest.mark.parametrize(("passes", "span"), [(0, 1), (1, 2), (10, 5), (20, 9)])
def test_the_teacher_is_the_mean_of_the_last_states_and_of_more_as_training_goes_on(passes, span):
    past = [torch.tensor(float(i**2)) for i in range(passes + 1)]
    expected = np.mean([i**2 for i in range(passes + 1)][-span:])
    assert mean_state(past, passes / 20).item() == pytest.approx(expected)


def test_what_is_made_up_for_classes_without_rows_is_nearer_to_their_rows_than_their_names_are():
    names, y, rows, of = task(0)
    seen = of < 16
    head = OGEN(epochs=60, learning_rate=3e-3, random_state=0).fit(names, y, rows[seen], of[seen])
    truth = np.stack([rows[of == c].mean(axis=0) for c in range(16, 24)])
    made, named = ((unit(truth) * part[16:]).sum(axis=1).mean() for part in (head.synthetic_, names))
    assert made > named


def test_a_warm_up_leaves_the_names_alone_and_trains_the_generator():
    names, y, rows, of = task(1)
    head = OGEN(epochs=4, random_state=0).fit(names, y, rows, of)  # a fifth of four passes is none
    assert np.abs(head.text_turn_).max() > 1e-4
    warm = OGEN(epochs=5, random_state=0).fit(names, y, rows, of)
    assert warm.losses_[0] < head.losses_[0]  # the first pass lacks the cross-entropies


def test_without_a_step_a_score_is_the_cosine_to_the_name():
    names, y, rows, of = task(1)
    head = OGEN(epochs=1, learning_rate=0.0, random_state=0).fit(names, y, rows, of)
    np.testing.assert_allclose(head.decision_function(rows), rows @ names.T, atol=1e-9)


def test_the_teacher_holds_the_head_back():
    names, y, rows, of = task(2)
    free, held = (
        OGEN(weight_of_teacher=weight, epochs=10, random_state=0).fit(names, y, rows, of) for weight in (0, 100)
    )
    assert np.linalg.norm(held.text_turn_) < 0.9 * np.linalg.norm(free.text_turn_)


def test_new_classes_take_the_place_of_the_old():
    names, y, rows, of = task(3)
    head = OGEN(epochs=3, random_state=0).fit(names[:12], y[:12], rows[of < 12], of[of < 12])
    new = head.for_classes(names[12:], y[12:])
    assert set(new.predict(rows)) <= set(range(12, 24)) and set(head.predict(rows)) <= set(range(12))
    np.testing.assert_allclose(new.prototypes_, unit(names[12:] + names[12:] @ head.text_turn_), atol=1e-9)


def test_rows_of_one_class_are_refused():
    names, y, rows, of = task(4)
    with pytest.raises(ValueError, match="rows of at least two classes"):
        OGEN().fit(names, y, rows[of == 5], of[of == 5])
