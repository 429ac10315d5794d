"""The recipe of a space that has grown is learned and proved again, not chosen again."""

import numpy as np
import pytest

from codomain.shrink import cheapest, renew


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = (
        rng.standard_normal((2400, 32)) * np.geomspace(1, 0.2, 32)
        + 3 * rng.standard_normal((12, 32))[rng.integers(0, 12, 2400)]
    )
    return X.astype(np.float32)


@pytest.fixture(scope="module")
def record(rows):
    return cheapest(rows[:1500], target=0.8).to_dict() | {"target": 0.75}  # room for the luck of other queries


def test_the_same_recipe_is_proved_on_all_rows(rows, record):
    front = renew(record, rows[:2000])
    before = record["rows"][record["winner"]]
    assert front.winner.recipe.name == before["recipe"]
    assert front.winner.lower >= 0.75
    assert front.winner.to_dict()["recall"] != before["recall"]  # measured, not copied
    assert len(front.build(None)) == 2000
    record_again = front.to_dict()
    assert record_again["chosen_among"] == 1500
    assert record_again["rows"][record_again["winner"]]["recipe"] == before["recipe"]
    truth = np.argsort(-cosines(rows[:2000]), axis=1)[:, 1:11]
    found = front.build(None).search(rows[:2000], 11)[1]
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(truth, found, strict=True)])
    assert kept == pytest.approx(front.winner.recall, abs=0.03)


def cosines(X):
    Z = X / np.linalg.norm(X, axis=1, keepdims=True)
    return Z @ Z.T


def test_growth_adds_up_until_a_new_choice_is_made(rows, record):
    twice = renew(renew(record, rows[:2000]).to_dict(), rows[:2400])
    assert twice.chosen_among == 1500
    assert renew(record | {"chosen_among": 1100}, rows[:2400]) is None
    assert renew(record, rows[:700]) is None


def test_a_recipe_that_no_longer_keeps_the_target_is_dropped(rows, record):
    assert renew(record | {"target": 0.9999}, rows[:2000]) is None


def test_there_is_nothing_to_renew_without_a_winner(rows, record):
    assert renew(record | {"winner": None}, rows[:2000]) is None
    assert renew({}, rows[:2000]) is None
