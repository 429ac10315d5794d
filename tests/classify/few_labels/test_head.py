"""What is true of the head that picks itself."""

import io
import json
import pickle

import numpy as np
import pytest
from numpydoc.validate import validate
from safetensors.numpy import load, save
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from codomain.classify import FewLabelHead
from codomain.classify.few_labels.calibrate import calibration_error, log_loss, temperature, wilson
from codomain.classify.few_labels.candidates import Candidate, pick
from codomain.classify.few_labels.closed import PENALTIES, Fit, Turned
from codomain.classify.few_labels.rows import Rows
from codomain.classify.few_labels.spread import DOUBT, FURTHER, NEIGHBORS, PENALTY, STEPS, reached, taught
from codomain.core import UserError


def clumps(seed=0, n=90, d=6, classes=3, apart=1.0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.concatenate([np.arange(classes).repeat(2), rng.integers(0, classes, n - 2 * classes)]))
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + apart * rng.normal(size=(classes, d))[y], y


def digits(train=100, seed=0):
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, train_size=train, stratify=y, random_state=seed)


@parametrize_with_checks([FewLabelHead(random_state=0)])
def test_it_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def test_its_rules_are_its_parameters_and_bite():
    X, y = clumps()
    for name, rule in FewLabelHead.rules.items():
        for bad in rule.refuses:
            with pytest.raises(UserError, match=name):
                FewLabelHead(**{name: bad}).fit(X, y)


def test_its_docstring_is_whole():
    assert [
        error for error in validate("codomain.classify.few_labels.head.FewLabelHead")["errors"] if error[0] != "SA01"
    ] == []


@pytest.mark.parametrize(("n", "d"), [(40, 5), (18, 30)], ids=["tall", "wide"])
def test_left_out_scores_of_least_squares_are_those_of_refitting(n, d):
    X, y = clumps(1, n, d)
    full = Turned(X, y, np.arange(n))
    fits = list(full.ridge())
    spread = np.square(X - X.mean(axis=0)).sum() / n
    step = len(fits) // len(PENALTIES)
    for left in (0, 5, 11):
        rest = np.arange(n) != left
        Z = X[rest] - X[rest].mean(axis=0)
        shares = np.bincount(y[rest], minlength=3) / (n - 1)
        for fit, penalty in zip(fits[::step], PENALTIES, strict=True):
            W = np.linalg.solve(Z.T @ Z + penalty * spread * np.eye(d), Z.T @ np.eye(3)[y[rest]])
            expected = (X[left] - X[rest].mean(axis=0)) @ W + shares
            np.testing.assert_allclose(fit.left_out[left], expected, atol=1e-8)


def test_left_out_distances_of_gaussians_are_those_of_refitting():
    X, y = clumps(2, 40, 5)
    turned = Turned(X, y, np.arange(40))
    Z, share = turned.Z, 0.03
    M = np.array([Z[y == c].mean(axis=0) for c in range(3)])
    R = Z - M[y]
    L = np.linalg.cholesky(np.linalg.inv(share * R.T @ R + np.eye(5)))
    got = turned._without(Z @ L, M @ L, share)
    for left in (0, 3, 17):
        rest = np.arange(40) != left
        means = np.array([Z[rest & (y == c)].mean(axis=0) for c in range(3)])
        R = Z[rest] - means[y[rest]]
        P = np.linalg.inv(share * R.T @ R + np.eye(5))
        expected = [-0.5 * (Z[left] - m) @ P @ (Z[left] - m) for m in means]
        np.testing.assert_allclose(got[left], expected, atol=1e-8)


def test_hardly_shrunk_gaussians_agree_with_lda_in_what_they_predict():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(3)
    y = np.repeat([0, 1, 2], 200)  # equal classes, for which the priors and the correction of small means cancel
    X = rng.normal(size=(600, 4)) @ rng.normal(size=(4, 4)) + 1.5 * rng.normal(size=(3, 4))[y]
    fit = next(Turned(X, y, np.arange(600)).gaussians((1e-6,)))
    ours = (X @ fit.coef.T + fit.intercept).argmax(axis=1)
    assert np.mean(ours == LinearDiscriminantAnalysis().fit(X, y).predict(X)) > 0.99


def test_left_out_accuracy_is_near_the_accuracy_on_fresh_rows():
    gaps = []
    for seed in range(5):
        X, Q, y, truth = digits(200, seed)
        head = FewLabelHead(random_state=0).fit(X, y)
        gaps.append(head.accuracy_ - head.score(Q, truth))
        assert head.interval_[0] <= head.accuracy_ <= head.interval_[1]
    assert abs(np.mean(gaps)) < 0.04


