"""A test that hangs fails by name, and the ones after it run."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import signal, threading, time
import pytest

@pytest.mark.limit(1)
def test_that_sleeps(): time.sleep(60)

@pytest.fixture
def slow(): time.sleep(60)

@pytest.mark.limit(1)
def test_whose_preparation_sleeps(slow): pass

@pytest.mark.limit(60)
def test_that_is_slow_and_may_be(): time.sleep(2)

def test_after_them(): assert signal.getitimer(signal.ITIMER_REAL)[0] > 60, "the limit of all"
"""
DEAF = """
import signal
import pytest
import time_limit

time_limit.STUBBORN = 1

@pytest.mark.limit(1)
def test_that_hears_no_signal():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    while True: pass
"""


def run(tmp_path, source):
    (tmp_path / "test_these.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "time_limit", "-p", "no:cacheprovider", "-c", "/dev/null", "-rA"]
    path = {"PYTHONPATH": str(Path(__file__).parent), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*command, "test_these.py"], cwd=tmp_path, env=path, capture_output=True, text=True, timeout=120
    )


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGALRM")


def test_a_test_that_hangs_fails_by_name_and_the_others_run(tmp_path):
    done = run(tmp_path, TESTS)
    assert "1 failed, 2 passed, 1 error" in done.stdout, done.stdout
    assert "FAILED test_these.py::test_that_sleeps - Failed: it hangs: not done after 1 s" in done.stdout
    assert "ERROR test_these.py::test_whose_preparation_sleeps - Failed: it hangs" in done.stdout


def test_code_that_hears_no_signal_ends_the_process_and_is_shown(tmp_path):
    done = run(tmp_path, DEAF)
    assert done.returncode == 1
    assert "Timeout" in done.stderr and "in test_that_hears_no_signal" in done.stderr
