"""A server with Qdrant's addresses, for the requests of an export: behind it is the client's own local mode."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from qdrant_client import QdrantClient, models


def answer(client: QdrantClient, method: str, path: str, body: Any) -> Any:
    """Do what a request asks for, and return its result."""
    name = re.sub(r"^/collections/([^/]+).*", r"\1", path)
    match method, path.replace(f"/{name}", "/NAME", 1):
        case "GET", "/aliases":
            return client.get_aliases()
        case "GET", "/collections":
            return client.get_collections()
        case "POST", "/NAME" | "/collections/NAME" if name == "aliases":
            steps = models.ChangeAliasesOperation.model_validate(body)
            return client.update_collection_aliases(steps.actions)
        case "DELETE", "/collections/NAME":
            return client.delete_collection(name)
        case "PUT", "/collections/NAME":
            made = models.CreateCollection.model_validate(body)
            return client.create_collection(name, made.vectors, metadata=made.metadata)
        case "PUT", "/collections/NAME/points":
            kind = models.PointsBatch if "batch" in body else models.PointsList
            sent = kind.model_validate(body)
            return client.upsert(name, sent.batch if "batch" in body else sent.points)
        case "POST", "/collections/NAME/points/count":
            return client.count(name, exact=body["exact"])
        case "POST", "/collections/NAME/points/query":
            wanted = models.QueryRequest.model_validate(body)
            return client.query_points(name, wanted.query, limit=wanted.limit, with_payload=wanted.with_payload)
    raise LookupError(f"{method} {path}")


@contextmanager
def serving(client: QdrantClient) -> Iterator[str]:
    """Serve a client, and give the address."""
    one_at_a_time = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            body = json.loads(sent, parse_constant=lambda word: 1 / 0) if sent else None  # NaN is no JSON
            try:
                with one_at_a_time:
                    told = _told(client, self.command, self.path.partition("?")[0], body)
                status = 200
            except (LookupError, ValueError) as error:
                status, told = 400, {"status": {"error": repr(error)}}
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _told(client: QdrantClient, method: str, path: str, body: Any) -> dict[str, Any]:
    if path == "/":
        return {"title": "a stand-in", "version": version("qdrant-client")}
    result = answer(client, method, path, body)
    plain = json.loads(result.model_dump_json()) if hasattr(result, "model_dump_json") else result
    return {"result": plain, "status": "ok", "time": 0.0}
