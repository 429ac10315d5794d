"""Qdrant: payloads that are JSON, ids, the alias, and servers that are down or refuse the key."""

import http.server
import json
import threading

import numpy as np
import pytest

import codomain
from codomain.core import UserError
from codomain.workbench import export_space
from codomain.workbench.stores.written import write_to


def test_payloads_are_json_with_the_values_of_the_table(qdrant, space):
    write_to(qdrant.store(), space, force=False)
    rows = {row["key"]: row for row in qdrant.rows()}
    json.dumps({key: {**row, "codomain_vector": None} for key, row in rows.items()}, allow_nan=False)
    for name in ("flag", "small", "unsigned", "large", "huge", "half", "single", "double", "words", "vector", "text"):
        assert [rows[key][name] for key in space.ids.to_pylist()] == space.rows([name])[name].to_pylist(), name
    first, missing, third = rows["row 0"], rows["row 1"], rows["row 3"]
    assert first["day"] == "1950-02-28" and first["moment"] == "1950-02-28 03:04:05.678901000"
    assert third["zoned"] == "2030-01-01 00:00:00.000000Z"  # the table's zone only says how it is shown
    assert first["span"] == -3 * 86400 + 5.000006 and first["raw"] == "AP8=" and first["exact"] == "-12345.670"
    assert third["pair"] == {"a": -1, "b": 'say "é"\n'}
    assert {name for name in space.columns if missing[name] is None} >= {"flag", "zoned", "pair"}


def test_whole_numbers_are_the_ids_of_points_and_words_stay_in_the_payload(qdrant, space, smaller):
    write_to(qdrant.store(), smaller, force=False)
    assert sorted(row["point"] for row in qdrant.rows()) == sorted(row["n"] for row in qdrant.rows()) == [0, 1, 2, 3, 4]
    write_to(qdrant.store(), space, force=True)
    keys = space.ids.to_pylist()
    assert {row["point"]: row["key"] for row in qdrant.rows()} == dict(enumerate(keys))


def test_numbers_that_cannot_be_ids_of_points_stay_in_the_payload(qdrant, tmp_path):
    below = codomain.write(tmp_path / "b.space", {"n": [-1, 5], "x": [float("nan"), float("inf")]}, np.eye(2))
    write_to(qdrant.store(), below, force=False)
    assert {row["point"]: row["n"] for row in qdrant.rows()} == {0: -1, 1: 5}
    assert {row["x"] for row in qdrant.rows()} == {None}


def test_the_name_is_an_alias_that_moves_to_the_new_collection(qdrant, space, smaller):
    write_to(qdrant.store(), smaller, force=False)
    assert qdrant.names() == ["papers", "papers--codomain-1"]
    write_to(qdrant.store(), space, force=True)
    assert qdrant.names() == ["papers", "papers--codomain-2"]
    about = qdrant.client.get_collection("papers").config.metadata
    assert about is None or about["codomain"]["rows"] == space.fingerprint


def test_what_a_killed_export_left_is_removed_and_a_collection_of_the_name_gives_way_when_asked(qdrant, space):
    from qdrant_client import models

    plain = models.VectorParams(size=3, distance=models.Distance.DOT)
    for name in ("papers", "papers--codomain-1", "others"):
        qdrant.client.create_collection(name, plain)
    with pytest.raises(UserError, match="there already"):
        write_to(qdrant.store(), space, force=False)
    write_to(qdrant.store(), space, force=True)
    assert qdrant.names() == ["others", "papers", "papers--codomain-1"]
    assert len(qdrant.rows()) == len(space)


@pytest.fixture
def refusing():
    """A server that answers every request with one status, and remembers the keys that it was shown."""

    class Answer(http.server.BaseHTTPRequestHandler):
        status, keys = 401, []

        def do_GET(self):
            self.keys.append(self.headers.get("api-key"))
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(b'{"status": {"error": "no such thing"}}')

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.answer = Answer
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
@pytest.mark.parametrize(("status", "words"), [(401, "did not accept the key"), (500, "500 .*no such thing")])
def test_a_server_that_refuses_is_quoted_and_the_key_is_not(refusing, smaller, monkeypatch, status, words):
    monkeypatch.setenv("QDRANT_API_KEY", "swordfish")
    refusing.answer.status = status
    with pytest.raises(UserError, match=words) as refused:
        export_space(smaller, to=f"qdrant:http://127.0.0.1:{refusing.server_port}#papers")
    assert "swordfish" not in str(refused.value)
    assert set(refusing.answer.keys) == {"swordfish"}


def test_a_server_that_is_down_and_a_local_folder_are_refused(refusing, smaller, tmp_path):
    port = refusing.server_port
    refusing.shutdown()
    refusing.server_close()
    with pytest.raises(UserError, match="cannot be reached"):
        export_space(smaller, to=f"qdrant:http://127.0.0.1:{port}#papers")
    with pytest.raises(UserError, match="pickles"):
        export_space(smaller, to=f"qdrant:{tmp_path}#papers")
