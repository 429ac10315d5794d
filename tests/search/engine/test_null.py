import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from codomain.core import UserError, unit_rows
from codomain.data import stdlib_docstrings
from codomain.encode import resolve
from codomain.search import Null

WORDY = ["open the file", "read the file", "close the door", "write a letter"] * 5


class BagOfLetters:
    """Counts of two-letter runs: an encoder small enough to know by heart."""

    def encode(self, texts, *, query=False):
        out = np.full((len(texts), 26 * 26), 1e-3, np.float32)
        for row, text in enumerate(texts):
            letters = [ord(c) - 97 for c in text.lower() if "a" <= c <= "z"]
            np.add.at(out[row], [26 * a + b for a, b in pairwise(letters)], 1)
        return unit_rows(out)


@pytest.fixture(scope="module")
def gaussian():
    X = np.random.default_rng(0).standard_normal((3000, 40)).astype(np.float32)
    return X, Null.fit(X)


def test_percentiles_are_shares_of_all_pairs(gaussian):
    X, null = gaussian
    U = unit_rows(X.astype(np.float64))
    everything = (U @ U.T)[np.triu_indices(len(U), 1)]
    for score in (-0.3, -0.1, 0.0, 0.1, 0.25, 0.4):
        share = np.mean(everything < score)
        assert null.percentile(score) == pytest.approx(share, abs=0.004)
        assert 1 - null.percentile(score) == pytest.approx(1 - share, rel=0.35)  # the tail, to its own size


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20))
def test_a_higher_score_never_has_a_lower_percentile(scores):
    null = Null.fit(np.repeat(np.eye(3, dtype=np.float32), [5, 1, 1], axis=0), n_pairs=1000)
    shares = null.percentile(sorted(scores))
    assert (np.diff(shares) >= 0).all() and (shares > 0).all() and (shares < 1).all()


def test_above_all_pairs_looked_at_higher_scores_are_still_rarer(gaussian):
    """Normal scores here: the continued tail may understate how rare a score is, and must not overstate it tenfold."""
    X, null = gaussian
    spread = float(np.std(unit_rows(X[:1500]) @ unit_rows(X[1500:]).T))
    scores = np.array([4.5, 5.0, 5.5, 6.0]) * spread
    rare = 1 - null.percentile(scores)
    assert (np.diff(rare) < 0).all()
    assert (rare > norm.sf([4.5, 5.0, 5.5, 6.0]) / 10).all() and rare[-1] < 1e-5


def test_of_unrelated_questions_that_the_null_never_saw_as_many_pairs_are_as_close_as_it_says():
    """First lines of held-out docstrings against rows of other packages; everyday questions are all the null knows.

    Their raw cosines are no measure: four times as many pairs lie above its 1 in 10, and fifty above its 1 in 1,000.
    """
    table = stdlib_docstrings()
    order = np.random.default_rng(0).permutation(len(table))
    texts, packages = (np.array(table[name].to_pylist(), object)[order] for name in ("text", "package"))
    encoder = resolve("static:wordllama")
    X = unit_rows(encoder.encode(list(texts[:3000])))
    S = unit_rows(encoder.encode([text.partition("\n")[0] for text in texts[3000:3300]], query=True)) @ X.T
    null = Null.fit(X, texts=list(texts[:3000]), encoder=encoder)
    others = packages[3000:3300, None] != packages[None, :3000]
    rare = 1 - np.array([null.percentile_of_question(s, s.mean(), s.std()) for s in S])[others]
    for said in (0.1, 0.01, 0.001):
        assert said / 2.5 < np.mean(rare <= said) < said * 2.5


def test_a_question_is_held_against_its_own_mean_and_spread():
    null = Null.fit(BagOfLetters().encode(WORDY), texts=WORDY, encoder=BagOfLetters())
    scores = np.array([0.1, 0.2, 0.4])
    same = null.percentile_of_question(scores, 0.1, 0.05)
    np.testing.assert_allclose(null.percentile_of_question(0.3 + 2 * scores, 0.5, 0.1), same, atol=1e-9)
    with pytest.raises(UserError, match="no questions"):
        Null.fit(BagOfLetters().encode(WORDY)).percentile_of_question(scores, 0.1, 0.05)


@pytest.mark.parametrize("encoder", [None, BagOfLetters()])
def test_json_brings_back_the_same_null(encoder):
    null = Null.fit(BagOfLetters().encode(WORDY), texts=WORDY, encoder=encoder, n_pairs=2000)
    again = Null.from_dict(json.loads(json.dumps(null.to_dict())))
    assert again == null
    assert (again.bar is None) == (encoder is None)


def test_a_seed_gives_one_null(gaussian):
    X, null = gaussian
    assert Null.fit(X) == null != Null.fit(X, random_state=1)


def test_a_text_of_the_collection_is_close_and_another_subject_is_not():
    texts = [f"{verb} the {noun} buffer" for verb in ("flush", "fill", "copy") for noun in ("socket", "queue", "disk")]
    encoder = BagOfLetters()
    X = encoder.encode(texts)
    null = Null.fit(X, texts=texts, encoder=encoder)
    best = {q: float((encoder.encode([q]) @ X.T).max()) for q in ("copy the disk buffer", "vermeer", "zyx wvu")}
    assert not null.nothing_close(best["copy the disk buffer"], asked="question")
    assert null.nothing_close(best["vermeer"], asked="question")
    assert null.nothing_close(best["zyx wvu"], asked="question")


def test_without_an_encoder_the_bar_is_what_99_of_100_rows_reach():
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, 50))
    X = (centres[rng.integers(0, 10, 2000)] + 0.3 * rng.standard_normal((2000, 50))).astype(np.float32)
    null = Null.fit(X)
    U = unit_rows(X.astype(np.float64))
    inside = (unit_rows(centres + 0.3 * rng.standard_normal((10, 50))) @ U.T).max(axis=1)
    outside = (unit_rows(rng.standard_normal((10, 50))) @ U.T).max(axis=1)
    assert not any(null.nothing_close(s) for s in inside) and all(null.nothing_close(s) for s in outside)


def test_a_score_that_most_unrelated_pairs_share_is_not_rare():
    null = Null.fit(np.eye(50, dtype=np.float32), n_pairs=1000)  # every pair has cosine 0
    assert null.percentile(0.0) < 0.01 and null.percentile(0.01) > 0.99


def test_one_row_has_no_null():
    with pytest.raises(UserError, match="two rows"):
        Null.fit(np.ones((1, 3), np.float32))
