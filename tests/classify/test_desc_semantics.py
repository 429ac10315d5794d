"""What is true of descriptions that labelled rows select and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import SelectedDescriptions


def task(seed, n_classes=6, d=5, n=30):
    rng = np.random.default_rng(seed)
    X, names, rows = (rng.normal(size=(size, d)) for size in (4 * n_classes, n_classes, 3 * n_classes))
    return (
        X,
        rng.permutation(np.repeat(np.arange(n_classes), 4)),
        names,
        rows,
        np.repeat(np.arange(n_classes), 3),
        rng.normal(size=(n, d)),
    )


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def slowly(X, y, names, rows, of, z, k, m, weight):
    """The paper's choice, one row and one class at a time, with the authors' fallback to a class's own first texts."""
    X, names, rows, z = map(unit, (X, names, rows, z))
    candidates = sorted(range(len(names)), key=lambda c: -(names[c] @ z))[:k]
    near = {c: [np.mean([x @ row for row in rows[of == c]]) for x in X] for c in candidates}
    scores = {}
    for c in candidates:
        lead = {d: near[c][d] - np.mean([near[o][d] for o in candidates]) for d in range(len(X))
                if all(near[c][d] >= near[o][d] for o in candidates)}  # fmt: skip
        best = sorted(lead, key=lambda d: -lead[d])[:m] or [d for d in range(len(X)) if y[d] == c][:m]
        scores[c] = weight * (names[c] @ z) + np.mean([X[d] @ z for d in best])
    return scores


@given(seed=st.integers(0, 1000), k=st.integers(1, 7), m=st.integers(1, 30), weight=st.floats(0, 3))
def test_scores_of_the_candidates_are_the_papers_choice_one_at_a_time(seed, k, m, weight):
    X, y, names, rows, of, Z = task(seed)
    head = SelectedDescriptions(k, n_kept=m, weight_of_names=weight).fit(X, y, names, rows, of)
    found = head.decision_function(Z)
    for z, scores, predicted in zip(Z[:6], found, head.predict(Z), strict=False):
        expected = slowly(X, y, names, rows, of, z, k, m, weight)
        np.testing.assert_allclose([scores[c] for c in expected], list(expected.values()), atol=1e-9)
        assert predicted == max(expected, key=expected.get)
        assert all(scores[c] < min(expected.values()) for c in range(6) if c not in expected)


def test_a_row_alone_or_among_many_gets_the_same_answer(monkeypatch):
    import codomain.classify.desc_semantics as module

    X, y, names, rows, of, Z = task(0, n=200)
    head = SelectedDescriptions(3).fit(X, y, names, rows, of)
    together = head.decision_function(Z)
    monkeypatch.setattr(module, "_CHUNK", 1)
    np.testing.assert_allclose(head.decision_function(Z), together)
    np.testing.assert_allclose(np.concatenate([head.decision_function(Z[[i]]) for i in range(200)]), together)


def test_whose_a_description_was_matters_only_to_a_candidate_that_none_supports():
    X, y, names, rows, of, Z = task(1)
    one, two = (SelectedDescriptions().fit(X, which, names, rows, of) for which in (y, (y + 1) % 6))
    far = np.eye(6)[0] @ one.affinities_  # as if all descriptions fitted the first class best
    for head in (one, two):
        head.affinities_ = np.stack([far + 1, *[far] * 5])
    assert [list(part) for part in one.chosen([0, 3])][1] == np.flatnonzero(y == 3)[:5].tolist()
    assert list(one.chosen([0, 3])[0]) == list(two.chosen([0, 3])[0])
    assert np.any(one.decision_function(Z) != two.decision_function(Z))


def test_what_is_chosen_leads_in_its_class_and_depends_on_the_company():
    X, y, names, rows, of, _ = task(2)
    head = SelectedDescriptions(n_kept=4).fit(X, y, names, rows, of)
    chosen = head.chosen([0, 1, 2])
    for number, kept in enumerate(chosen):
        assert len(kept) <= 4
        assert (head.affinities_[:3, kept].argmax(axis=0) == number).all()
    assert [list(kept) for kept in chosen] != [list(kept) for kept in head.chosen([0, 4, 5])]


def test_one_candidate_is_the_nearest_name():
    X, y, names, rows, of, Z = task(3)
    head = SelectedDescriptions(1).fit(X, y, names, rows, of)
    np.testing.assert_array_equal(head.predict(Z), (unit(Z) @ unit(names).T).argmax(axis=1))
    assert np.any(SelectedDescriptions(6).fit(X, y, names, rows, of).predict(Z) != head.predict(Z))


def test_arrays_that_do_not_fit_are_refused():
    X, y, names, rows, of, _ = task(4)
    with pytest.raises(ValueError, match=r"names has shape \(5, 5\)"):
        SelectedDescriptions().fit(X, y, names[:5])
    with pytest.raises(ValueError, match="row_classes holds 9"):
        SelectedDescriptions().fit(X, y, names, rows, np.where(of == 1, 9, of))
    with pytest.raises(ValueError, match="One of rows and row_classes is missing"):
        SelectedDescriptions().fit(X, y, names, rows)
    with pytest.raises(ValueError, match="class 1 has no row"):
        SelectedDescriptions().fit(X, y, names, rows, np.where(of == 1, 0, of))
