"""A space that came from elsewhere does not call home."""

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from codomain.core import Trusted, UserError
from codomain.encode import resolve
from codomain.workbench import add, search_space, study

KEY = "CODOMAIN_API_KEY"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the static encoder's vectors, and remembers the key that came with each request."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        self.server.keys.append(self.headers.get("Authorization"))  # type: ignore[attr-defined]
        vectors = resolve("static:wordllama").encode(asked).tolist()
        body = json.dumps({"data": [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def theirs(server: Server, docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space that was encoded by a server, on a machine of its own."""
    folder = tmp_path_factory.mktemp("theirs")
    csv.write_csv(docstrings.select(["text"]).slice(0, 40), folder / "rows.csv")
    csv.write_csv(docstrings.select(["text"]).slice(40, 5), folder / "more.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "settings"))
        patch.delenv(KEY, raising=False)
        study(folder / "rows.csv", text="text", encoder=f"openai:{server.url}#tiny", space=folder / "s.space")
        assert Trusted().servers == [server.url]  # who typed the address trusts it
    return folder


@pytest.fixture
def here(theirs: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same space on another machine."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv(KEY, "sk-mine")
    shutil.copytree(theirs, tmp_path / "here")
    server.keys.clear()
    return tmp_path / "here"


def test_nothing_is_sent_to_a_server_that_only_the_space_names(here: Path, server: Server) -> None:
    space = here / "s.space"
    for act in (
        lambda: search_space(space, "event loop"),
        lambda: add(space, here / "more.csv"),
        lambda: study(space),
    ):
        with pytest.raises(UserError, match=rf"(?s)Nothing was sent.*codomain trust {server.url}"):
            act()
    assert server.keys == []
    assert search_space(space, "loop", mode="words").hits  # what needs no encoder works


def test_a_server_that_was_named_here_is_asked_without_a_key_that_nobody_meant_for_it(
    here: Path, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    Trusted().add(server.url, key=False)
    assert search_space(here / "s.space", "event loop").hits
    assert server.keys and set(server.keys) == {None}
    assert "--key" in capfd.readouterr().err


def test_a_key_of_one_server_is_not_sent_to_another_even_when_that_is_typed(here: Path, server: Server) -> None:
    Trusted().add("https://other.example/v1", key=True)
    study(here / "rows.csv", text="text", encoder=f"openai:{server.url}#tiny", space=here / "t.space")
    assert set(server.keys) == {None}


def test_the_command_names_lists_and_removes_servers(here: Path, server: Server, run) -> None:
    named = run("trust", f"openai:{server.url}#tiny")
    assert named.returncode == 0 and server.url in named.stdout
    assert run("trust").stdout.split() == [server.url]
    assert json.loads(run("trust", "--json").stdout) == [server.url]
    found = run("search", here / "s.space", "event loop", "--json")
    assert found.returncode == 0 and json.loads(found.stdout)
    assert set(server.keys) == {"Bearer sk-mine"}  # it was there when the server was named
    assert run("trust", server.url, "--remove").returncode == 0
    refused = run("search", here / "s.space", "event loop")
    assert refused.returncode == 2 and f"codomain trust {server.url}" in refused.stderr.replace("\n", "")


@pytest.fixture(scope="module")
def their_model(docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space whose encoder is a token table in a folder, named on a machine of its own."""
    folder = tmp_path_factory.mktemp("model")
    csv.write_csv(docstrings.select(["text"]).slice(0, 40), folder / "rows.csv")
    tokenizer = Tokenizer(models.WordLevel({chr(97 + n): n for n in range(26)} | {"[UNK]": 26}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    (folder / "table").mkdir()
    tokenizer.save(str(folder / "table" / "tokenizer.json"))
    table = np.random.default_rng(0).normal(size=(27, 8)).astype(np.float32)
    save_file({"embeddings": table}, folder / "table" / "model.safetensors")
    (folder / "table" / "config.json").write_text('{"normalize": true}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "settings"))
        study(folder / "rows.csv", text="text", encoder=f"model2vec:{folder}/table", space=folder / "s.space")
        assert search_space(folder / "s.space", "event loop", mode="meaning").hits  # whoever made it goes on
        assert Trusted().folders == [str(folder / "table")]
    return folder


def test_a_model_that_only_the_space_names_is_not_opened(
    their_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setattr("codomain.workbench.encoders.resolve", lambda *_, **__: pytest.fail("it was opened"))
    space, model = their_model / "s.space", f"model2vec:{their_model}/table"
    for act in (lambda: search_space(space, "event loop"), lambda: study(space)):
        with pytest.raises(UserError, match=rf"(?s)It was not opened.*codomain trust {model}"):
            act()
    assert search_space(space, "loop", mode="words").hits  # what needs no encoder works
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    assert "may be opened" in run("trust", model).stdout
    assert search_space(space, "event loop").hits
    assert run("trust", "--json").stdout.split() == ["[", f'"{their_model}/table"', "]"]
    assert run("trust", model, "--remove").returncode == 0 and Trusted().folders == []
    study(space, encoder=model)  # a model that is typed here is trusted too
    assert Trusted().folders == [str(their_model / "table")]
