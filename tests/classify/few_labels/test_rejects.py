"""The promise of the sets, kept and refused."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from codomain.classify import FewLabelHead, reject
from codomain.core import UserError


def fitted(seed=0, train=60):
    X, y = load_digits(return_X_y=True)
    X, rest, y, y_rest = train_test_split(X, y, train_size=train, stratify=y, random_state=seed)
    parts = train_test_split(rest, y_rest, train_size=400, random_state=seed)
    return FewLabelHead(random_state=0).fit(X, y), parts


@pytest.mark.parametrize("risk", [0.05, 0.2])
def test_sets_hold_the_right_class_as_often_as_promised_over_draws(risk):
    covered = []
    for seed in range(8):
        head, (X_cal, X, y_cal, y) = fitted(seed)
        sets = reject(head, X_cal, y_cal, X, risk=risk).sets
        covered.append(sets[np.arange(len(y)), np.searchsorted(head.classes_, y)].mean())
    assert 1 - risk - 0.02 < np.mean(covered) < 1 - risk + 0.04


def test_the_sets_are_those_of_the_quantile_written_out():
    head, (X_cal, X, y_cal, _) = fitted(1)
    strange = 1 - head.predict_proba(X_cal)[np.arange(len(y_cal)), np.searchsorted(head.classes_, y_cal)]
    cut = np.sort(strange)[int(np.ceil((len(y_cal) + 1) * 0.9)) - 1]
    expected = 1 - head.predict_proba(X) <= cut
    got = reject(head, X_cal, y_cal, X, risk=0.1)
    assert np.mean(got.sets == expected) > 0.999  # rounding at the very edge
    np.testing.assert_array_equal(got.keep, got.sets.sum(axis=1) == 1)


def test_a_higher_risk_never_grows_a_set():
    head, (X_cal, X, y_cal, _) = fitted(2)
    careful, bold = (reject(head, X_cal, y_cal, X, risk=risk).sets for risk in (0.02, 0.2))
    assert np.all(careful | ~bold)
    assert careful.sum() > bold.sum()


def test_it_says_what_it_does_not_promise():
    head, (X_cal, X, y_cal, _) = fitted(3)
    says = reject(head, X_cal, y_cal, X, risk=0.1).says
    assert "at most 10%" in says
    assert "no promise about a single class" in says
    assert "400 calibration rows" in says


def test_words_are_labels_too():
    _, (X_cal, X, y_cal, _) = fitted(4)
    named = FewLabelHead(random_state=0).fit(X_cal, np.char.add("digit ", y_cal.astype(str)))
    got = reject(named, X_cal, np.char.add("digit ", y_cal.astype(str)), X)
    assert got.sets.shape == (len(X), 10)


def test_bad_input_is_refused_in_words():
    head, (X_cal, X, y_cal, _) = fitted(5)
    for risk in (0, 1, 1.5, "low", True):
        with pytest.raises(UserError, match="above 0 and below 1"):
            reject(head, X_cal, y_cal, X, risk=risk)
    with pytest.raises(UserError, match=r"5 calibration rows cannot promise a risk of 0\.1"):
        reject(head, X_cal[:5], y_cal[:5], X)
    with pytest.raises(UserError, match="1 classes that the head never saw, such as '77'"):
        reject(head, X_cal, np.where(np.arange(400) == 3, 77, y_cal), X)


@pytest.mark.parametrize("risk", [0.05, 0.1, 0.3])
def test_the_sets_are_those_of_mapie(risk):
    mapie = pytest.importorskip("mapie.classification")
    head, (X_cal, X, y_cal, _) = fitted(6)
    theirs = mapie.SplitConformalClassifier(head, confidence_level=1 - risk, conformity_score="lac", prefit=True)
    theirs.conformalize(X_cal, y_cal)
    sets = theirs.predict_set(X)[1][:, :, 0].astype(bool)
    assert np.mean(reject(head, X_cal, y_cal, X, risk=risk).sets == sets) > 0.999  # rounding at the very edge
