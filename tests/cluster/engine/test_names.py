import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from codomain.cluster import name_groups
from codomain.cluster.engine.boilerplate import own_lines
from codomain.cluster.engine.words import TOKEN
from codomain.core import UserError

TOPICS = {
    "sea": ["whale", "ocean", "anchor", "sailor"],
    "kitchen": ["oven", "recipe", "butter", "spoon"],
    "code": ["os.path", "asyncio", "traceback", "max_iter"],
}
FILLER = ["the", "and", "thing", "people", "today", "is", "with"]


def corpus(each=60, seed=0):
    rng = np.random.default_rng(seed)
    texts = [
        " ".join(rng.permutation([*rng.choice(words, 2, replace=False), *rng.choice(FILLER, 4)]))
        for words in TOPICS.values()
        for _ in range(each)
    ]
    return texts, np.repeat(np.arange(len(TOPICS)), each)


def test_names_are_made_of_the_planted_words_and_find_their_group():
    texts, labels = corpus()
    for name, words in zip(name_groups(texts, labels), TOPICS.values(), strict=True):
        assert 2 <= len(name.words) <= 3
        assert set(" ".join(name.words).split()) <= set(words)
        assert name.name == " · ".join(name.words)
        assert name.score > 0.75


def test_the_score_is_the_f1_of_a_keyword_query():
    texts, labels = corpus()
    labels = labels.copy()
    labels[::7] = 0
    for number, name in enumerate(name_groups(texts, labels)):
        found = np.array([sum(word in text.split() for word in name.words) >= name.needs for text in texts])
        wanted = labels == number
        precision, recall = (found & wanted).sum() / found.sum(), (found & wanted).sum() / wanted.sum()
        assert name.precision == pytest.approx(precision)
        assert name.recall == pytest.approx(recall)
        assert name.score == pytest.approx(2 * precision * recall / (precision + recall))


def test_arbitrary_groups_get_low_scores():
    texts, labels = corpus()
    honest = np.mean([name.score for name in name_groups(texts, labels)])
    shuffled = np.random.default_rng(0).permutation(labels)
    assert np.mean([name.score for name in name_groups(texts, shuffled)]) < honest - 0.3


def test_a_phrase_is_named_as_a_phrase():
    texts = ["a regular expression here"] * 9 + [f"another regular expression {i}" for i in "abc"] + ["cold soup"] * 12
    name = name_groups(texts, [0] * 12 + [1] * 12)[0]
    assert "regular expression" in name.words
    assert "regular" not in name.words


def test_one_name_holds_no_two_forms_of_a_word():
    texts = ["parser parsers parse file"] * 10 + ["river rivers water"] * 10
    for name in name_groups(texts, [0] * 10 + [1] * 10):
        stems = [word[:4] for entry in name.words for word in entry.split()]
        assert len(stems) == len(set(stems))


def test_stop_words_do_not_name_groups_that_have_other_words():
    texts, labels = corpus()
    assert not {w for name in name_groups(texts, labels) for w in name.words} & {"the", "and", "is", "with"}


def test_distinct_groups_get_distinct_names():
    texts = ["apple pear plum cherry"] * 40
    names = [name.name for name in name_groups(texts, np.repeat(np.arange(4), 10))]
    assert len(set(names)) == 4


def test_rows_in_no_group_get_no_name_and_do_not_stop_the_others():
    texts, labels = corpus()
    labels = np.where(np.arange(len(labels)) % 10 == 0, -1, labels)
    names = name_groups(texts, labels)
    assert len(names) == 3
    assert all((labels[name.examples] == number).all() for number, name in enumerate(names))


def test_examples_are_central_and_no_copies():
    rng = np.random.default_rng(0)
    X = np.concatenate([5 * np.eye(8)[g] + rng.normal(size=(50, 8)) * 0.5 for g in range(2)]).astype(np.float32)
    X[1:6] = X[0] = 5 * np.eye(8)[0]
    texts = [f"text number {i}" for i in range(100)]
    texts[7] = texts[8]
    names = name_groups(texts, np.repeat([0, 1], 50), X=X)
    for number, name in enumerate(names):
        assert 3 <= len(name.examples) <= 5
        rows = X[number * 50 : number * 50 + 50]
        closeness = rows @ rows.mean(axis=0) / np.linalg.norm(rows, axis=1)
        picked = X[name.examples] @ rows.mean(axis=0) / np.linalg.norm(X[name.examples], axis=1)
        assert picked.min() > np.median(closeness)
        assert len({texts[i] for i in name.examples}) == len(name.examples)
    assert len(set(names[0].examples) & set(range(6))) == 1


