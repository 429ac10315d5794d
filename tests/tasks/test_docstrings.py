"""Views of docstrings and draws of them, as the claims take them."""

import numpy as np
import pytest

from codomain.data import frozen_docstrings
from codomain.tasks.docstrings import docstring_texts
from codomain.tasks.shots import docstring_packages
from codomain.tasks.steps import class_steps, fine_tune
from codomain.tasks.triplets import named_docstrings, tune_share


def test_views_are_of_the_same_docstring_and_of_copies_one_is_left():
    texts, heads = docstring_texts("text", "head")
    text_of = {row["id"]: row["text"] for row in frozen_docstrings().to_pylist()}
    assert [text_of[head.split(" ")[0]] for head in heads] == texts
    assert len(set(texts)) == len(texts) < len(text_of)
    assert set(map(str.strip, texts)) == set(map(str.strip, text_of.values()))
    (rests,) = docstring_texts("rest")
    assert len(set(map(str.strip, rests))) == len(rests)


def test_a_first_line_and_its_rest_are_long_enough_and_make_up_the_text():
    firsts, rests, texts = docstring_texts("first", "rest", "text")
    assert 1000 < len(firsts) < len(frozen_docstrings())
    assert min(map(len, firsts)) >= 10 and min(len(rest.strip()) for rest in rests) >= 20
    assert [f"{first}\n{rest}" for first, rest in zip(firsts, rests, strict=True)] == texts


def test_shots_are_equal_in_number_and_of_unlike_rows():
    pytest.importorskip("wordllama")
    X, y, Q, truth = docstring_packages(2, 3, 5)
    names, counts = np.unique(y, return_counts=True)
    assert set(counts) == {3}
    assert (np.unique(truth, return_counts=True)[1] == 5).all() and np.unique(truth).tolist() == names.tolist()
    assert (X.shape, Q.shape) == ((3 * len(names), 256), (5 * len(names), 256))


def test_triplets_of_training_and_test_share_no_owner():
    pytest.importorskip("wordllama")
    (owners, X, names, _), (others, Q, asked, _) = named_docstrings(0, 1500, 1000)
    assert set(owners) & set(others) == set()
    assert X.shape == names.shape == (1500, 256) and Q.shape == asked.shape == (1000, 256)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, rtol=1e-5)


def test_a_coarse_name_is_the_first_word_of_the_whole_one():
    pytest.importorskip("wordllama")
    whole, coarse = (named_docstrings(0, 50, 50, coarse=coarse)[1] for coarse in (False, True))
    assert [name.split()[0] for name in whole[3]] == coarse[3].tolist()
    np.testing.assert_array_equal(whole[1], coarse[1])


def test_the_tuned_share_leans_on_what_finds_the_target():
    rng = np.random.default_rng(0)
    rows, wanted = rng.normal(size=(60, 8)), np.roll(np.arange(60), 1)
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    misled = rng.normal(size=(60, 8))
    assert tune_share(rows, rows, wanted) > 0.5  # the condition is the target itself
    assert tune_share(rows, misled, wanted) in np.linspace(0.1, 0.9, 9)


def test_every_class_arrives_in_one_step():
    y = np.repeat(list("abcdefg"), 3)
    steps = list(class_steps(y, 0, [3, 2, 2]))
    assert [len(set(y[rows])) for rows in steps] == [3, 2, 2]
    assert sorted(np.concatenate(steps)) == list(range(21))


def test_fine_tuning_forgets_what_came_first():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 20)
    X = np.eye(4)[y] + 0.1 * rng.normal(size=(80, 4))
    head = fine_tune(X, y, [np.flatnonzero(y < 2), np.flatnonzero(y >= 2)], 0, "hinge")
    assert head.score(X[y >= 2], y[y >= 2]) > 0.9 > head.score(X[y < 2], y[y < 2])
