"""What comes after a migration: rows are added to bridged ones; and a migration to an encoder behind an address."""

import collections
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy.stats import ortho_group

import codomain
from codomain.core import UserError
from codomain.encode import resolve
from codomain.workbench import label_space, migrate_space, search_space, study
from codomain.workbench.encoders import check_studied, encoded_rows
from conftest import Run

NEW = "static:wordllama"
N = 200


@pytest.fixture(scope="module")
def texts(docstrings: pa.Table) -> list[str]:
    """Texts of the space, then some that it does not hold."""
    return list(dict.fromkeys(docstrings["text"].to_pylist()))[: N + 20]


@pytest.fixture(scope="module")
def own(texts: list[str]) -> np.ndarray:
    """What the new encoder makes of each."""
    return resolve(NEW).encode(texts)


@pytest.fixture(scope="module")
def studied(texts: list[str], own: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    parquet.write_table(pa.table({"id": [f"r{n}" for n in range(N)], "text": texts[:N]}), folder / "docs.parquet")
    turn = ortho_group.rvs(256, random_state=0)[:, :200].astype(np.float32)
    np.save(folder / "old.npy", own[:N] @ turn)
    return study(
        folder / "docs.parquet", text="text", id="id", vectors=folder / "old.npy", space=folder / "docs.space"
    ).space.path


@pytest.fixture
def space(studied: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(studied, tmp_path / "docs.space"))


def test_added_rows_are_encoded_and_live_beside_bridged_ones(
    space: Path, texts: list[str], own: np.ndarray, tmp_path: Path, run: Run
) -> None:
    kinds = ["short" if len(text) < 300 else "long" for text in texts[:N]]
    parquet.write_table(pa.table({"id": [f"r{n}" for n in range(N)], "kind": kinds}), tmp_path / "kinds.parquet")
    label_space(space, labels=tmp_path / "kinds.parquet", column="kind")
    moved = migrate_space(space, NEW, keep=0.3, pairs=100).space
    before, true = np.asarray(moved.vectors), encoded_rows(moved)
    assert true.sum() == 100
    copies = [int(np.flatnonzero(~true)[0]), int(np.flatnonzero(true)[0])]  # of a bridged row, and of an encoded one
    added = [*range(N, N + 10), *copies]
    new = pa.table({"id": [f"new{n}" for n in range(12)], "text": [texts[n] for n in added]})
    parquet.write_table(new, tmp_path / "new.parquet")
    answer = run("add", space, tmp_path / "new.parquet")
    assert answer.returncode == 0, answer.stderr

    after = codomain.open(space)
    check_studied(after)
    np.testing.assert_array_equal(np.asarray(after.vectors)[:N], before)
    np.testing.assert_allclose(np.asarray(after.vectors)[N:], own[added], atol=1e-6)  # the copy is not bridged
    np.testing.assert_array_equal(encoded_rows(after), np.append(true, np.ones(12, bool)))
    assert len(after.parts.map.xy) == len(after.parts.groups.labels) == N + 12
    assert search_space(space, texts[N + 3], k=3)[0].id == "new3"
    bridged = int(np.flatnonzero(~true)[1])
    assert f"r{bridged}" in [hit.id for hit in search_space(space, texts[bridged], k=5)]
    again = label_space(space, ask=0).space.parts.labels
    assert len(again["predicted.npy"]) == N + 12 and again.made_from.startswith(after.fingerprint)

    later = migrate_space(space, NEW, reencode=0.2, study=False).space
    assert encoded_rows(later).sum() == 112 + round(0.2 * (N + 12))
    assert later.parts.migration.doubt.shape == (N + 12,)
    whole = migrate_space(space, NEW, reencode=1.0, study=False).space
    assert encoded_rows(whole).all()
    np.testing.assert_allclose(np.asarray(whole.vectors), own[[*range(N), *added]], atol=1e-6)


def test_studying_a_file_into_a_migrated_space_encodes_what_was_bridged(
    space: Path, studied: Path, own: np.ndarray, run: Run
) -> None:
    migrate_space(space, NEW, keep=0.3, pairs=100, study=False)
    answer = run("study", studied.parent / "docs.parquet", "--space", space, "--encoder", NEW, "--id", "id")
    assert answer.returncode == 0 and "encode 100 texts" in answer.stderr, answer.stderr
    np.testing.assert_allclose(np.asarray(codomain.open(space).vectors), own[:N], atol=1e-6)


class Server(http.server.ThreadingHTTPServer):
    """An OpenAI-compatible server that serves the static encoder, and refuses everybody after so many requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent: collections.Counter[str] = collections.Counter()
        self.left = 10**9
        self.lock = threading.Lock()

    @property
    def uri(self) -> str:
        return f"openai:http://127.0.0.1:{self.server_address[1]}/v1#tiny?batch=16"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        with self.server.lock:
            self.server.left -= 1
            refused = self.server.left < 0
            data: list[dict[str, Any]] = []
            if not refused:
                self.server.sent.update(asked)
                vectors = resolve(NEW).encode(asked).tolist()
                data = [{"index": number, "embedding": vector} for number, vector in enumerate(vectors)]
        body = json.dumps({"data": data}).encode()
        self.send_response(401 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("CODOMAIN_API_KEY", "sk-secret")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_space_moves_to_an_encoder_behind_an_address_and_no_text_is_sent_twice(
    space: Path, server: Server, texts: list[str], own: np.ndarray, tmp_path: Path, run: Run
) -> None:
    head = (space / "HEAD").read_bytes()
    server.left = 4  # the width, and three of the seven batches
    with pytest.raises(UserError, match="does not accept the key"):
        migrate_space(space, server.uri, keep=0.3, pairs=100)
    assert (space / "HEAD").read_bytes() == head and 40 < server.sent.total() < 60
    server.left = 10**9
    answer = run("migrate", space, "--to", server.uri, "--keep", 0.3, "--pairs", 100)
    assert answer.returncode == 0, answer.stderr
    after = codomain.open(space)
    true = np.flatnonzero(encoded_rows(after))
    assert after.encoder.name == "tiny" and after.encoder.uri == server.uri and len(true) == 100
    np.testing.assert_allclose(np.asarray(after.vectors)[true], own[true], atol=1e-6)
    rows = {text: count for text, count in server.sent.items() if text in set(texts)}
    assert rows == {texts[row]: 1 for row in true}

    assert search_space(space, texts[true[0]], k=3)[0].id == f"r{true[0]}"  # the question goes to the server
    parquet.write_table(pa.table({"id": ["x", "y"], "text": texts[N : N + 2]}), tmp_path / "new.parquet")
    assert run("add", space, tmp_path / "new.parquet").returncode == 0
    assert server.sent[texts[N]] == server.sent[texts[N + 1]] == 1
    done = migrate_space(space, server.uri, reencode=0.1, study=False)
    assert encoded_rows(done.space).sum() == 102 + 20
    with pytest.raises(UserError, match="already"):
        migrate_space(space, server.uri, pairs=60)
    kept = b"".join(path.read_bytes() for path in space.rglob("*") if path.is_file())
    assert b"sk-secret" not in kept
