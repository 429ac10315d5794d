"""What is true of weighted prompt ensembles and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import ZPE


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def pool(seed, n_templates=4, n_classes=3, d=6, n=40):
    """Template-class vectors in order of templates, and rows."""
    rng = np.random.default_rng(seed)
    names, forms = rng.normal(size=(n_classes, d)), rng.normal(size=(n_templates, d))
    X = (names[None] + forms[:, None]).reshape(-1, d)
    return X, np.tile(np.arange(n_classes), n_templates), names[rng.integers(0, n_classes, n)] + rng.normal(size=(n, d))


@given(seed=st.integers(0, 1000), temperature=st.floats(0.005, 1), with_background=st.booleans())
def test_scores_and_weights_are_the_definition_written_out(seed, temperature, with_background):
    X, y, Z = pool(seed)
    background = pool(seed + 1)[2] if with_background else None
    head = ZPE(temperature).fit(X, y, rows=Z, background=background)
    table, rows = unit(X).reshape(4, 3, 6), unit(Z)
    scores = []
    for template in table:
        test = [[row @ text for text in template] for row in rows]
        bias = np.mean(test, axis=0)
        if with_background:
            bias = (bias + np.mean([[row @ text for text in template] for row in unit(background)], axis=0)) / 2
        scores.append(np.mean([max(np.array(one) - bias) for one in test]))
    weights = np.exp(np.array(scores) / temperature) / np.sum(np.exp(np.array(scores) / temperature))
    np.testing.assert_allclose(head.template_scores_, scores, atol=1e-12)
    np.testing.assert_allclose(head.template_weights_, weights, atol=1e-9)
    np.testing.assert_allclose(head.prototypes_, np.einsum("t,tcd->cd", weights, table), atol=1e-9)


def test_without_rows_it_is_the_equal_ensemble():
    X, y, Z = pool(0)
    head = ZPE().fit(X, y)
    np.testing.assert_allclose(head.template_weights_, 0.25)
    np.testing.assert_allclose(head.decision_function(Z), unit(Z) @ unit(X).reshape(4, 3, 6).mean(axis=0).T)
    assert np.any(ZPE(0.001).fit(X, y, rows=Z).predict(Z) != head.predict(Z))


def test_a_template_in_which_all_classes_read_alike_scores_nothing_however_near_the_rows_are():
    names = np.eye(4)[:3]
    Z = np.concatenate([names, names]) + 2 * np.eye(4)[3]  # near to the fourth axis, all of them
    X = np.concatenate([names, np.tile(np.eye(4)[3], (3, 1))])
    head = ZPE().fit(X, [0, 1, 2, 0, 1, 2], rows=Z)
    assert head.template_scores_[1] == pytest.approx(0, abs=1e-12)
    assert head.template_scores_[0] > 0.2 and head.template_weights_[0] > 0.99


def test_the_order_of_the_rows_of_x_does_not_matter_when_templates_are_named():
    X, y, Z = pool(1)
    templates = np.repeat(["a", "b", "c", "d"], 3)
    order = np.random.default_rng(0).permutation(12)
    one = ZPE().fit(X, y, templates, rows=Z)
    two = ZPE().fit(X[order], y[order], templates[order], rows=Z)
    np.testing.assert_allclose(one.prototypes_, two.prototypes_)
    np.testing.assert_array_equal(two.templates_, ["a", "b", "c", "d"])
    np.testing.assert_allclose(one.prototypes_, ZPE().fit(X, y, rows=Z).prototypes_)


def test_arrays_that_do_not_fit_are_refused():
    X, y, Z = pool(2)
    with pytest.raises(ValueError, match=r"templates has shape \(3,\)"):
        ZPE().fit(X, y, [1, 2, 3])
    with pytest.raises(ValueError, match=r"rows has shape \(40, 5\)"):
        ZPE().fit(X, y, rows=Z[:, :5])
    with pytest.raises(ValueError, match="background holds values that are not finite"):
        ZPE().fit(X, y, rows=Z, background=Z * np.nan)