def test_vectors_alone_are_named_by_the_labels_of_the_user():
    given = ["dog"] * 9 + ["cat"] + ["cat"] * 10
    names = name_groups(None, [0] * 10 + [1] * 10, user_labels=given)
    assert [name.name for name in names] == ["mostly dog (90%)", "mostly cat (100%)"]
    assert names[0].precision == pytest.approx(0.9)
    assert names[1].recall == pytest.approx(10 / 11)


def test_vectors_alone_without_labels_are_numbered():
    names = name_groups(None, [0, 0, 1, 1], X=np.eye(4, dtype=np.float32))
    assert [(name.name, name.score) for name in names] == [("group 0", 0.0), ("group 1", 0.0)]


def test_texts_without_words_are_numbered():
    names = name_groups(["", "!", "1 2", "?"], [0, 0, 1, 1])
    assert [name.name for name in names] == ["group 0", "group 1"]


def test_one_group_of_everything_is_named_by_what_is_common():
    assert "whale" in name_groups(["whale song", "whale watch", "blue whale"], [0, 0, 0])[0].name


def test_no_group_gives_no_name():
    assert name_groups(["a", "b"], [-1, -1]) == []


def test_lengths_that_differ_are_refused():
    with pytest.raises(UserError, match="texts has 1 rows"):
        name_groups(["one"], [0, 0])


def test_a_gap_in_the_numbers_is_refused():
    with pytest.raises(UserError, match="Group 1 has no row"):
        name_groups(["a", "b"], [0, 2])


def test_every_word_of_a_name_is_held_by_a_fifth_of_the_group_and_sets_it_apart_on_real_text(docstrings):
    texts, labels = docstrings["text"].to_pylist(), docstrings["package"].to_pylist()
    packages = [name for name in sorted(set(labels)) if labels.count(name) >= 10]
    group = np.array([packages.index(label) if label in packages else -1 for label in labels])
    names = name_groups(texts, group)
    counter = CountVectorizer(token_pattern=TOKEN.pattern, ngram_range=(1, 2), binary=True)
    has = counter.fit_transform(own_lines(texts)).astype(bool).toarray()
    words = 0
    for number, name in enumerate(names):
        for word, share in zip(name.words, name.shares, strict=True):
            found = has[:, counter.vocabulary_[word]]
            assert share == pytest.approx(found[group == number].mean())
            assert share >= 0.2 and share >= 2 * found[group != number].mean()
            assert f"{word} {share:.0%}" in name.says
            words += 1
    assert words >= 2 * len(packages)


def mails(seed=0):
    """Mails of three subjects, each in a frame of headers, a disclaimer and its author's signature."""
    rng = np.random.default_rng(seed)
    subjects = ["goalie puck playoff rink", "orbit shuttle rocket moon", "rifle ban law owner"]
    common = "people think know good time thing want year make right way need".split()
    texts, group = [], []
    for number, words in enumerate(subjects):
        authors = [f"Zorbax{number}{a} Quimby | voice {a}555 | Megacorp{number}" for a in range(2)]
        for row in range(60):
            body = " ".join(rng.permutation([*rng.choice(words.split(), 3), *rng.choice(common, 12)]))
            texts.append(
                f"From: someone{row}@site{row % 7}.edu\nOrganization: University of Nowhere\nLines: {row}\n\n{body}\n"
                f"Standard disclaimer applies to opinions.\n--\n{authors[row % 2]}\n"
            )
            group.append(number)
    return texts, np.array(group), [set(words.split()) for words in subjects]


def test_headers_disclaimers_and_signatures_are_no_names():
    texts, group, wanted = mails()
    for name, words in zip(name_groups(texts, group), wanted, strict=True):
        assert set(name.words) <= words and len(name.words) >= 2, name.words


def test_a_word_of_few_rows_of_a_group_is_no_part_of_its_name():
    texts = [f"apple pie{' zeppelin' if row < 4 else ''} {row}" for row in range(50)]  # 8 % of them
    texts += [f"whale song {row}" for row in range(50)]
    names = name_groups(texts, np.repeat([0, 1], 50))
    assert names[0].words and "zeppelin" not in " ".join(names[0].words)
    assert set(names[0].shares) == {1}, names[0]


def test_what_most_rows_share_names_no_group():
    texts = [f"report {'alpha' if row % 3 == 0 else 'other'} stuff{row}" for row in range(90)]
    names = name_groups(texts, np.arange(90) % 3 // 2)
    assert all("report" not in name.words for name in names)
    assert names[1].words == [] or "other" in names[1].words


def test_lines_of_three_texts_are_left_out_of_texts_that_have_their_own():
    texts = ["same\na", "same \r\nb", "  same\nc", "same", "twice\nd", "twice\ne\x85f"]
    assert own_lines(texts) == ["a", "b", "c", "same", "twice\nd", "twice\ne f"]
