"""What is true of max-min diverse choice and of nothing else."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ortho_group

from codomain.core import UserError
from codomain.search import DivPrune, divprune


def cloud(seed, n=12, d=3):
    return np.random.default_rng(seed).normal(size=(n, d))


def at(*degrees):
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def test_a_case_by_hand():
    # 100 degrees is the loneliest (40 from 60); 0 is then the farthest from it, and 60 the farthest from both.
    fitted = DivPrune(3).fit(at(0, 10, 50, 60, 100))
    np.testing.assert_array_equal(fitted.rows_, [4, 0, 2])
    np.testing.assert_allclose(fitted.gaps_, 1 - np.cos(np.radians([40, 100, 50])))


@given(seed=st.integers(0, 1000), n_kept=st.integers(2, 12))
def test_it_is_the_greedy_choice_from_the_table_of_all_distances(seed, n_kept):
    X = cloud(seed)
    table = squareform(pdist(X, "cosine"))
    lonely = [min(np.delete(table[row], row)) for row in range(12)]
    kept = [int(np.argmax(lonely))]
    gaps = [max(lonely)]
    while len(kept) < n_kept:
        left = [row for row in range(12) if row not in kept]
        kept.append(max(left, key=lambda row: min(table[row, kept])))
        gaps.append(min(table[kept[-1], kept[:-1]]))
    fitted = DivPrune(n_kept).fit(X)
    np.testing.assert_array_equal(fitted.rows_, kept)
    np.testing.assert_allclose(fitted.gaps_, gaps, atol=1e-9)


@given(seed=st.integers(0, 1000), n_kept=st.integers(2, 5))
def test_its_smallest_distance_is_at_least_half_of_the_best_possible_chord(seed, n_kept):
    X = cloud(seed, 10)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    best = max(pdist(unit[list(rows)]).min() for rows in combinations(range(10), n_kept))
    assert pdist(unit[DivPrune(n_kept).fit(X).rows_]).min() >= best / 2 - 1e-9


@given(seed=st.integers(0, 1000))
def test_every_row_left_out_is_within_the_last_gap_of_a_kept_one(seed):
    X = cloud(seed, 30)
    fitted = DivPrune(6).fit(X)
    table = squareform(pdist(X, "cosine"))[:, fitted.rows_]
    assert table.min(axis=1).max() <= fitted.gaps_[-1] + 1e-9
    assert np.all(np.diff(fitted.gaps_[1:]) <= 1e-9)


@given(seed=st.integers(0, 1000))
def test_no_rotation_and_no_length_of_a_row_changes_the_choice_and_fewer_are_its_beginning(seed):
    X = cloud(seed)
    moved = X * np.random.default_rng(seed).uniform(0.1, 10, (12, 1)) @ ortho_group.rvs(3, random_state=seed)
    rows = DivPrune(6).fit(X).rows_
    np.testing.assert_array_equal(DivPrune(6).fit(moved).rows_, rows)
    np.testing.assert_array_equal(DivPrune(3).fit(X).rows_, rows[:3])


def test_one_of_each_clump_is_kept_before_a_second_of_any():
    centres = np.repeat(np.eye(5), 20, axis=0)
    X = centres + 0.05 * cloud(0, 100, 5)
    assert sorted(DivPrune(5).fit(X).rows_ // 20) == [0, 1, 2, 3, 4]


def test_copies_are_kept_last_and_each_row_once():
    X = np.repeat(at(0, 90, 180), 3, axis=0)
    fitted = DivPrune(9).fit(X)
    assert sorted(fitted.rows_) == list(range(9))
    assert sorted(fitted.rows_[:3] // 3) == [0, 1, 2]
    np.testing.assert_allclose(fitted.gaps_[3:], 0, atol=1e-12)


def test_blocks_do_not_change_the_answer(monkeypatch):
    X = cloud(0, 40)
    whole = DivPrune(8).fit(X).rows_
    monkeypatch.setattr(divprune, "_ROWS", 7)
    np.testing.assert_array_equal(DivPrune(8).fit(X).rows_, whole)


def test_more_than_there_are_is_refused():
    with pytest.raises(UserError, match="n_kept=4 with n_samples=3"):
        DivPrune(4).fit(np.eye(3))
