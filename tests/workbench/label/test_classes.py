"""Labels of a column are classes: blanks are none, whole numbers are some, spellings are a question."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import codomain
from codomain.core import EncoderIdentity
from codomain.space import Roles
from codomain.workbench import label_space
from codomain.workbench.label.classes import classes_of, spelling_key


def column(*values: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values)])


def test_spellings_that_differ_in_case_blanks_or_form_have_one_key_and_others_do_not() -> None:
    same = ["Café", "cafe\u0301", "CAFÉ", " café\u00a0", "ca\u00adfé", "caf\u200bé"]
    assert len({spelling_key(word) for word in same}) == 1
    assert len({spelling_key(word) for word in ["café", "cafe", "caf é", "cafés", "\ufb01", "fi", "1", "x1"]}) == 7


def test_spellings_are_kept_apart_and_said_where_nobody_can_be_asked() -> None:
    words, [note] = classes_of(column("Sport", "sport", "sport", "art", "sport "), "y")
    assert words == ["Sport", "sport", "sport", "art", "sport "]
    assert "'sport' (2)" in note and "'Sport' (1)" in note and "'sport ' (1)" in note and "--merge-spellings" in note


def test_merged_spellings_take_the_commonest_form_and_other_words_lose_outer_blanks_only() -> None:
    words, [note] = classes_of(column("Sport", "sport", "sport", "fine  art ", "sport "), "y", merge=True)
    assert words == ["sport", "sport", "sport", "fine art", "sport"]
    assert "one class each" in note


@pytest.mark.parametrize("blank", ["", "  ", "\u00a0", "\u200b", "\t\n", "\u2060 \u3000", None])
def test_what_shows_nothing_is_no_class(blank: str | None) -> None:
    words, [note] = classes_of(column("a", blank, "b"), "y")
    assert words == ["a", "", "b"]
    assert "row 1 of 3 without 'y'" in note


def test_whole_numbers_written_as_floats_are_classes_and_that_is_said() -> None:
    words, [one, two] = classes_of(column(1.0, None, 2.0, 1.0), "stars")
    assert words == ["1", "", "2", "1"]
    assert "'stars' holds numbers, taken as 2 classes: 1, 2" in one and "row 1" in two


@pytest.fixture
def space(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = (np.eye(2, 16)[y] * 3 + rng.normal(size=(80, 16))).astype(np.float32)
    rows = {"id": [f"d{row}" for row in range(80)], "text": [f"row {row}" for row in range(80)]}
    given, roles = EncoderIdentity.given(16), Roles(text="text", id="id")
    return codomain.write(tmp_path / "two.space", rows, X, encoder=given, roles=roles).path


@pytest.fixture
def spelt(space: Path) -> Path:
    """A csv that spells one of two classes in two ways."""
    ids = [f"d{row}" for row in [*range(0, 60, 2), *range(1, 60, 2)]]
    names = ["ring", "Ring", "ring"] * 10 + ["stick"] * 30
    csv.write_csv(pa.table({"id": ids, "y": names}), space.parent / "y.csv")
    return space.parent / "y.csv"


def test_a_column_of_floats_called_label_is_guessed_and_said(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = {"id": [f"d{row}" for row in range(60)], "note": [f"n {row}" for row in range(60)]}
    parquet.write_table(pa.table(table | {"label": np.arange(60) % 2 * 1.0}), space.parent / "y.parquet")
    done = label_space(space, labels=space.parent / "y.parquet")
    printed = capsys.readouterr().err
    assert [one["name"] for one in done.record["classes"]] == ["0", "1"]
    assert "label column: 'label'" in printed and "taken as 2 classes: 0, 1" in printed


def test_the_command_line_settles_spellings_and_tells_the_share_of_the_commonest_class(
    space: Path, spelt: Path
) -> None:
    command = [sys.executable, "-m", "codomain", "label", str(space), "--from", str(spelt), "--json"]
    apart, one = (
        json.loads(subprocess.run([*command, *more], capture_output=True, check=True).stdout)
        for more in ([], ["--merge-spellings"])
    )
    assert {c["name"]: c["given"] for c in apart["classes"]} == {"Ring": 10, "ring": 20, "stick": 30}
    assert {c["name"]: c["given"] for c in one["classes"]} == {"ring": 30, "stick": 30}
    assert all(0 <= c["found"] <= 1 for c in one["classes"])
    assert one["majority"]["share"] == 0.5 and one["balanced"]["accuracy"] == pytest.approx(one["accuracy"])
    assert any("Always saying the commonest class" in line for line in one["says"])


@pytest.mark.parametrize(("typed", "classes"), [("y", 2), ("n", 3)])
def test_a_person_at_a_terminal_is_asked_once(space: Path, spelt: Path, typed: str, classes: int) -> None:
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-m", "codomain", "label", str(space), "--from", str(spelt)])
    screen = ""
    while "[y/n]" not in screen:
        screen += os.read(terminal, 4096).decode()
    os.write(terminal, f"{typed}\n".encode())
    try:
        while more := os.read(terminal, 4096):
            screen += more.decode(errors="replace")
    except OSError:
        pass  # Linux's way of saying that the other end is closed
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, screen
    assert screen.count("[y/n]") == 1 and "'ring' (20) and 'Ring' (10)" in screen
    assert len(codomain.open(space).parts.labels.classes) == classes
