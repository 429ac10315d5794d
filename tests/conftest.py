"""What several tests stand on: real text, and the command line as a person meets it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings
from pyarrow import csv

from codomain.core import UserError

pytest_plugins = ["reach", "rerun", "served", "stores", "time_limit"]

# A busy machine makes no law untrue: hypothesis times nothing.
settings.register_profile("codomain", deadline=None)
settings.load_profile("codomain")

# What `make everywhere` leaves out: it weighs gigabytes.
ABSENT = {module for module in ("torch", "sentence_transformers") if find_spec(module) is None}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Skip a test that stops because torch is not installed."""
    try:
        return (yield)
    except UserError as error:
        missing = getattr(error.__cause__, "name", None)
        if missing in ABSENT:
            pytest.skip(f"{missing} is not installed")
        raise


pytest_runtest_setup = pytest_runtest_call  # fixtures too


@pytest.fixture(scope="session", autouse=True)
def settings_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Generator[None, None, None]:
    """Keep the tests away from the settings of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
        yield


@pytest.fixture(scope="session")
def docstrings() -> pa.Table:
    """Real text with real labels: 600 docstrings of the standard library, drawn evenly."""
    from codomain.data import stdlib_docstrings

    table = stdlib_docstrings()
    return table.take(list(range(0, table.num_rows, table.num_rows // 600))[:600])


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let the children of a test hear Ctrl-C; a shell starts what runs in its background with that signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def mine(docstrings: pa.Table, tmp_path: Path) -> Path:
    """A csv as a stranger holds it."""
    path = tmp_path / "mine.csv"
    csv.write_csv(docstrings.slice(0, 150).select(["module", "kind", "text"]), path)
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `codomain ...` in an empty folder and a home of its own."""

    def call(*arguments: object, prefix: tuple[str, ...] = (), **options: object) -> subprocess.CompletedProcess[str]:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        return subprocess.run(
            [*prefix, sys.executable, "-m", "codomain", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100"},
            capture_output=True,
            text=True,
            timeout=600,
            **options,  # type: ignore[call-overload]
        )

    return call
