"""No test can hang: past its limit a test fails, and where even that does not end it, the whole process does.

The limit is 600 seconds for each of set-up, test and tear-down; `@pytest.mark.limit(900)` gives a test another one.
"""

import faulthandler
import os
import signal
from contextlib import contextmanager

import pytest

SECONDS = 600
STUBBORN = 60  # more seconds for code that never returns to Python, where no signal is heard
_screen: list[int] = []  # the real stderr; while a test runs, pytest has put a file in its place


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): how long a test may take before it counts as hanging")
    _screen.append(os.dup(2))


@contextmanager
def limit(item):
    mark = item.get_closest_marker("limit")
    seconds = mark.args[0] if mark else SECONDS

    def late(number, frame):
        pytest.fail(f"it hangs: not done after {seconds} s (a test that needs more has @pytest.mark.limit)")

    faulthandler.dump_traceback_later(seconds + STUBBORN, exit=True, file=_screen[-1])
    before = signal.signal(signal.SIGALRM, late) if hasattr(signal, "SIGALRM") else None
    try:
        if before is not None:
            signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        if before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    with limit(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    with limit(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    with limit(item):
        return (yield)
