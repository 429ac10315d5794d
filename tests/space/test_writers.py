"""Writers that are killed, that meet, that find the disk full or shut."""

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from small_spaces import ENCODER, make_space, rows_of, vectors_of

import codomain
from codomain.core import DamagedError, UserError

HERE = Path(__file__).parent
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def script(body):
    """A Python program that has the helpers of these tests."""
    lines = [
        f"import sys; sys.path.insert(0, {str(HERE)!r})",
        "import codomain, numpy as np",
        "from codomain.core import UserError",
        "from small_spaces import *",
        textwrap.dedent(body),
    ]
    return [sys.executable, "-c", "\n".join(lines)]


def run(body, **options):
    return subprocess.run(script(body), capture_output=True, text=True, timeout=120, **options)


def started(body):
    """Start a program and wait until it has imported everything and says so."""
    process = subprocess.Popen(script(body), stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_writers_lose_nothing(tmp_path):
    make_space(tmp_path / "s")
    body = """
        print("ready", flush=True)
        for number in range({first}, {first} + 15):
            while True:
                try:
                    space = codomain.open({path!r})
                    space.append(rows_of(number, 1), vectors_of(number, 1), encoder=ENCODER)
                    break
                except UserError as error:
                    assert "has moved on" in str(error), error
    """
    writers = [started(body.format(first=first, path=str(tmp_path / "s"))) for first in (100, 200)]
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    space = codomain.open(tmp_path / "s")
    ids = space.rows(["key"])["key"].to_pylist()
    added = [f"k{n}" for n in range(100, 115)] + [f"k{n}" for n in range(200, 215)]
    assert sorted(ids[20:]) == sorted(added) and space.generation == 31
    for number in (100, 114, 200, 214):
        np.testing.assert_array_equal(space.vectors[space.row_of(f"k{number}")], vectors_of(number, 1)[0])


def test_readers_never_see_half_a_change(tmp_path):
    space = make_space(tmp_path / "s")
    reader = started(f"""
        print("ready", flush=True)
        seen = 0
        while seen < 5 or len(space) < 50:
            space = codomain.open({str(tmp_path / "s")!r})
            assert len(space) == len(space.vectors[:]) == space.rows().num_rows == len(space.hashes)
            seen += 1
    """)
    for number in range(20, 50):
        space = space.append(rows_of(number, 1), vectors_of(number, 1), encoder=ENCODER)
        if number % 10 == 9:
            space.gc()
    reader.communicate(timeout=120)
    assert reader.returncode == 0


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95])
def test_a_killed_append_leaves_the_old_generation_or_the_new(tmp_path, share):
    space = make_space(tmp_path / "s")
    body = f"""
        space = codomain.open({str(space.path)!r})
        rows, vectors = rows_of(20, 3000), np.repeat(vectors_of(20, 30), 100, axis=0)
        print("ready", flush=True)
        space.append(rows, vectors, encoder=ENCODER)
    """
    process = started(body)
    time.sleep(share * 0.1)  # a whole append takes about this long
    process.kill()
    process.communicate()
    after = codomain.open(space.path)
    assert (len(after), after.generation) in ((20, 1), (3020, 2))
    np.testing.assert_array_equal(after.vectors[:20], vectors_of(0, 20))
    again = after.append(rows_of(9000, 5), vectors_of(9000, 5), encoder=ENCODER)
    assert len(again) == len(after) + 5
    again.gc()
    assert not list(space.path.glob(".new-*")) and len(list(space.path.glob("vectors-*"))) == again.generation


def points_of_a_write(monkeypatch):
    """Make every call that changes the disk countable, so that a write can be cut at each of them."""
    calls = {"left": None, "seen": 0}

    def wrap(owner, name):
        real = getattr(owner, name)

        def counted(*args, **kwargs):
            calls["seen"] += 1
            if calls["left"] is not None:
                calls["left"] -= 1
                if calls["left"] < 0:
                    raise KeyboardInterrupt  # nothing after it may touch the disk either, as after a kill
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    for owner, name in ((os, "fsync"), (os, "link"), (Path, "replace"), (Path, "rename"), (Path, "mkdir"),
                        (Path, "unlink"), (shutil, "rmtree")):  # fmt: skip
        wrap(owner, name)
    return calls


@pytest.mark.parametrize("change", ["write", "append", "put", "rollback", "gc"])
def test_a_change_that_is_cut_at_any_step_leaves_the_old_or_the_new(tmp_path, monkeypatch, change):
    def prepare(path):
        space = None if change == "write" else make_space(path)
        if change in ("rollback", "gc"):
            space = space.put("p", {"a.npy": np.arange(9)}, made_from="x").drop("p")
        return space

    def apply(path, space):
        if change == "write":
            return make_space(path)
        if change == "append":
            return space.append(rows_of(20, 3), vectors_of(20, 3), encoder=ENCODER)
        if change == "put":
            return space.put("p", {"a.npy": np.arange(9), "b.json": {}}, made_from="x")
        return space.rollback(2) if change == "rollback" else space.gc()

    def state(path):
        space = codomain.open(path)
        return space.vectors[:].tobytes(), space.rows().to_pydict(), {n: p.files for n, p in space.parts.items()}

    apply(tmp_path / "new", prepare(tmp_path / "new"))
    new = state(tmp_path / "new")
    old = None
    if change != "write":
        prepare(tmp_path / "old")
        old = state(tmp_path / "old")
    for step in range(1000):
        path = tmp_path / f"cut-{step}"
        space = prepare(path)
        with monkeypatch.context() as patch:
            calls = points_of_a_write(patch)
            calls["left"] = step
            try:
                apply(path, space)
                break
            except KeyboardInterrupt:
                pass
        if change == "write" and not (path / "HEAD").exists():
            with pytest.raises(UserError, match=r"interrupted|is no space|does not exist"):
                codomain.open(path)
            apply(path, None)
            assert state(path) == new
        else:
            assert state(path) in (old, new)
            if change != "gc":
                apply(path, codomain.open(path)) if state(path) == old and change != "rollback" else None
            codomain.open(path).gc()
            assert state(path) in (old, new)
            assert not list(path.glob(".new-*"))
    assert step > 5  # the write was cut at several steps, then passed


