"""One writer at a time, with the locks of POSIX and with those of Windows."""

import errno
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from codomain.core import UserError
from codomain.core.locks import locked, writing

FLOCK = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.flock(file, fcntl.LOCK_EX)
print("mine", flush=True)
sys.stdin.read()
"""


@contextmanager
def other_process(path):
    """A process that has the lock until its stdin is closed, which is what this yields."""
    command = [sys.executable, "-c", FLOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "mine\n"
        yield holder.stdin.close


@pytest.fixture
def windows(monkeypatch):
    """The locks of Windows: one byte of a file for each handle, refused with EACCES while another handle has it."""
    held = {}

    def locking(handle, mode, count):
        assert (mode, count) == (2, 1)
        place = (os.fstat(handle).st_ino, os.lseek(handle, 0, os.SEEK_CUR))
        if held.setdefault(place, handle) != handle:
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2, held=held))
    return held


def test_a_second_process_does_not_get_the_lock_until_the_first_is_gone(tmp_path):
    pytest.importorskip("fcntl")
    with other_process(tmp_path / "lock") as end, (tmp_path / "lock").open("ab") as file:
        assert not locked(file)
        threading.Timer(0.3, end).start()
        began = time.monotonic()
        assert locked(file, wait=True)
        assert time.monotonic() - began > 0.2


def test_a_writer_says_that_it_waits_for_another(tmp_path, capfd):
    pytest.importorskip("fcntl")
    with other_process(tmp_path / ".lock") as end:
        threading.Timer(0.3, end).start()
        with writing(tmp_path):
            assert f"Another process writes to {tmp_path}" in capfd.readouterr().err.replace("\n", "")


def test_without_fcntl_one_far_byte_is_locked_and_the_place_in_the_file_kept(tmp_path, windows):
    with (tmp_path / "lock").open("wb+") as one, (tmp_path / "lock").open("rb+") as two:
        one.write(b"some answers")
        one.seek(5)
        assert locked(one)
        assert one.tell() == 5
        assert all(place > 2**20 for _, place in windows)  # a locked byte cannot be read by others
        assert not locked(two)
        threading.Timer(0.2, windows.clear).start()
        assert locked(two, wait=True)


def test_without_fcntl_another_failure_than_a_taken_lock_is_not_swallowed(tmp_path, windows, monkeypatch):
    def broken(*arguments):
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(sys.modules["msvcrt"], "locking", broken)
    with (tmp_path / "lock").open("ab") as file, pytest.raises(OSError, match="Bad file descriptor"):
        locked(file, wait=True)


@pytest.mark.parametrize(("number", "says"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "may not be written to")])
def test_a_refusal_of_the_system_is_said_in_plain_words(tmp_path, number, says):
    with pytest.raises(UserError, match=says), writing(tmp_path):
        raise OSError(number, os.strerror(number))


def test_another_error_passes_through(tmp_path):
    with pytest.raises(OSError, match="gone"), writing(tmp_path):
        raise OSError(errno.EIO, "gone")
