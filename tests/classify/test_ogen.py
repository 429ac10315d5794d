"""What is true of a head trained on made-up rows and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import codomain.classify.ogen.synthesis as module
from codomain.classify import OGEN
from codomain.classify.ogen.synthesis import mean_state, nearest_known_classes, synthesise

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


@given(seed=st.integers(0, 1000), n_neighbors=st.integers(1, 6))
def test_neighbours_are_the_known_classes_of_the_nearest_names_but_not_the_class_itself(seed, n_neighbors):
    rng = np.random.default_rng(seed)
    names, known = unit(rng.normal(size=(8, 3))), np.sort(rng.permutation(8)[:5])
    near = nearest_known_classes(names, known, n_neighbors)
    for c in range(8):
        others = sorted((k for k in known if k != c), key=lambda k: -(names[c] @ names[k]))
        assert near[c].tolist() == others[: min(n_neighbors, 4)]


@given(seed=st.integers(0, 1000))
def test_a_made_up_row_is_the_name_and_what_its_neighbours_add_one_row_at_a_time(seed):
    rng = np.random.default_rng(seed)
    names, drawn, turn = unit(rng.normal(size=(6, 4))), unit(rng.normal(size=(6, 2, 3, 4))), rng.normal(size=(4, 4))
    near = nearest_known_classes(names, np.arange(6), 3)
    generator = [torch.from_numpy(turn), torch.tensor(0.3, dtype=torch.float64)]
    made = synthesise(generator, torch.from_numpy(names), near, torch.from_numpy(drawn))
    for c in range(6):
        keys = [(names[c] + names[c] @ turn) @ (names[k] + names[k] @ turn) * np.exp(0.3) for k in near[c]]
        share = np.exp(keys) / np.exp(keys).sum()
        for s in range(2):
            row = names[c] + sum(share[i] * (drawn[c, s, i] - names[k]) for i, k in enumerate(near[c]))
            np.testing.assert_allclose(made[c, s], unit(row), atol=1e-9)


@pytest.mark.parametrize(("passes", "span"), [(0, 1), (1, 2), (10, 6), (20, 9)])
def test_the_teacher_is_the_mean_of_the_last_states_and_of_more_as_training_goes_on(passes, span):
    past = [[torch.tensor(float(i**2))] for i in range(passes + 1)]
    expected = np.mean([i**2 for i in range(passes + 1)][-span:])
    assert mean_state(past, passes / 20)[0].item() == pytest.approx(expected)


def test_what_is_made_up_for_classes_without_rows_is_nearer_to_their_rows_than_their_names_are():
    names, y, rows, of = task(0)
    seen = of < 16
    head = OGEN(random_state=0).fit(names, y, rows[seen], of[seen])
    truth = np.stack([rows[of == c].mean(axis=0) for c in range(16, 24)])
    made, named = ((unit(truth) * part[16:]).sum(axis=1).mean() for part in (head.synthetic_, names))
    assert made > named + 0.1


def test_made_up_rows_help_classes_that_have_none(monkeypatch):
    monkeypatch.setattr(module, "STEP", 1e-2)
    gains = []
    for seed in range(3):
        names, y, rows, of = task(seed)
        seen, old = of < 16, y < 16
        head = OGEN(random_state=0).fit(names, y, rows[seen], of[seen])
        bare = OGEN(n_synthetic=0, weight_of_teacher=0, random_state=0).fit(names[old], y[old], rows[seen], of[seen])
        ours, theirs = (one.for_classes(names[~old], y[~old]).score(rows[~seen], of[~seen]) for one in (head, bare))
        gains.append(ours - theirs)
    assert np.mean(gains) > 0.05


def test_without_a_step_a_score_is_the_cosine_to_the_name(monkeypatch):
    monkeypatch.setattr(module, "STEP", 0.0)
    names, y, rows, of = task(1)
    head = OGEN(epochs=1, random_state=0).fit(names, y, rows, of)
    np.testing.assert_allclose(head.decision_function(rows), rows @ names.T, atol=1e-9)


def test_the_teacher_holds_the_head_back(monkeypatch):
    monkeypatch.setattr(module, "STEP", 1e-2)
    names, y, rows, of = task(2)
    free, held = (
        OGEN(weight_of_teacher=weight, epochs=10, random_state=0).fit(names, y, rows, of) for weight in (0, 100)
    )
    assert np.linalg.norm(held.row_turn_) < 0.9 * np.linalg.norm(free.row_turn_)


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