def test_a_first_write_that_was_killed_is_recognised_and_can_be_repeated(tmp_path):
    path = tmp_path / "s"
    body = f"""
        X = np.ones((200_000, 16), np.float32) + np.arange(200_000)[:, None]
        print("ready", flush=True)
        codomain.write({str(path)!r}, None, X)
    """
    process = started(body)
    deadline = time.monotonic() + 60
    while not list(path.glob(".new-*/*")) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if not (path / "HEAD").exists():
        with pytest.raises(UserError, match=r"(?s)interrupted.*again"):
            codomain.open(path)
    assert run(body).returncode == 0
    assert len(codomain.open(path)) == 200_000 and not list(path.glob(".new-*"))


def test_a_lost_head_is_not_written_over(tmp_path):
    space = make_space(tmp_path / "s").put("p", {"a.json": {}}, made_from="")
    (space.path / "HEAD").unlink()
    for again in (lambda: codomain.open(space.path), lambda: make_space(space.path)):
        with pytest.raises(DamagedError, match="HEAD"):
            again()


def test_a_full_disk_is_said_and_the_old_generation_is_whole(tmp_path):
    """A limit on file size meets a writer as a full disk does, and needs no rights."""
    space = make_space(tmp_path / "s")
    found = run(f"""
        import resource
        space = codomain.open({str(space.path)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        n = 40_000
        rows = {{"key": [f"n{{i}}" for i in range(n)], "text": ["t"] * n, "year": [1] * n}}
        try:
            space.append(rows, np.ones((n, 4), np.float32), encoder=ENCODER)
        except UserError as error:
            print(error)
    """)
    assert "The disk is full" in found.stdout and "free some room" in found.stdout, found.stderr
    assert codomain.open(space.path).generation == 1 and not list(space.path.glob(".new-*"))


@pytest.mark.skipif(not ROOT or shutil.which("mount") is None, reason="only root may mount a small disk")
def test_a_small_disk_that_fills_up_is_said_and_the_old_generation_is_whole(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine lets not even root mount a small disk")
    try:
        space = make_space(disk / "s")
        for rows in (200_000, 60_000):  # the vectors do not fit; the vectors fit and the table does not
            random.seed(0)
            table = {
                "key": [f"n{random.random()}{random.random()}" for _ in range(rows)],
                "text": ["t"] * rows,
                "year": [1] * rows,
            }
            with pytest.raises(UserError, match="The disk is full"):
                space.append(table, np.ones((rows, 4), np.float32), encoder=ENCODER)
            assert len(codomain.open(space.path)) == 20 and not list(space.path.glob(".new-*"))
        assert len(space.append(rows_of(20, 5), vectors_of(20, 5), encoder=ENCODER)) == 25
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def shut(path):
    for file in [path, *path.rglob("*")]:
        file.chmod(file.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def as_nobody(body):
    """Run as a user without rights, who is only that once everything is imported: root may write anywhere."""
    drop = """
        import os, pkgutil, numpy.random, codomain.space
        codomain.open, codomain.write
        for module in pkgutil.walk_packages(codomain.space.__path__, "codomain.space."):
            __import__(module.name)
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    """
    return run((textwrap.dedent(drop) if ROOT else "") + textwrap.dedent(body))


def open_to_all(path):
    while path != path.parent:
        path.chmod(path.stat().st_mode | stat.S_IROTH | stat.S_IXOTH)
        path = path.parent
        if path == Path("/tmp"):
            break


def test_a_space_that_may_not_be_written_to_is_read_and_a_change_is_refused(tmp_path):
    space = make_space(tmp_path / "s").put("p", {"a.npy": np.arange(3)}, made_from="")
    open_to_all(tmp_path)
    shut(space.path)
    found = as_nobody(f"""
        space = codomain.open({str(space.path)!r})
        print(len(space), space.vectors[3].shape, space.part("p")["a.npy"].sum(), space.row_of("k3"))
        for change in (
            lambda: space.append(rows_of(20, 1), vectors_of(20, 1), encoder=ENCODER),
            lambda: space.put("q", {{"a.json": []}}, made_from=""),
            lambda: space.rollback(1),
            lambda: space.gc(),
            lambda: codomain.write({str(tmp_path / "other")!r}, None, vectors_of(0, 3)),
        ):
            try:
                change()
                print("written")
            except UserError as error:
                print("refused" if "may not be written to" in str(error) else error)
    """)
    space.path.chmod(0o755)
    assert found.stdout.splitlines() == ["20 (4,) 3 3", *["refused"] * 5], found.stderr


def test_a_space_that_may_not_be_read_is_said(tmp_path):
    space = make_space(tmp_path / "s")
    open_to_all(tmp_path)
    (space.path / "HEAD").chmod(0)
    found = as_nobody(f"""
        try:
            codomain.open({str(space.path)!r})
        except UserError as error:
            print(error)
    """)
    assert "may not be read" in found.stdout, found.stderr
