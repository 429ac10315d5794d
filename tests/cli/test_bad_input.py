"""What bad input gets from the command line: exit 2, one message that names it, and nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from conftest import Run

STATIC = "static:wordllama"


def refused(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr, answer.stderr
    assert answer.stdout == ""


def test_a_missing_file_is_named(run: Run) -> None:
    refused(run("study", "nowhere.csv"), "nowhere.csv")


def test_a_missing_column_is_answered_with_those_there_are(mine: Path, run: Run) -> None:
    refused(run("study", mine, "--text", "txet"), "txet", "module", "kind", "text")


BAD = {
    "empty": (b"", ["empty"]),
    "header only": (b"id,text\n", ["0 rows"]),
    "binary": (bytes(range(256)) * 40, []),
    "one row": (b"id,text\n1,only one row of text here\n", ["1 row"]),
    "same": (b"id,text\n" + b"".join(b"%d,the same words\n" % i for i in range(9)), ["same"]),
    "no text": (b"a,b\n1,2\n3,4\n5,6\n", ["a", "b", "--text"]),
    "blank texts": (
        b"id,text\n1,first text of all\n2,\n3,the third one here\n4,\n5,a fifth text for it\n",
        ["--drop-empty"],
    ),
    "double ids": (b"id,text\n1,first text of all\n1,the second one\n3,the third one here\n", ["id"]),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_isrefused_in_words_and_nothing_is_written(name: str, tmp_path: Path, run: Run) -> None:
    data, words = BAD[name]
    (tmp_path / "bad.csv").write_bytes(data)
    extra = ["--id", "id"] if name == "double ids" else []
    refused(run("study", "bad.csv", *extra), *words)
    assert not (tmp_path / "bad.space").exists()
    assert not list(tmp_path.glob("*report*"))


def test_bad_vectors_are_all_named_at_once(tmp_path: Path, run: Run) -> None:
    X = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    X[3, 2], X[17, 0], X[30] = np.nan, np.inf, 0
    np.save(tmp_path / "v.npy", X)
    refused(run("study", "v.npy"), "3", "17", "30")
    assert not (tmp_path / "v.space").exists()
    np.save(tmp_path / "same.npy", np.ones((9, 4), dtype=np.float32))
    refused(run("study", "same.npy"), "same")


def test_mixed_dimensions_arerefused_with_row_numbers(tmp_path: Path, run: Run) -> None:
    whole, short = [float(number) for number in range(12)], [1.0] * 11
    parquet.write_table(pa.table({"v": [whole] * 5 + [short] + [whole] * 3}), tmp_path / "v.parquet")
    refused(run("study", "v.parquet"), "row 5", "11", "12")


def test_a_space_from_a_newer_version_isrefused(mine: Path, run: Run) -> None:
    newer = "import codomain.space.head as m; m.FORMAT += 1; from codomain.cli import main; main()"
    made = subprocess.run(
        [sys.executable, "-c", newer, "study", str(mine), "--encoder", STATIC], cwd=mine.parent, check=True
    )
    assert made.returncode == 0
    refused(run("search", "mine.space", "event loop"), "format 2", "upgrade")


def test_another_encoder_cannot_ask_a_space(mine: Path, run: Run) -> None:
    run("study", mine, "--encoder", STATIC)
    refused(run("study", mine, "--encoder", "builtin:minilm"), "encoder", "--space")


def test_no_permission_to_write_is_said(mine: Path, tmp_path: Path, run: Run) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    prefix = ()
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
        for parent in tmp_path.parents:
            if parent.stat().st_uid == 0 and parent != parent.parent:
                parent.chmod(parent.stat().st_mode | 0o055)
        prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        if subprocess.run(
            [*prefix, sys.executable, "-c", "import pyarrow"], check=False, capture_output=True
        ).returncode:
            pytest.skip("this Python lies where another user cannot read it")
    (tmp_path / "home").mkdir(exist_ok=True)
    refused(run("study", mine, "--encoder", STATIC, "--space", locked / "s.space", prefix=prefix), "locked")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_leaves_nothing_half_written(docstrings: pa.Table, tmp_path: Path, run: Run) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        parquet.write_table(docstrings, tmp_path / "t.parquet")
        answer = run("study", "t.parquet", "--text", "text", "--encoder", STATIC, "--space", disk / "s.space")
        refused(answer, "space")
        subprocess.run(["mount", "-o", "remount,size=50m", disk], check=True)
        again = run("study", "t.parquet", "--text", "text", "--encoder", STATIC, "--space", disk / "s.space")
        assert again.returncode == 0, again.stderr
    finally:
        subprocess.run(["umount", disk], check=True)
