"""The command line, as a person meets it: what works, and what bad input gets."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from conftest import Run

STATIC = "static:wordllama"


@pytest.fixture
def mine(docstrings: pa.Table, tmp_path: Path) -> Path:
    """A csv as a stranger holds it."""
    path = tmp_path / "mine.csv"
    csv.write_csv(docstrings.slice(0, 150).select(["module", "kind", "text"]), path)
    return path


def _refused(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr, answer.stderr
    assert answer.stdout == ""


def test_study_without_flags_says_what_it_guessed_and_what_to_type_next(mine: Path, run: Run) -> None:
    answer = run("study", mine, "--encoder", STATIC)
    assert answer.returncode == 0, answer.stderr
    assert "text" in answer.stderr and "plan: 150 rows" in answer.stderr
    lines = dict(line.split(": ", 1) for line in answer.stdout.splitlines())
    assert set(lines) == {"space", "report", "search"}
    assert (mine.parent / lines["space"]).is_dir() and (mine.parent / lines["report"]).is_file()
    found = run(*lines["search"].replace('"', "").split()[1:4], "--json")
    assert found.returncode == 0, found.stderr


def test_search_answers_in_records_with_the_rows_columns(mine: Path, run: Run) -> None:
    run("study", mine, "--encoder", STATIC)
    records = json.loads(run("search", "mine.space", "asynchronous event loop", "--json", "-k", 3).stdout)
    assert len(records) == 3
    assert {"id", "score", "percentile", "module", "kind", "text"} <= set(records[0])
    assert any("async" in record["module"] for record in records)
    classes = json.loads(run("search", "mine.space", "event loop", "--where", "kind == 'class'", "--json").stdout)
    assert classes and {record["kind"] for record in classes} == {"class"}


def test_export_gives_the_own_table_back_with_new_columns(mine: Path, run: Run) -> None:
    run("study", mine, "--encoder", STATIC)
    assert run("export", "mine.space", "out.parquet").returncode == 0
    table = parquet.read_table(mine.parent / "out.parquet")
    assert table.num_rows == 150
    assert {"module", "text", "group", "group_name", "map_x", "is_outlier"} <= set(table.column_names)


def test_log_and_rollback_show_what_was_written(mine: Path, run: Run) -> None:
    run("study", mine, "--encoder", STATIC)
    entries = json.loads(run("log", "mine.space", "--json").stdout)
    assert len(entries) >= 2
    assert run("rollback", "mine.space", 1).returncode == 0
    assert len(json.loads(run("log", "mine.space", "--json").stdout)) == len(entries) + 1
    assert run("gc", "mine.space").returncode == 0


def test_nothing_is_drawn_when_piped(mine: Path, run: Run) -> None:
    answer = run("study", mine, "--encoder", STATIC)
    assert "\x1b" not in answer.stderr + answer.stdout
    assert "\r" not in answer.stderr


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["study"],
        ["search"],
        ["demo"],
        ["add"],
        ["shrink"],
        ["label"],
        ["migrate"],
        ["compare"],
        ["methods"],
        ["claims", "run"],
        ["new"],
    ],
)
def test_help_names_every_command(command: list[str], run: Run) -> None:
    answer = run(*command, "--help")
    assert answer.returncode == 0
    assert "Usage" in answer.stdout


def test_a_missing_file_is_named(run: Run) -> None:
    _refused(run("study", "nowhere.csv"), "nowhere.csv")


def test_a_missing_column_is_answered_with_those_there_are(mine: Path, run: Run) -> None:
    _refused(run("study", mine, "--text", "txet"), "txet", "module", "kind", "text")


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
def test_a_bad_table_is_refused_in_words_and_nothing_is_written(name: str, tmp_path: Path, run: Run) -> None:
    data, words = BAD[name]
    (tmp_path / "bad.csv").write_bytes(data)
    extra = ["--id", "id"] if name == "double ids" else []
    _refused(run("study", "bad.csv", *extra), *words)
    assert not (tmp_path / "bad.space").exists()
    assert not list(tmp_path.glob("*report*"))


def test_bad_vectors_are_all_named_at_once(tmp_path: Path, run: Run) -> None:
    X = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    X[3, 2], X[17, 0], X[30] = np.nan, np.inf, 0
    np.save(tmp_path / "v.npy", X)
    _refused(run("study", "v.npy"), "3", "17", "30")
    assert not (tmp_path / "v.space").exists()
    np.save(tmp_path / "same.npy", np.ones((9, 4), dtype=np.float32))
    _refused(run("study", "same.npy"), "same")


def test_mixed_dimensions_are_refused_with_row_numbers(tmp_path: Path, run: Run) -> None:
    whole, short = [float(number) for number in range(12)], [1.0] * 11
    parquet.write_table(pa.table({"v": [whole] * 5 + [short] + [whole] * 3}), tmp_path / "v.parquet")
    _refused(run("study", "v.parquet"), "row 5", "11", "12")


def test_a_space_from_a_newer_version_is_refused(mine: Path, run: Run) -> None:
    newer = "import codomain.space.manifest as m; m.FORMAT += 1; from codomain.cli import main; main()"
    made = subprocess.run(
        [sys.executable, "-c", newer, "study", str(mine), "--encoder", STATIC], cwd=mine.parent, check=True
    )
    assert made.returncode == 0
    _refused(run("search", "mine.space", "event loop"), "format 2", "upgrade")


def test_another_encoder_cannot_ask_a_space(mine: Path, run: Run) -> None:
    run("study", mine, "--encoder", STATIC)
    _refused(run("study", mine, "--encoder", "builtin:minilm"), "encoder", "--space")


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
    _refused(run("study", mine, "--encoder", STATIC, "--space", locked / "s.space", prefix=prefix), "locked")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_leaves_nothing_half_written(docstrings: pa.Table, tmp_path: Path, run: Run) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        parquet.write_table(docstrings, tmp_path / "t.parquet")
        answer = run("study", "t.parquet", "--text", "text", "--encoder", STATIC, "--space", disk / "s.space")
        _refused(answer, "space")
        subprocess.run(["mount", "-o", "remount,size=50m", disk], check=True)
        again = run("study", "t.parquet", "--text", "text", "--encoder", STATIC, "--space", disk / "s.space")
        assert again.returncode == 0, again.stderr
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.usefixtures("ctrl_c")
def test_stopped_by_ctrl_c_a_study_goes_on_where_it_was(docstrings: pa.Table, tmp_path: Path, run: Run) -> None:
    parquet.write_table(docstrings, tmp_path / "t.parquet")
    command = [sys.executable, "-m", "codomain", "study", "t.parquet", "--text", "text"]
    child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stderr
    while "plan:" not in (line := child.stderr.readline()):
        assert line, "the study ended before its plan"
    time.sleep(2)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "Traceback" not in err and "go on" in err
    answer = run("study", "t.parquet", "--text", "text")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare to cut the network off with")
def test_the_demo_runs_in_a_new_home_with_the_network_unreachable(tmp_path: Path, run: Run) -> None:
    cut = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
    answer = run("demo", "--folder", "here", prefix=cut)
    assert answer.returncode == 0, answer.stderr
    lines = dict(line.split(": ", 1) for line in answer.stdout.splitlines())
    assert list(lines) == ["space", "report", "search"]
    found = json.loads(run("search", lines["space"], "parse a date from a string", "--json", prefix=cut).stdout)
    assert any(record["package"] in ("datetime", "time", "email", "calendar") for record in found)
    none = run("search", lines["space"], "recipe for lasagne with spinach", prefix=cut)
    assert "nothing close" in none.stdout.lower()
