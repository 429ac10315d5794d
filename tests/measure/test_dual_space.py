"""What is true of domain and function and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.spatial.distance import cosine
from scipy.stats import gmean, ortho_group

from codomain.core import UserError
from codomain.measure import DualSpace
from codomain.measure.dual_space import word_spaces
from codomain.measure.dual_space.contexts import positive_pmi


def spaces(seed=0, n=12, d=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) + 0.7, rng.standard_normal((n, 3)) + 0.7


def test_a_case_by_hand():
    # dog, house, kennel, cottage: kennel is 45 degrees from both domains and has the function of a house.
    domain = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 1.0]]
    function = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]
    fitted = DualSpace().fit(domain, function)
    # The geometric mean of cos 45, cos 45 and 1 is 0.5 ** (1 / 3); a cottage has nothing of dogs.
    np.testing.assert_allclose(fitted.composition([[0, 1, 2], [0, 1, 3], [0, 1, 1]]), [0.5 ** (1 / 3), 0, 0])
    # A house dog is no kennel: the head is the dog, whose function is another.
    assert fitted.composition([[1, 0, 2]])[0] == 0


@given(seed=st.integers(0, 500))
@settings(max_examples=25)
def test_scores_are_their_definition_question_by_question(seed):
    D, F = spaces(seed)
    fitted, rng = DualSpace().fit(D, F), np.random.default_rng(seed)

    def mean(*pairs):
        similarities = [1 - cosine(space[i], space[j]) for space, i, j in pairs]
        return gmean(similarities) if min(similarities) > 0 else 0

    questions = rng.integers(0, 12, (20, 4))
    wanted = [
        mean((F, a, c), (F, b, d)) if mean((D, a, b), (D, c, d)) >= mean((D, a, d), (D, c, b)) else 0
        for a, b, c, d in questions
    ]
    clear = questions[:, 0] != questions[:, 2]  # a = c makes both domains equal, and rounding decides
    clear &= questions[:, 1] != questions[:, 3]
    np.testing.assert_allclose(fitted.relation(questions)[clear], np.array(wanted)[clear], atol=1e-7)
    wanted = [0 if c in (a, b) else mean((D, a, c), (D, b, c), (F, b, c)) for a, b, c in questions[:, :3]]
    np.testing.assert_allclose(fitted.composition(questions[:, :3]), wanted, atol=1e-7)


@given(seed=st.integers(0, 500), size=st.floats(0.01, 100))
@settings(max_examples=20)
def test_a_rotation_and_the_size_of_each_space_change_nothing(seed, size):
    D, F = spaces(seed)
    questions = np.random.default_rng(seed).permuted(np.tile(np.arange(12), (20, 1)), axis=1)[:, :4]
    rotated = DualSpace().fit(
        size * D @ ortho_group.rvs(4, random_state=seed), F @ ortho_group.rvs(3, random_state=seed)
    )
    fitted = DualSpace().fit(D, F)
    np.testing.assert_allclose(rotated.relation(questions), fitted.relation(questions), atol=1e-7)
    np.testing.assert_allclose(rotated.composition(questions[:, :3]), fitted.composition(questions[:, :3]), atol=1e-7)


def test_information_of_words_and_contexts_is_its_definition():
    counts = np.random.default_rng(0).integers(0, 4, (6, 5)).astype(float)
    p = counts / counts.sum()
    with np.errstate(divide="ignore"):
        wanted = np.maximum(np.log(p / np.outer(p.sum(axis=1), p.sum(axis=0))), 0)
    np.testing.assert_allclose(positive_pmi(csr_array(counts)).toarray(), wanted, atol=1e-12)


def test_made_up_texts_give_trades_as_domains_and_places_in_the_sentence_as_functions():
    rng = np.random.default_rng(0)
    trades = [
        ("carpenter", "wood", "saw timber bench plank nail"),
        ("mason", "stone", "wall quarry mortar brick trowel"),
    ]
    texts = []
    for _ in range(400):
        who, what, around = trades[rng.integers(2)]
        near = " ".join(rng.permutation(around.split()))
        texts.append(f"the {who} cuts some {what} {near}")
    words, domain, function = word_spaces(texts, n_components=4, random_state=0)
    carpenter, wood, mason, stone = map(words.index, ["carpenter", "wood", "mason", "stone"])

    def cosines(space, pairs):
        return [1 - cosine(space[one], space[two]) for one, two in pairs]

    trade, role = [(carpenter, wood), (mason, stone)], [(carpenter, mason), (wood, stone)]
    assert min(cosines(domain, trade)) > max(cosines(domain, role))
    assert min(cosines(function, role)) > max(cosines(function, trade))
    right, wrong = DualSpace().fit(domain, function).relation([[carpenter, wood, mason, stone],
                                                               [carpenter, wood, stone, mason]])  # fmt: skip
    assert right > wrong


def test_texts_do_not_run_into_each_other():
    words, domain, _ = word_spaces(["red apple pie"] * 5 + ["blue whale song"] * 5, n_components=2, random_state=0)
    apple, red, whale = map(words.index, ["apple", "red", "whale"])
    assert abs(domain[apple] @ domain[whale]) < 1e-6 < domain[apple] @ domain[red]


def test_chosen_words_have_the_vectors_that_they_have_among_all():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcdefghijkl"), 30)) for _ in range(60)]
    words, domain, function = word_spaces(texts, n_components=11, random_state=0)
    some, domain_of_some, function_of_some = word_spaces(texts, words=words[3:], n_components=8, random_state=0)
    assert some == words[3:]
    # All contexts stay; without the other rows their totals differ, and so do the weights, a little.
    for whole, part in ((domain, domain_of_some), (function, function_of_some)):
        assert part.shape == (9, 8) and whole.shape == (12, 11)
    few = word_spaces(texts, n_contexts=5, n_components=4, random_state=0)[1]
    assert np.linalg.matrix_rank(few) <= 5


def test_what_does_not_fit_is_refused_in_words():
    fitted = DualSpace().fit(*spaces())
    with pytest.raises(UserError, match="4 in each row"):
        fitted.relation([[0, 1, 2]])
    with pytest.raises(UserError, match="from 0 to 11"):
        fitted.composition([[0, 1, 12]])
    with pytest.raises(UserError, match="more than n_components"):
        word_spaces(["too few words"] * 9)
