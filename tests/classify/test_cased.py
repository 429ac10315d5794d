"""What is true of naming without a vocabulary and of nothing else."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import CaSED

WORDS = np.array(["bird", "cat", "dog", "elk", "fox", "gnu", "hen", "owl"])


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def base(seed, n=12, d=4):
    """Caption vectors, captions, vectors of the words, rows."""
    rng = np.random.default_rng(seed)
    captions = [" ".join(rng.choice(WORDS, rng.integers(1, 4), replace=False)) for _ in range(n)]
    return rng.normal(size=(n, d)), captions, rng.normal(size=(len(WORDS), d)), rng.normal(size=(20, d))


@given(
    seed=st.integers(0, 1000), k=st.integers(1, 15), share=st.floats(0, 1), temperature=st.floats(0.05, 2),
    often=st.integers(1, 4),
)  # fmt: skip
def test_the_answer_is_the_papers_formula_one_row_at_a_time(seed, k, share, temperature, often):
    X, captions, W, Z = base(seed)
    head = CaSED(k, weight_of_neighbors=share, temperature=temperature, n_mentions=often)
    predicted = head.fit(X, captions, WORDS, W).predict(Z)
    for z, answer in zip(unit(Z), predicted, strict=True):
        near = sorted(range(12), key=lambda i: -(unit(X)[i] @ z))[:k]
        counts = Counter(word for i in near for word in captions[i].split())
        candidates = sorted(word for word, n in counts.items() if n >= min(often, max(counts.values())))
        vectors = unit(W)[[WORDS.tolist().index(word) for word in candidates]]
        middle = unit(np.mean([unit(X)[i] for i in near], axis=0))
        one, two = (np.exp(vectors @ q / temperature) for q in (z, middle))
        scores = (1 - share) * one / one.sum() + share * two / two.sum()
        assert answer in candidates
        assert scores[candidates.index(answer)] == pytest.approx(scores.max(), abs=1e-9)


def test_an_answer_comes_from_the_nearest_captions_however_well_another_word_fits():
    head = CaSED(1).fit([[1.0, 0.0], [0.0, 1.0]], ["elk", "owl"], ["elk", "owl"], [[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(head.predict([[1.0, 0.1], [0.1, 1.0]]), ["elk", "owl"])


def test_in_parts_or_at_once_it_answers_alike(monkeypatch):
    import codomain.classify.cased as module

    X, captions, W, Z = base(0)
    head = CaSED(3, temperature=0.1).fit(X, captions, WORDS, W)
    together = head.predict(Z)
    monkeypatch.setattr(module, "_CHUNK", 1)
    np.testing.assert_array_equal(head.predict(Z), together)
    assert len(set(together)) > 2


def test_words_are_those_that_can_name_something_in_the_singular():
    assert CaSED.vocabulary(["A photo of 3 Owls on an_island", "owls & über-cats, foxes because grass is series"]) == [
        "cat",
        "fox",
        "grass",
        "island",
        "owl",
        "series",
        "über",
    ]


def test_a_word_counts_as_often_as_it_is_said_and_the_commonest_stands_in_where_none_is_said_twice():
    captions = ["elk owl elk", "owl gnu"]
    W = [[0.0, 1.0], [1.0, 0.0], [0.6, 0.8]]
    head = CaSED(1).fit([[1.0, 0.0], [0.0, 1.0]], captions, ["elk", "owl", "gnu"], W)
    assert head.mentions_.toarray().tolist() == [[2.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    # The first caption leaves the elk alone, though the owl is nearer; of the second both words stay.
    assert head.predict([[1.0, 0.1], [0.1, 1.0]]).tolist() == ["elk", "gnu"]


def test_a_label_is_a_caption_of_one_word():
    assert CaSED.vocabulary(["two", "Owl", "3", "two owls"]) == ["3", "Owl", "owl", "two"]


def test_captions_without_an_answerable_word_are_not_retrieved():
    X, captions, W, Z = base(1)
    head = CaSED(4).fit(np.concatenate([X, Z]), [*captions, *["of the"] * 20], WORDS, W)
    assert head.captions_.shape == X.shape
    np.testing.assert_array_equal(head.predict(Z), CaSED(4).fit(X, captions, WORDS, W).predict(Z))


def test_without_vectors_a_word_is_the_mean_of_its_captions():
    X, captions, _, Z = base(2)
    head = CaSED(5).fit(X, captions)
    means = [unit(sum(unit(x) for x, text in zip(X, captions, strict=True) if word in text)) for word in head.classes_]
    np.testing.assert_allclose(head.word_vectors_, means)
    np.testing.assert_array_equal(CaSED(5).fit(X, captions, head.classes_, means).predict(Z), head.predict(Z))


def test_words_in_another_order_give_the_same_answers():
    X, captions, W, Z = base(3)
    one, two = CaSED(5).fit(X, captions, WORDS, W), CaSED(5).fit(X, captions, WORDS[::-1], W[::-1])
    np.testing.assert_array_equal(one.predict(Z), two.predict(Z))


def test_what_does_not_fit_is_refused():
    X, captions, W, _ = base(4)
    with pytest.raises(ValueError, match="One of words and word_vectors is missing"):
        CaSED().fit(X, captions, WORDS)
    with pytest.raises(ValueError, match=r"word_vectors of shape \(8, 3\)"):
        CaSED().fit(X, captions, WORDS, W[:, :3])
    with pytest.raises(ValueError, match="No caption has a word"):
        CaSED().fit(X, captions, ["yak"], W[:1])
