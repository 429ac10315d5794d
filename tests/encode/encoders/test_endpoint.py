"""The encoder behind an address, against a server that this test starts and that misbehaves on demand."""

import collections
import http.server
import itertools
import json
import threading
import time
from email.utils import formatdate

import numpy as np
import pytest

from codomain.core import EncoderMismatch, UserError
from codomain.encode import Endpoint, encode_rows, resolve

DIM = 6


def vector_of(text: str) -> list[float]:
    """What the server makes of a text: any fixed rule that tells texts apart."""
    rng = np.random.default_rng(list(text.encode()) or [0])
    return rng.standard_normal(DIM).round(4).tolist()


class Server(http.server.ThreadingHTTPServer):
    """Answers as an OpenAI-compatible server does; `script` holds what the next requests meet instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: collections.Counter[str] = collections.Counter()
        self.seen: list[dict] = []
        self.script: list = []
        self.change = lambda data: data

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1#tiny"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        self.server.seen.append(
            {"path": self.path, "key": self.headers.get("Authorization"), "time": time.monotonic(), **request}
        )
        step = self.server.script.pop(0) if self.server.script else None
        if step == "hang up":
            self.close_connection = True
            return
        if step == "cut short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"data": [')
            self.close_connection = True
            return
        if step is not None:
            status, headers, text = step
            self._answer(status, text.encode(), headers)
            return
        self.server.asked.update(request["input"])
        data = [{"index": n, "embedding": vector_of(text)} for n, text in enumerate(request["input"])]
        self._answer(200, json.dumps({"data": self.server.change(data)}).encode(), {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
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


def connect(server, more="", **options):
    return Endpoint(server.address + more, **{"pause": 0.001, "timeout": 5, **options})


def expected(texts):
    rows = np.array([vector_of(text) for text in texts], dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


TEXTS = ["one", "two", "", "four: 日本語 🙂", "five", "six", "seven"]


def test_vectors_come_back_in_the_order_of_the_texts_at_length_one(server):
    server.change = lambda data: data[::-1]
    encoder = resolve(f"openai:{server.address}?batch=3")
    np.testing.assert_allclose(encoder.encode(TEXTS), expected(TEXTS), atol=1e-6)
    assert [len(request["input"]) for request in server.seen[1:]] == [3, 3, 1]
    assert server.seen[0]["path"] == "/v1/embeddings" and server.seen[0]["model"] == "tiny"
    assert encoder.encode([]).shape == (0, DIM)


def test_its_identity_is_the_model_and_the_width_that_the_first_answer_has(server):
    who = connect(server).identity
    assert (who.name, who.sha256, who.dim, who.uri) == ("tiny", "", DIM, f"openai:{server.address}")
    with pytest.raises(EncoderMismatch, match="name"):
        who.check_same(Endpoint(server.address.replace("#tiny", "#other")).identity)


@pytest.mark.parametrize(
    "failure", [(500, {}, ""), (429, {}, ""), (503, {}, "busy"), "hang up", "cut short", (200, {}, "<html>")]
)
def test_a_passing_failure_is_tried_again(server, failure):
    encoder = connect(server)
    assert encoder.identity.dim == DIM
    server.script = [failure, failure]
    np.testing.assert_allclose(encoder.encode(TEXTS), expected(TEXTS), atol=1e-6)
    assert all(server.asked[text] == 1 for text in TEXTS)


def test_a_lasting_failure_ends_in_words(server):
    server.script = [(500, {}, "")] * 10
    with pytest.raises(UserError, match=r"in 4 tries; the last failure: HTTP 500"):
        _ = connect(server, tries=4).identity
    assert len(server.seen) == 4


def test_nobody_there_and_no_answer_in_time_end_in_words(server):
    with pytest.raises(UserError, match="in 2 tries"):
        _ = Endpoint("http://127.0.0.1:9/v1#tiny", tries=2, pause=0.001).identity
    slow = server.change
    server.change = lambda data: time.sleep(1) or slow(data)
    with pytest.raises(UserError, match=r"in 2 tries[\s\S]*timed out"):
        _ = connect(server, tries=2, timeout=0.05).identity


def test_the_pause_that_the_server_asks_for_is_kept(server):
    server.script = [(429, {"Retry-After": "1"}, "")]
    _ = connect(server).identity
    assert server.seen[1]["time"] - server.seen[0]["time"] >= 0.9
    server.script = [(503, {"Retry-After": formatdate(time.time() + 2, usegmt=True)}, "")]
    _ = connect(server).identity
    assert server.seen[3]["time"] - server.seen[2]["time"] >= 0.5
    server.script = [(429, {"Retry-After": "86400"}, "")]
    with pytest.raises(UserError, match=r"asks to wait 86,400 seconds"):
        _ = connect(server).identity


def test_pauses_grow(server, monkeypatch):
    slept = []
    monkeypatch.setattr("codomain.core.server.time.sleep", slept.append)
    server.script = [(500, {}, "")] * 4
    _ = connect(server, pause=1.0).identity
    assert len(slept) == 4 and all(2**n <= pause <= 1.5 * 2**n for n, pause in enumerate(slept))


def test_requests_a_minute_are_kept(server):
    encoder = connect(server, "?rpm=300&batch=1")
    encoder.encode(["a", "b", "c"])
    times = [request["time"] for request in server.seen]
    assert all(later - earlier >= 0.15 for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}, "bad key sk-secret"), r"HTTP 401[\s\S]*does not accept the key[\s\S]*export CODOMAIN_API_KEY"),
        ((404, {}, ""), r"HTTP 404[\s\S]*no model 'tiny'"),
        ((302, {"Location": "http://elsewhere/"}, ""), r"points elsewhere"),
        ((400, {}, "too long: sk-secret"), r"Row 0: [\s\S]*HTTP 400: too long"),
    ],
    ids=["401", "404", "302", "400"],
)
def test_a_refusal_is_not_tried_again_and_says_what_to_do(server, monkeypatch, answer, words):
    monkeypatch.setenv("CODOMAIN_API_KEY", "sk-secret")
    server.script = [answer]
    with pytest.raises(UserError, match=words) as refused:
        _ = connect(server).identity
    assert "sk-secret" not in str(refused.value) and len(server.seen) == 1


def test_the_key_goes_to_the_server_and_nowhere_else(server, monkeypatch, tmp_path):
    monkeypatch.setenv("CODOMAIN_API_KEY", "sk-secret")
    encoder = connect(server)
    encode_rows(encoder, TEXTS, tmp_path)
    assert all(request["key"] == "Bearer sk-secret" for request in server.seen)
    kept = [
        str(vars(encoder)),
        str(encoder.identity),
        *(str(path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()),
    ]
    assert not any("sk-secret" in place for place in kept)
    monkeypatch.setenv("CODOMAIN_API_KEY", "sk-sec\nret")
    with pytest.raises(UserError, match="characters that a key cannot have") as refused:
        connect(server).encode(["a"])
    assert "sk-sec" not in str(refused.value)


def _with(row, vector):
    """A change of the answer: another vector for one row."""
    return lambda data: [item | {"embedding": vector} if item["index"] == row else item for item in data]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_with(4, [1.0, 2.0, 3.0]), r"Row 4: .*a vector of 3 numbers; earlier ones had 6"),
        (_with(2, None), "Row 2: .*not a vector of finite numbers"),
        (_with(6, [float("nan")] * DIM), "Row 6: .*not a vector of finite numbers"),
        (lambda data: [item for item in data if item["index"] != 5], r"Row 5: .*no vector"),
        (lambda data: [item | {"index": 0} for item in data], r"numbered a vector 0"),
        (lambda data: [item | {"index": item["index"] + 1} for item in data], r"numbered a vector 7 in a batch of 7"),
        (lambda data: "nothing", "without a list called data"),
        (lambda data: ["nothing"], "without a list called data"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused_and_names_the_row(server, change, words):
    encoder = connect(server)
    assert encoder.identity.dim == DIM
    server.change = change
    with pytest.raises(UserError, match=words):
        encoder.encode(TEXTS)


def test_an_answer_without_numbers_for_its_vectors_is_in_the_order_of_the_texts(server):
    server.change = lambda data: [{"embedding": item["embedding"]} for item in data]
    np.testing.assert_allclose(connect(server).encode(TEXTS), expected(TEXTS), atol=1e-6)


def test_the_row_named_is_the_row_of_the_whole_job(server, tmp_path):
    texts = [f"text {n}" for n in range(40)]
    encoder = connect(server, "?batch=8")
    assert encoder.identity.dim == DIM
    bad = vector_of("text 23")
    server.change = lambda data: [
        item | {"embedding": [0.0] if item["embedding"] == bad else item["embedding"]} for item in data
    ]
    with pytest.raises(UserError, match="Row 23: "):
        encode_rows(encoder, texts, tmp_path)


def test_no_text_is_paid_for_twice_when_the_server_dies_half_way(server, tmp_path):
    texts = [f"text {n % 70}" for n in range(100)]
    encoder = connect(server, "?batch=8", tries=2)
    assert encoder.identity.dim == DIM
    alive = server.change
    server.change = lambda data: (
        alive(data) if len(server.seen) < 6 else server.script.extend([(500, {}, "")] * 50) or alive(data)
    )
    with pytest.raises(UserError, match="what is already encoded is not sent again"):
        encode_rows(encoder, texts, tmp_path)
    assert 0 < sum(server.asked.values()) < 70
    server.script, server.change = [], alive
    found = encode_rows(connect(server, "?batch=8"), texts, tmp_path)
    np.testing.assert_allclose(found, expected(texts), atol=1e-6)
    asked = {text: count for text, count in server.asked.items() if text.startswith("text")}
    assert len(asked) == 70 and set(asked.values()) == {1}


def test_an_address_that_cannot_be_right_is_refused():
    for address, words in {
        "http://host/v1": "not whole",
        "host/v1#model": "not whole",
        "ftp://host/v1#model": "not whole",
        "http://user:word@host/v1#model": "user name or password",
        "http://host/v1#model?speed=3": "option speed",
        "http://host/v1?rpm=fast#model": "option rpm",
        "http://host:99999/v1#model": "cannot be read",
    }.items():
        with pytest.raises(UserError, match=words) as refused:
            resolve(f"openai:{address}")
        assert "word@" not in str(refused.value)


def test_it_says_in_words_that_texts_leave_the_machine(capfd):
    Endpoint("http://vectors.example/v1#model")
    said = capfd.readouterr().err
    assert "Texts leave this machine: they are sent to vectors.example." in said and "not encrypted" in said
    Endpoint("http://localhost:1/v1#model")
    Endpoint("http://[::1]:1/v1#model")
    assert not capfd.readouterr().err