def test_what_it_picks_is_better_than_the_nearest_prototype_where_covariance_matters():
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    X = np.stack([rng.normal(size=400) + 0.6 * y, 5 * rng.normal(size=400)], axis=1) + 30
    head = FewLabelHead(random_state=0).fit(X[:200], y[:200])
    assert head.baseline_ == head.scores_["nearest prototype"]
    assert head.accuracy_ > head.baseline_
    assert head.chosen_ != "nearest prototype"


def test_probabilities_are_better_calibrated_than_certainty_is():
    X, Q, y, truth = digits(60)
    head = FewLabelHead(random_state=0).fit(X, y)
    P = head.predict_proba(Q)
    np.testing.assert_allclose(P.sum(axis=1), 1)
    which = np.searchsorted(head.classes_, truth)
    wrong = np.mean(head.predict(Q) != truth)
    assert calibration_error(P, which) < wrong / 2 + 0.05
    assert log_loss(np.log(P), which) < np.log(10) / 2


def test_a_temperature_undoes_a_scale():
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(2000, 4))
    which = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)  # drawn from the softmax of the logits
    assert temperature(10 * logits, which)[0] == pytest.approx(10, rel=0.1)


def test_the_interval_of_no_rows_is_everything_and_of_many_is_narrow():
    assert wilson(float("nan"), 0) == (0.0, 1.0)
    low, high = wilson(0.5, 100)
    assert (low, high) == (pytest.approx(0.404, abs=1e-3), pytest.approx(0.596, abs=1e-3))


@pytest.mark.parametrize("kind", ["words", "objects", "numbers", "truth"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_head_read_back_predicts_the_same_bit_for_bit(kind, dtype):
    X, y = clumps(4)
    y = y % 2 if kind == "truth" else y
    named = {"words": np.array(["sea", "land", "air"])[y], "numbers": 10 * y, "truth": y == 1}
    labels = named["words"].astype(object) if kind == "objects" else named[kind]
    head = FewLabelHead(random_state=0).fit(X.astype(dtype), labels)
    arrays, params = head.state()
    params = json.loads(json.dumps(params))
    arrays = load(save({name: np.ascontiguousarray(part) for name, part in arrays.items()}))
    again = FewLabelHead.from_state(arrays, params)
    Q = clumps(5)[0].astype(dtype)
    assert again.classes_.dtype == head.classes_.dtype
    np.testing.assert_array_equal(again.predict(Q), head.predict(Q))
    np.testing.assert_array_equal(again.predict_proba(Q), head.predict_proba(Q))
    assert again.predict_proba(Q).dtype == dtype
    assert (str(again), again.scores_, again.memory_bytes) == (str(head), head.scores_, head.memory_bytes)
    assert head.memory_bytes == sum(len(part.tobytes()) for part in arrays.values())
    pickled = pickle.load(io.BytesIO(pickle.dumps(head)))
    np.testing.assert_array_equal(pickled.predict_proba(Q), head.predict_proba(Q))


def test_the_same_seed_gives_the_same_head():
    X, y = clumps(6)
    one, two = (FewLabelHead(random_state=3).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_one_row_per_class_gives_labels_but_no_accuracy():
    X, Q, y, truth = digits(10)
    head = FewLabelHead(random_state=0).fit(X, y)
    assert head.scores_ == {}
    assert np.isnan(head.accuracy_)
    assert "accuracy unknown" in str(head)
    assert head.score(Q, truth) > 0.3


def test_a_class_of_one_row_is_learned_and_told():
    X, y = clumps(7, apart=9)
    X, y = np.concatenate([X, [X.max(axis=0) * 9]]), np.append(y, 3)
    head = FewLabelHead(random_state=0).fit(X, y)
    assert head.predict(X[-1:])[0] == 3
    assert any("one row" in note and "3" in note for note in head.notes_)


def test_equal_rows_with_different_labels_are_told():
    X, y = clumps(8)
    X[4], y[3], y[4] = X[3], 0, 1
    assert any("rows 3, 4" in note and "another label" in note for note in FewLabelHead().fit(X, y).notes_)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a", "", "b", "b"], "1 of 4 labels are blank or missing, in rows 1"),
        (["a", "  ", "b", "b"], "blank"),
        ([None, "a", "b", "b"], "blank or missing"),
        (np.array(["a", 1, "b", "b"], dtype=object), "different kinds: numbers and words"),
        ([0.5, 1.5, 2.5, 0.25], "Unknown label type"),
        (["a", "a", "a", "a"], "y holds 1 class, "),
    ],
)
def test_labels_that_are_no_labels_are_refused_in_words(labels, words):
    with pytest.raises(ValueError, match=words):
        FewLabelHead().fit(np.eye(4), labels)


def test_a_long_tail_is_handled():
    rng = np.random.default_rng(0)
    sizes = [300, 60, 12, 4, 2, 1]
    y = np.repeat(np.arange(6), sizes)
    centres = 3 * rng.normal(size=(6, 8))
    head = FewLabelHead(random_state=0).fit(centres[y] + rng.normal(size=(len(y), 8)), y)
    fresh = np.arange(600) % 6
    right = head.predict(centres[fresh] + rng.normal(size=(600, 8))) == fresh
    assert np.all(np.bincount(fresh, weights=right)[:4] > 80)  # of 100 each: the classes of four rows or more
    assert any("1 of 6 classes have one row (5)" in note for note in head.notes_)


def test_several_labels_per_row_go_through_scikit_learns_wrapper():
    X, y = clumps(9, apart=4)
    Y = np.stack([y == 0, y == 1], axis=1)
    many = MultiOutputClassifier(FewLabelHead(random_state=0)).fit(X, Y)
    assert np.mean(many.predict(X) == Y) > 0.8


def test_more_rows_than_landmarks_are_fitted_through_a_part_of_them():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 2))
    y = (np.hypot(*X.T) > 1.2).astype(int)  # a ring, which no linear head can tell from its middle
    head = FewLabelHead(random_state=0).fit(X, y)
    assert head.chosen_.startswith("kernel")
    assert len(head.state()[0]["landmarks"]) == 1000
    Q = rng.normal(size=(1000, 2))
    assert head.score(Q, np.hypot(*Q.T) > 1.2) > 0.9 > head.baseline_ + 0.2


