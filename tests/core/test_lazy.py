"""Rooms import a file when one of its names is used, and a name is what the room says it is."""

import subprocess
import sys

import pytest

INIT = """
from codomain.core.lazy import attach
homes = {"health": "health", "Measure": "health", "late": "other", "room": "other"}
__getattr__, __dir__, __all__ = attach(__name__, homes)
"""


@pytest.fixture
def room(tmp_path):
    """Run code beside a package `room` whose file `health` defines a function of the same name."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "__init__.py").write_text(INIT)
    (tmp_path / "room" / "health.py").write_text("def health(): return 'well'\nclass Measure: pass\n")
    (tmp_path / "room" / "other.py").write_text("late = 1\ndef room(x, *, by): return x * by\n")

    def run(code):
        return subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    "first",
    [
        "",
        "import room.health",
        "from room.health import Measure",
        "from room import Measure",
        "import room; room.health",
    ],
)
def test_a_function_named_like_its_file_stays_a_function(room, first):
    done = room(f"{first}\nimport room\nfrom room import health\nassert room.health() == health() == 'well'")
    assert done.returncode == 0, done.stderr


def test_a_package_named_like_its_function_can_be_called(room):
    done = room("import room, room.other\nassert room(2, by=3) == 6")
    assert done.returncode == 0, done.stderr


def test_files_wait_until_their_name_is_used(room):
    done = room(
        "import room, sys\nassert 'late' in dir(room)\nassert 'room.other' not in sys.modules\n"
        "room.late\nassert 'room.other' in sys.modules and 'room.health' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error(room):
    assert "AttributeError: module 'room' has no attribute 'nothing'" in room("import room; room.nothing").stderr


def test_a_star_import_brings_every_name(room):
    done = room("from room import *\nassert health() == 'well' and late == 1")
    assert done.returncode == 0, done.stderr
