"""The command line, as a person meets it: what it prints and leaves behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

import codomain
from conftest import Run

STATIC = "static:wordllama"


def test_study_without_flags_says_what_it_guessed_and_what_to_type_next(mine: Path, run: Run) -> None:
    answer = run("study", mine, "--encoder", STATIC)
    assert answer.returncode == 0, answer.stderr
    assert "text" in answer.stderr and "plan: 150 rows" in answer.stderr
    lines = dict(line.split(": ", 1) for line in answer.stdout.splitlines())
    assert set(lines) == {"space", "report", "search"}
    assert (mine.parent / lines["space"]).is_dir() and (mine.parent / lines["report"]).is_file()
    found = run(*lines["search"].replace('"', "").split()[1:4], "--json")
    assert found.returncode == 0, found.stderr


def test_study_and_add_print_what_they_found_as_one_record(docstrings: pa.Table, tmp_path: Path, run: Run) -> None:
    def never(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    big = 2**53 + 1
    rows = docstrings.slice(0, 150).select(["module", "kind", "text"])
    rows = rows.append_column("big", pa.array(range(big, big + 150))).append_column("x", pa.array([float("nan")] * 150))
    parquet.write_table(rows.slice(0, 140), tmp_path / "mine.parquet")
    parquet.write_table(rows.slice(140), tmp_path / "more.parquet")
    told = run("study", "mine.parquet", "--id", "big", "--label", "kind", "--encoder", STATIC, "--json")
    assert told.returncode == 0 and "plan: 140 rows" in told.stderr and "7/7" in told.stderr
    found = json.loads(told.stdout, parse_constant=never)
    report = (tmp_path / found["report"]).read_text()
    assert (found["rows"], found["dimensions"], found["bytes_as_given"]) == (140, 256, 1024)
    assert found["encoder"]["uri"] == STATIC and found["roles"] == {"id": "big", "text": "text", "label": "kind"}
    assert {"name": "big", "type": "int64"} in found["columns"] and {"name": "x", "type": "double"} in found["columns"]
    assert found["tokens"]["texts"] == 140 and found["tokens"]["tokens_read"] > 140
    assert {"texts_cut", "tokens_unread", "tokens_unknown", "texts_without_known_tokens"} <= set(found["tokens"])
    assert all({"name", "value", "verdict", "says"} <= set(one) for one in found["health"]) and found["health"]
    refusal = codomain.open(tmp_path / "mine.space").parts.shrink.certificate["refusal"]
    assert found["smallest"] is None and found["recall_target"] == 0.95  # of so few rows no form can be proved
    assert refusal and refusal in found["warnings"]
    assert found["groups"] and sum(one["size"] for one in found["groups"]) + found["in_no_group"] == 140
    assert all(one["name"] in report for one in found["groups"])
    assert {"duplicate", "outlier", "label"} <= set(found["flags"])
    assert any("text column: 'text'" in note for note in found["notes"]) and isinstance(found["warnings"], list)
    assert run(*found["search"].replace('"', "").split()[1:4], "--json").returncode == 0
    first = json.loads(run("search", "mine.space", "--like", big, "-k", "1", "--json").stdout)
    assert first[0]["id"] == str(int(first[0]["id"]))  # beyond what JavaScript holds: exact, as text
    grown = json.loads(run("add", "mine.space", "more.parquet", "--json").stdout, parse_constant=never)
    assert grown["rows"] == 150 and grown["generation"] > found["generation"]


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
    assert run("export", "mine.space", "some.parquet", "--where", "kind == 'class'").returncode == 0
    classes = table.filter(pc.equal(table["kind"], "class"))
    assert parquet.read_table(mine.parent / "some.parquet") == classes and 0 < classes.num_rows < 150
    assert run("export", "mine.space", "some.parquet", "--rows", "1-3,9", "--force").returncode == 0
    assert parquet.read_table(mine.parent / "some.parquet") == table.take([1, 2, 3, 9])
    refused = run("export", "mine.space", "--to", "faiss:some.faiss", "--rows", "1")
    assert refused.returncode == 2 and "no store" in refused.stderr and not (mine.parent / "some.faiss").exists()


def test_log_and_rollback_show_what_was_written(mine: Path, run: Run) -> None:
    run("study", mine, "--encoder", STATIC)
    entries = json.loads(run("log", "mine.space", "--json").stdout)
    assert len(entries) >= 2
    assert run("rollback", "mine.space", 1).returncode == 0
    assert len(json.loads(run("log", "mine.space", "--json").stdout)) == len(entries) + 1
    listed = run("gc", "mine.space")
    assert listed.returncode == 2 and "--yes" in listed.stderr and "manifests/" in listed.stdout
    planned = json.loads(run("gc", "mine.space", "--json").stdout)
    assert planned["freed"] == 0 and planned["bytes"] == sum(planned["files"].values()) > 0
    assert "freed" in run("gc", "mine.space", "--yes").stdout
    left = json.loads(run("log", "mine.space", "--json").stdout)
    assert [entry["number"] for entry in left] == planned["kept"]
    assert "(now)" in run("log", "mine.space").stdout


def test_nothing_is_drawn_when_piped(mine: Path, run: Run) -> None:
    answer = run("study", mine, "--encoder", STATIC)
    assert "\x1b" not in answer.stderr + answer.stdout
    assert "\r" not in answer.stderr


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
