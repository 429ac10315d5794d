"""Sealed files, against hashlib over the whole file and numpy's own reader."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import DamagedError, UserError, sealed, written_aside
from codomain.core.sealed import Seal, canonical, check, replace_atomically, seal_of, write_sealed


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(sealed, "BLOCK", 1000)
    return 1000


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 2000, 3456])
def test_a_seal_is_the_hash_of_the_file_and_of_each_block(tmp_path, small_blocks, size):
    data = np.random.default_rng(size).bytes(size)
    seal = write_sealed(tmp_path / "file", data)
    blocks = [data[start : start + 1000] for start in range(0, size, 1000)] or [b""]
    assert (tmp_path / "file").read_bytes() == data
    assert seal == Seal(size, hashlib.sha256(data).hexdigest(), tuple(hashlib.sha256(b).hexdigest() for b in blocks))
    assert seal_of(tmp_path / "file") == seal == Seal.from_dict(json.loads(canonical(seal.to_dict())))
    check(tmp_path / "file", seal)


@given(pieces=st.lists(st.binary(max_size=300), max_size=12))
def test_a_seal_does_not_depend_on_how_the_bytes_came(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("sealed") / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "BLOCK", 128)
        assert write_sealed(path, pieces) == write_sealed(path, b"".join(pieces)) == seal_of(path)


def test_every_flipped_bit_is_refused_and_the_file_named(tmp_path, small_blocks):
    path, rng = tmp_path / "file", np.random.default_rng(0)
    data = bytearray(rng.bytes(2500))
    seal = write_sealed(path, bytes(data))
    for bit in rng.choice(8 * len(data), 60, replace=False):
        damaged = data.copy()
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match=str(path)):
            check(path, seal)


def test_only_the_blocks_asked_for_are_read(tmp_path, small_blocks):
    data = bytearray(3000)
    seal = write_sealed(tmp_path / "file", bytes(data))
    data[2500] = 1
    (tmp_path / "file").write_bytes(data)
    check(tmp_path / "file", seal, blocks=[0, 1])
    check(tmp_path / "file", seal, blocks=[])
    with pytest.raises(DamagedError, match="bytes from 2,000 on"):
        check(tmp_path / "file", seal, blocks=[2])


@pytest.mark.parametrize("size", [0, 1999, 2001])
def test_another_size_is_refused_without_reading(tmp_path, size):
    seal = write_sealed(tmp_path / "file", bytes(2000))
    (tmp_path / "file").write_bytes(bytes(size))
    with pytest.raises(DamagedError, match=f"has {size:,} bytes"):
        check(tmp_path / "file", seal, blocks=[])


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DamagedError, match="is missing"):
        check(tmp_path / "file", Seal(1, "", ("",)))
    assert issubclass(DamagedError, UserError)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.int32).reshape(3, 4)),
        np.arange(100_000, dtype=np.float32).reshape(1000, 100)[::2, ::3],
        np.array(3.5),
        np.empty((0, 5), np.float32),
        np.array(["a", "bcd"]),
    ],
    ids=["plain", "fortran", "strided", "scalar", "empty", "strings"],
)
def test_numpy_reads_back_what_was_sealed(tmp_path, array):
    write_sealed(tmp_path / "a.npy", array)
    back = np.load(tmp_path / "a.npy", allow_pickle=False)
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype and back.shape == array.shape


def test_an_array_of_objects_is_refused(tmp_path):
    with pytest.raises(TypeError, match="no safe form"):
        write_sealed(tmp_path / "a.npy", np.array([{}, {}]))


def test_a_replaced_file_leaves_no_other_file(tmp_path):
    replace_atomically(tmp_path / "HEAD", b"one")
    replace_atomically(tmp_path / "HEAD", b"two")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("HEAD", b"two")]


def test_a_writer_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    def fail(handle):
        raise OSError("no")

    replace_atomically(tmp_path / "HEAD", b"one")
    monkeypatch.setattr(sealed.os, "fsync", fail)
    with pytest.raises(OSError, match="no"):
        replace_atomically(tmp_path / "HEAD", b"two")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("HEAD", b"one")]


KILLED = """
import os, signal, sys
from pathlib import Path
from codomain.core import written_aside
with written_aside(Path(sys.argv[1])) as new:
    new.write_text("half a ta")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("name", ["out.csv", "é" * 120 + ".csv"], ids=["short", "as long as a name may be"])
def test_the_next_writer_of_a_file_clears_up_after_one_that_was_killed(tmp_path, name):
    path = tmp_path / name
    path.write_text("an older table")
    died = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL and path.read_text() == "an older table"
    assert len(list(tmp_path.iterdir())) > 1  # it left something
    with written_aside(path) as new:
        new.write_text("a whole table")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, "a whole table")]


def test_writers_of_one_file_take_turns_and_the_last_stays_whole(tmp_path, capsys):
    path, inside, most = tmp_path / "out.csv", [], []

    def write(number):
        with written_aside(path) as new:
            inside.append(number)
            most.append(len(inside))
            with new.open("a") as file:
                for _ in range(20):
                    file.write(f"{number}")
                    file.flush()
                    time.sleep(0.001)
            inside.remove(number)
        return f"{number}" * 20

    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(write, range(8)))
    assert path.read_text() in written and max(most) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    assert "waiting for it" in capsys.readouterr().err


def test_canonical_json_has_one_form():
    value = {"b": np.float32(0.5), "a": np.arange(3), "é": [None, True]}
    assert canonical(value) == '{"a": [0, 1, 2], "b": 0.5, "é": [null, true]}\n'.encode()
    assert canonical(json.loads(canonical(value))) == canonical(value)
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})