def moons(n=200):
    """Two half rings, each through the mouth of the other, in three dimensions."""
    angle = np.linspace(0, np.pi, n // 2)
    one = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(n // 2)])
    return 3 + np.concatenate([one, [1, 0.3, 0] - one]), np.repeat([0, 1], n // 2)


def test_what_reaches_a_row_is_the_sum_over_all_walks_from_the_label():
    X = clumps(10, 30, 4)[0]
    squares = np.square(X[:, None] - X).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    order = np.argsort(squares, axis=1)[:, :NEIGHBORS]
    width = np.median(np.take_along_axis(squares, order, axis=1))
    W = np.zeros((30, 30))
    for i, row in enumerate(order):
        for j in row:
            W[i, j] += np.exp(-squares[i, j] / width)
            W[j, i] += np.exp(-squares[i, j] / width)
    roots = np.sqrt(W.sum(axis=1))
    S = W / roots / roots[:, None]
    whole = np.linalg.inv(np.eye(30) - FURTHER * S)[:, :8]  # walks of every length
    assert np.abs(reached(X, 8) - whole).max() < FURTHER ** (STEPS + 1) / (1 - FURTHER)


def test_left_out_scores_of_spread_labels_are_those_of_a_row_without_its_label():
    X = clumps(11, 40, 4)[0]
    which, guessed = np.repeat(np.arange(3), [2, 3, 7]), np.repeat(np.arange(3), [30, 10, 0])
    m = len(which)
    reach = reached(X, m)
    fit = taught(X, reach, which, np.arange(m), guessed)
    worth = (3 * np.array([0.75, 0.25, 0]) + 0.5) / 1.5
    for left in (0, 4, 8, None):
        rest = np.arange(m) != left
        parts = [reach[:, rest & (which == c)].sum(axis=1) for c in range(3)]
        held = np.stack([w * part / part.sum() for w, part in zip(worth, parts, strict=True)], axis=1) + DOUBT / 40
        Z, target = X - X.mean(axis=0), held / held.sum(axis=1, keepdims=True)
        W = np.linalg.solve(Z.T @ Z + PENALTY * np.square(Z).sum() / 40 * np.eye(4), Z.T @ target)
        if left is None:
            np.testing.assert_allclose(X @ fit.coef.T + fit.intercept, Z @ W + target.mean(axis=0), atol=1e-9)
        else:
            np.testing.assert_allclose(fit.left_out[left], Z[left] @ W + target.mean(axis=0), atol=1e-9)


def test_rows_without_a_label_carry_a_label_round_a_bend():
    X, truth = moons()
    known = np.array([20, 70, 120, 170])
    rest = np.setdiff1d(np.arange(200), known)
    alone = FewLabelHead(random_state=0).fit(X[known], truth[known])
    together = FewLabelHead(random_state=0).fit(X[known], truth[known], X[rest])
    assert together.chosen_ == "spread labels"
    assert together.score(X[rest], truth[rest]) > alone.score(X[rest], truth[rest]) + 0.05
    arrays, params = together.state()
    again = FewLabelHead.from_state(arrays, json.loads(json.dumps(params)))
    np.testing.assert_array_equal(again.predict_proba(X), together.predict_proba(X))


def test_rows_without_a_label_help_where_each_class_has_one_row():
    gains, losses = [], []
    for seed in range(3):
        X, Q, y, truth = digits(10, seed)
        alone, together = (FewLabelHead(random_state=0).fit(X, y, more) for more in (None, Q[:600]))
        gains.append(together.score(Q[600:], truth[600:]) - alone.score(Q[600:], truth[600:]))
        losses.append(log_loss(np.log(together.predict_proba(Q[600:])), truth[600:]))
    assert np.mean(gains) > 0.05
    assert np.mean(losses) < np.log(10) / 2


def test_a_class_that_is_common_among_the_rows_is_not_held_back_by_equal_labels():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [900, 50, 50])
    X = rng.normal(size=(1000, 5)) + 1.5 * np.eye(3, 5)[truth]
    known = np.concatenate([np.flatnonzero(truth == c)[:3] for c in range(3)])
    rest = np.setdiff1d(np.arange(1000), known)
    alone, together = (FewLabelHead(random_state=0).fit(X[known], truth[known], more) for more in (None, X[rest]))
    assert together.score(X[rest], truth[rest]) > alone.score(X[rest], truth[rest])


@pytest.mark.parametrize(
    ("spread", "plain", "n", "wins"),
    [
        (0.5, 0.6, 36, "spread labels"),  # a standard error is 0.083 and the lead 0.1
        (0.5, 0.7, 36, "kernel blend"),  # a lead of 0.2
        (0.5, 0.51, 400, "spread blend"),  # with enough rows per class
        (0.5, 0.6, 400, "kernel blend"),
    ],
)
def test_labels_handed_on_are_left_where_the_labels_speak_against_them(spread, plain, n, wins):
    fit = Fit(np.eye(2), np.zeros(2), np.zeros((2, 2)))
    named = {"kernel blend": plain, "spread labels": spread, "spread blend": spread, "nearest prototype": 0.0}
    kept = {name: Candidate(name, Rows(0.0), fit, accuracy, 1.0) for name, accuracy in named.items()}
    assert pick(kept, n, 20).name == wins


def test_without_rows_without_a_label_nothing_changes():
    X, y = clumps(12)
    one, two = (FewLabelHead(random_state=0).fit(X, y, more) for more in (None, X[:0]))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    with pytest.raises(ValueError, match="features"):
        FewLabelHead().fit(X, y, X[:, 1:])


def test_rows_without_a_label_go_through_scikit_learns_wrapper_too():
    X, y = clumps(13, apart=4)
    Y = np.stack([y == 0, y == 1], axis=1)
    many = MultiOutputClassifier(FewLabelHead(random_state=0)).fit(X[:20], Y[:20], unlabelled=X[20:])
    assert np.mean(many.predict(X[20:]) == Y[20:]) > 0.8
    assert all("spread labels" in one.scores_ for one in many.estimators_)


def test_what_is_found_of_each_class_stands_beside_always_saying_the_commonest():
    rng = np.random.default_rng(0)
    y = np.repeat(["rare", "common"], [40, 160])
    X = rng.standard_normal((200, 16)) + np.outer(y == "rare", np.full(16, 0.4))
    head = FewLabelHead(random_state=0).fit(X, y)
    assert head.majority_ == 0.8
    assert head.sizes_.tolist() == [160, 40]
    assert head.recalls_ @ head.sizes_ / 200 == pytest.approx(head.accuracy_)
    assert head.balanced_accuracy_ == pytest.approx(head.recalls_.mean())
    low, high = head.balanced_interval_
    assert low < head.balanced_accuracy_ < high
    again = FewLabelHead.from_state(*head.state())
    assert again.recalls_.tolist() == head.recalls_.tolist() and again.balanced_interval_ == (low, high)


def test_balanced_accuracy_of_left_out_rows_is_that_of_new_rows_within_its_interval():
    met = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y = rng.random(2150) < 0.2
        X = rng.standard_normal((2150, 16)) + np.outer(y, np.full(16, 0.5))
        head = FewLabelHead(random_state=0).fit(X[:150], y[:150])
        found = balanced_accuracy_score(y[150:], head.predict(X[150:]))
        met += head.balanced_interval_[0] <= found <= head.balanced_interval_[1]
    assert met >= 8
