"""Descriptions of classes: where they come from and that nothing is lost on the way."""

import http.server
import json
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import Descriptions
from codomain.core import UserError

BIRDS = {"robin": ["a red breast", 'says "tchip"'], "crow": ["black, all over"]}


class Server(http.server.ThreadingHTTPServer):
    """Answers as an OpenAI-compatible server does; `script` holds what the next requests meet instead."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.script = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        question = body["messages"][0]["content"]
        said = f"1. first of {question}\n\n- second\n  * third  \nfourth"
        status, answer = 200, {"choices": [{"message": {"role": "assistant", "content": said}}]}
        if self.server.script:
            status, answer = self.server.script.pop(0)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.delenv("CODOMAIN_API_KEY", raising=False)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, classes=("robin", "crow"), **options):
    return Descriptions.from_endpoint(classes, server.url, "tiny", prompt="<{name}>", **{"pause": 0.001, **options})


@pytest.mark.parametrize("suffix", [".json", ".toml", ".csv"])
@given(table=st.dictionaries(st.text(min_size=1), st.lists(st.text(min_size=1), min_size=1, max_size=3), min_size=1))
def test_what_is_saved_is_read_again(suffix, table, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / f"birds{suffix}"
    if suffix == ".csv":  # a file of lines: sentences are one line each there
        table = {
            " ".join(name.split()) or "x": [" ".join(t.split()) or "x" for t in sentences]
            for name, sentences in table.items()
        }
        table = {name: lines for name, lines in table.items() if "\x00" not in name + "".join(lines)} or {"x": ["y"]}
    assert dict(Descriptions(table).save(path) and Descriptions.from_file(path)) == table


def test_a_file_written_by_hand_is_read(tmp_path):
    (tmp_path / "birds.csv").write_text('class,description\ncrow,"black, all over"\nrobin,red\ncrow,loud\n')
    assert dict(Descriptions.from_file(tmp_path / "birds.csv")) == {
        "crow": ["black, all over", "loud"],
        "robin": ["red"],
    }


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("a.json", "{", "cannot be read"), ("a.csv", "name,text\nb,c\n", "cannot be read"), ("a.txt", "b", "ends in"),
     ("a.json", "[]", "cannot be read"), ("a.toml", "a = 1", "class 'a' has 1"), ("a.json", '{"a": []}', r"has \[\]"),
     ("a.json", '{"a": "text"}', "has 'text'")],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_refused(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=words):
        Descriptions.from_file(tmp_path / name)
    with pytest.raises(UserError, match="cannot be read"):
        Descriptions.from_file(tmp_path / "missing.json")


def test_rows_are_every_sentence_with_its_class():
    texts, classes = Descriptions(BIRDS).rows("{name}: {text}")
    assert texts == ["robin: a red breast", 'robin: says "tchip"', "crow: black, all over"]
    np.testing.assert_array_equal(classes, ["robin", "robin", "crow"])


def test_a_server_is_asked_once_for_each_class_and_its_lines_are_the_descriptions(server):
    assert dict(ask(server)) == {
        "robin": ["first of <robin>", "second", "third", "fourth"],
        "crow": ["first of <crow>", "second", "third", "fourth"],
    }
    assert [(path, body["model"]) for path, _, body in server.seen] == [("/v1/chat/completions", "tiny")] * 2


def test_the_key_comes_from_the_environment_and_is_in_no_error(server, monkeypatch):
    monkeypatch.setenv("CODOMAIN_API_KEY", "s3cret")
    server.script = [(401, {"error": "no s3cret"})]
    with pytest.raises(UserError, match="HTTP 401") as caught:
        ask(server)
    assert server.seen[0][1] == "Bearer s3cret" and "s3cret" not in str(caught.value)
    monkeypatch.setenv("CODOMAIN_API_KEY", "a\nb")
    with pytest.raises(UserError, match="characters that a key cannot have"):
        ask(server)


def test_a_passing_failure_is_tried_again_and_a_lasting_one_ends_in_words(server):
    server.script = [(503, {}), (200, {"choices": []})]
    assert len(ask(server, ["crow"])["crow"]) == 4
    assert len(server.seen) == 3
    server.script = [(503, {})] * 9
    with pytest.raises(UserError, match="last failure: HTTP 503"):
        ask(server, ["crow"])
    assert len(server.seen) == 7


def test_nobody_is_followed_elsewhere(server):
    server.script = [(302, {})]
    with pytest.raises(UserError, match="HTTP 302"):
        ask(server)


def test_an_empty_answer_names_the_class(server):
    server.script = [(200, {"choices": [{"message": {"content": " \n- \n"}}]})]
    with pytest.raises(UserError, match="about 'crow' is empty"):
        ask(server, ["crow"])


@pytest.mark.parametrize("url", ["ftp://host/v1", "host/v1", "http://", "http://user:word@host/v1"])
def test_an_address_that_cannot_be_right_is_refused_before_anything_is_sent(url):
    with pytest.raises(UserError, match=r"is not whole|holds a user name or password") as caught:
        Descriptions.from_endpoint(["crow"], url, "tiny")
    assert "user:word" not in str(caught.value)
    with pytest.raises(UserError, match=r"\{name\} in it"):
        Descriptions.from_endpoint(["crow"], "http://localhost/v1", "tiny", prompt="What is it?")


def test_another_machine_is_announced(capfd):
    with pytest.raises(UserError, match=r"nowhere\.invalid gave no answer"):
        Descriptions.from_endpoint(["crow"], "http://nowhere.invalid/v1", "tiny", tries=1)
    assert "leave this machine: they are sent to nowhere.invalid" in capfd.readouterr().err


@pytest.fixture
def wordnet(tmp_path):
    nouns = "00000001 05 n 01 Crow 0 000 | a black bird\n00000002 18 n 02 crow 0 Absaroka 0 000 | a people\n"
    verbs = '00000003 32 v 01 crow 0 000 01 + 02 00 | utter a cry; "it crowed"\n'
    for name, text in {"noun": nouns, "verb": verbs, "adj": "", "adv": ""}.items():
        (tmp_path / f"data.{name}").write_text(text)
    return tmp_path


def test_glosses_are_those_of_every_sense_or_of_one_topic(wordnet):
    every = Descriptions.from_glosses(["Crow", "absaroka"], folder=wordnet)
    assert dict(every) == {"Crow": ["a black bird", "a people", "utter a cry"], "absaroka": ["a people"]}
    assert dict(Descriptions.from_glosses(["crow"], lexname="noun.animal", folder=wordnet)) == {
        "crow": ["a black bird"]
    }
    with pytest.raises(UserError, match=r"no 'absaroka' among noun\.animal"):
        Descriptions.from_glosses(["crow", "absaroka"], lexname="noun.animal", folder=wordnet)


class Letters:
    """Counts a, b and c."""

    def encode(self, texts):
        return np.array([[text.count(letter) for letter in "abc"] for text in texts], dtype=np.float32)


def test_the_most_typical_sentences_come_first_and_none_twice():
    texts = ["aaa. ccc. aab.", "aab. aaaab."]
    found = Descriptions.from_texts(texts, ["one", "one"], Letters(), n_kept=3)
    rows = {text: vector / np.linalg.norm(vector) for text in ("aaa.", "ccc.", "aab.", "aaaab.")
            for vector in [np.array([text.count(letter) for letter in "abc"])]}  # fmt: skip
    middle = sum(rows.values())
    assert found["one"] == sorted(rows, key=lambda text: -rows[text] @ middle)[:3]


def test_a_class_whose_texts_are_empty_is_named():
    with pytest.raises(UserError, match="class 'two' has"):
        Descriptions.from_texts(["a.", " "], ["one", "two"], Letters())
