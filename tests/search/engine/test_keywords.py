import json
import math
import sqlite3
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.search import Keywords
from codomain.search.engine.language import Query
from codomain.search.engine.words import tokens

TEXTS = [
    "Parse JSON from a file", "the parser reads the file", "naïve café owners", None, "json json json",
    "read a big compressed file slowly", "file read", "",
]  # fmt: skip


# The report's page is asked the same, in tests/workbench/report/test_page_language.py.
QUESTIONS = json.loads((Path(__file__).parents[2] / "questions.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def every_script(tmp_path_factory):
    with Keywords.build(QUESTIONS["texts"], tmp_path_factory.mktemp("scripts") / "keywords.sqlite") as built:
        yield built


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    with Keywords.build(TEXTS, tmp_path_factory.mktemp("words") / "keywords.sqlite") as built:
        yield built


def rows(words, query, k=10, **more):
    return words.search(query, k, **more)[0].tolist()


def test_scores_are_bm25_by_its_definition(words):
    docs = [(text or "").lower().split() for text in TEXTS]
    mean = np.mean([len(doc) for doc in docs])
    holding = sum("json" in doc for doc in docs)
    idf = math.log((len(docs) - holding + 0.5) / (holding + 0.5))
    found, scores = words.search("json")
    for row, score in zip(found, scores, strict=True):
        often = docs[row].count("json")
        wanted = idf * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * len(docs[row]) / mean))
        assert score == pytest.approx(wanted, rel=1e-4)
    assert found.tolist() == [4, 0]


def test_case_and_accents_do_not_matter(words):
    assert rows(words, "NAIVE cafe") == [2]


def test_a_quoted_phrase_stands_together_and_a_minus_word_is_absent(words):
    assert set(rows(words, "file read")) == {0, 1, 5, 6}
    assert rows(words, '"file read"') == [6]
    assert set(rows(words, "file -read")) == {0, 1}
    assert set(rows(words, 'file -"file read"')) == {0, 1, 5}


def test_rows_that_hold_any_of_some_words_or_phrases_are_listed_in_order(words):
    assert words.holding(["json", "file read"]).tolist() == [0, 4, 6]
    assert words.holding([]).tolist() == words.holding(["xylophone"]).tolist() == []


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("file -read", "file"), ('-"file read" a  json', "a json"), ("-read", ""), ('a "b -c" d', 'a "b -c" d'),
        ("x - y", "x - y"), ("well-known", "well-known"), ("two  blanks", "two  blanks"),
    ],
)  # fmt: skip
def test_what_is_wanted_is_the_question_less_what_is_not(asked, wanted):
    assert Query.parse(asked).wanted == wanted


def test_common_words_count_only_alone(words):
    assert set(rows(words, "the json")) == {0, 4}
    assert rows(words, "the") == [1]


@pytest.mark.parametrize("query", ["", "   ", "!!!", '"', '""', "-json", '-"json file"', "xylophone", "-", "NOT"])
def test_a_query_with_nothing_to_find_finds_nothing(words, query):
    assert rows(words, query) == []


@given(st.text(max_size=60) | st.text("\"-()*:^ANDORTE{}+,. jsonfile\0'", max_size=60))
@settings(max_examples=400)
def test_no_text_upsets_the_index(words, query):
    found, scores = words.search(query, 3)
    assert len(found) == len(scores) <= 3
    assert isinstance(words.together(query), bool)


def test_a_very_long_query_is_answered(words):
    assert rows(words, "json " + " ".join(f"w{i}" for i in range(5000))) == [4, 0]


def test_only_allowed_rows_are_ranked(words):
    among = np.zeros(len(TEXTS), bool)
    among[[0, 6]] = True
    assert set(rows(words, "file", 2, among=among)) == {0, 6}


def test_words_are_together_only_within_reach(words):
    assert words.together("how to parse json") and words.together("xylophone parse") is False
    assert words.together("json") and not words.together("json café") and not words.together("???")


def test_equal_texts_give_equal_bytes(tmp_path):
    many = [f"row {i} of file {i % 7}" for i in range(3000)]
    for name in "ab":
        Keywords.build(iter(many), tmp_path / name).close()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_reading_leaves_the_file_and_its_folder_as_they_were(tmp_path):
    path = tmp_path / "keywords.sqlite"
    Keywords.build(TEXTS, path).close()
    before = path.read_bytes()
    tmp_path.chmod(0o555)
    path.chmod(0o444)
    with Keywords(path) as words:
        assert rows(words, "json") == [4, 0]
        with pytest.raises(sqlite3.OperationalError):
            words._sqlite.execute("INSERT INTO words(rowid, text) VALUES (99, 'more')")
    tmp_path.chmod(0o755)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["keywords.sqlite"]


def test_a_path_with_odd_signs_is_opened(tmp_path):
    folder = tmp_path / "a?b #c%20d"
    folder.mkdir()
    with Keywords.build(TEXTS, folder / "k.sqlite") as words:
        assert rows(words, "json") == [4, 0]


def test_a_file_that_is_no_index_is_refused(tmp_path):
    (tmp_path / "no.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match="no index of words"):
        Keywords(tmp_path / "no.sqlite")
    with pytest.raises(UserError, match="not there"):
        Keywords(tmp_path / "missing.sqlite")


@pytest.mark.parametrize(("question", "expected"), QUESTIONS["questions"])
def test_words_of_every_script_are_found(every_script, question, expected):
    assert sorted(rows(every_script, question, 100)) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_words_are_the_same_in_every_unicode_form(form):
    for text in QUESTIONS["texts"]:
        assert tokens(unicodedata.normalize(form, text)) == tokens(text)


def test_a_hit_shows_the_run_of_letters_that_it_shares_with_the_question():
    asked = Query.parse("如何学习编程 file")
    assert asked.held_by("我学习编程, a file") == ("学习编程", "file")
    assert asked.held_by("学习和编程") == ("学习", "编程")


def test_an_index_of_an_earlier_version_does_not_answer_for_scripts_that_it_misses(tmp_path):
    sqlite = sqlite3.connect(tmp_path / "old.sqlite")
    sqlite.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')")
    sqlite.execute("INSERT INTO words(rowid, text) VALUES (0, '我在学习 json')")
    sqlite.commit()
    sqlite.close()
    with Keywords(tmp_path / "old.sqlite") as old:
        assert rows(old, "json") == [0]
        for look in (lambda: old.search("学习"), lambda: old.holding(["学习"]), lambda: old.together("学习")):
            with pytest.raises(UserError, match="codomain study SPACE"):
                look()
