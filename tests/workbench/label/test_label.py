"""Few labels in, labels for every row out: from a file, a column, a pipe, a terminal."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from sklearn.datasets import load_digits

import codomain
from codomain.classify import GDA, learning_curve
from codomain.core import EncoderIdentity, EncoderMismatch, UserError
from codomain.space import Roles
from codomain.workbench import apply_head, export_labels, label_space, study
from codomain.workbench.label.fit import Teacher, curve_of, load_head
from codomain.workbench.label.run import earlier_labels
from conftest import Run

ENCODER = EncoderIdentity(name="pixels", sha256="ab" * 32, dim=64)
X, Y = load_digits(n_class=4, return_X_y=True)
X, Y = X.astype(np.float32), Y.astype(str)
NAMES = np.array(["nought", "one", "two", "three"])


def write(path: Path, rows: slice, encoder: EncoderIdentity = ENCODER) -> codomain.space.Space:
    ids = [f"d{row}" for row in range(len(X))[rows]]
    columns = {"id": ids, "text": [f"picture\x1b[2J {name}" for name in ids], "truth": Y[rows]}
    return codomain.write(path, columns, X[rows], encoder=encoder, roles=Roles(text="text", id="id"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "digits.space", slice(0, 500)).path


@pytest.fixture
def space(made: Path, tmp_path: Path) -> Path:
    """500 pictures of digits."""
    return Path(shutil.copytree(made, tmp_path / "digits.space"))


@pytest.fixture
def some(tmp_path: Path) -> Path:
    """A csv with the names of 60 of them, drawn at random, in another order than the space."""
    rows = np.random.default_rng(0).permutation(500)[:60]
    path = tmp_path / "some.csv"
    csv.write_csv(pa.table({"id": [f"d{row}" for row in rows], "digit": NAMES[Y[rows].astype(int)]}), path)
    return path


def test_labels_from_a_file_label_every_row(space: Path, some: Path, run: Run) -> None:
    answer = run("label", space, "--from", some, "--json")
    assert answer.returncode == 0, answer.stderr
    assert "label column: 'digit'" in answer.stderr and "plan: 60 labels of 4 classes" in answer.stderr
    record = json.loads(answer.stdout)
    opened = codomain.open(space)
    part = opened.parts.labels
    classes = np.array([one["name"] for one in record["classes"]])
    truth = NAMES[Y[:500].astype(int)]
    assert sorted(classes) == sorted(NAMES)
    predicted = classes[part.predicted]
    assert (predicted == truth).mean() > 0.85
    low, high = record["interval"]
    assert low <= record["accuracy"] <= high
    shares = part.probabilities
    assert shares.dtype == np.float32 and np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares.argmax(axis=1) == part.predicted).all()
    rejected = part.rejected
    shares_kept, shares_rejected = shares[~rejected].max(axis=1), shares[rejected].max(axis=1)
    assert shares_kept.mean() > shares_rejected.mean() if rejected.any() else (predicted == truth).mean() > 0.9
    assert sum(one["rejected"] for one in record["classes"]) == rejected.sum()
    assert (load_head(part).predict(np.asarray(opened.vectors)) == predicted).all()  # the sealed head says the same
    given = parquet.read_table(part.given)
    assert given["label"].to_pylist() == truth[given["row"].to_numpy()].tolist()


def test_the_same_labels_give_the_same_part_and_others_another(space: Path, some: Path) -> None:
    one = label_space(space, labels=some).space.parts.labels
    two = label_space(space, labels=some).space.parts.labels
    three = label_space(space, labels=some, risk=0.2).space.parts.labels
    assert one.made_from == two.made_from != three.made_from
    assert (one["probabilities.npy"] == two["probabilities.npy"]).all()


def test_what_export_writes_can_be_read_again_and_keeps_what_was_given(space: Path, some: Path, tmp_path: Path) -> None:
    done = label_space(space, labels=some)
    table = csv.read_csv(export_labels(done.space, tmp_path / "out.csv"))
    assert table.num_rows == 500
    said = dict(zip(*[column.to_pylist() for column in csv.read_csv(some).columns], strict=True))
    rows = {row["id"]: row for row in table.to_pylist()}
    assert {key for key, row in rows.items() if row["label_given"]} == set(said)
    assert all(rows[key]["label"] == name for key, name in said.items())
    assert all(0 <= row["label_probability"] <= 1 for row in rows.values())
    again = label_space(space, labels=tmp_path / "out.csv", column="label")
    assert again.record["classes"][0]["given"] == sum(row["label"] == "nought" for row in rows.values())


def test_a_study_and_a_label_live_together_until_the_rows_change(
    tmp_path: Path, docstrings: pa.Table, run: Run
) -> None:
    columns = docstrings.slice(0, 200).select(["id", "text", "kind"])
    parquet.write_table(columns.slice(0, 150), tmp_path / "docs.parquet")
    made = study(tmp_path / "docs.parquet", label="kind", encoder="static:wordllama", space=tmp_path / "docs.space")
    assert run("label", made.space.path).returncode == 0  # the label column of the space
    assert 'id="labels"' not in made.report.read_text("utf-8")
    assert run("study", made.space.path).returncode == 0
    assert "150</b> given labels of" in made.report.read_text("utf-8")
    assert run("export", made.space.path, "out.parquet").returncode == 0
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table["label"].to_pylist() == columns["kind"].slice(0, 150).to_pylist()
    assert {"group", "label_probability", "label_given"} <= set(table.column_names)

    parquet.write_table(columns.slice(150, 50), tmp_path / "more.parquet")
    added = run("add", made.space.path, "more.parquet")
    assert added.returncode == 0, added.stderr
    assert 'id="labels"' not in made.report.read_text("utf-8")  # they are of fewer rows
    assert run("search", made.space.path, "read a file").returncode == 0
    stale = run("export", made.space.path, "out.parquet")
    assert stale.returncode == 0 and "--ask 0" in stale.stderr
    assert "label_given" not in parquet.read_table(tmp_path / "out.parquet").column_names
    assert run("label", made.space.path, "--ask", 0).returncode == 0
    run("export", made.space.path, "out.parquet")
    again = parquet.read_table(tmp_path / "out.parquet")
    assert again.num_rows == 200 and sum(again["label_given"].to_pylist()) == 150


def refused(space: Path, table: dict[str, list[object]], *words: str, column: str | None = None) -> None:
    parquet.write_table(pa.table(table), space.parent / "bad.parquet")
    before = (space / "HEAD").read_bytes()
    with pytest.raises(UserError) as caught:
        label_space(space, labels=space.parent / "bad.parquet", column=column)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert (space / "HEAD").read_bytes() == before


def test_contradictions_are_named_with_their_rows(space: Path) -> None:
    refused(
        space, {"id": ["d1", "d2", "d3", "d1", "d2"], "y": ["a", "b", "b", "b", "b"]}, "row 3", "row 0", "'d1'", "'a'"
    )


def test_labels_that_are_no_classes_are_refused(space: Path) -> None:
    refused(space, {"id": ["d1", "d2", "d3"], "y": [0.0, 1.5, None]}, "fractions", "row 1", "1.5")
    refused(space, {"id": ["d1", "d2"], "y": [["a"], ["b"]]}, "list", "words")
    refused(space, {"id": ["d1", "d2"], "y": ["a", "a"]}, "All 2 labels are 'a'", "at least two classes")


def test_a_file_that_fits_nothing_says_what_it_lacks(space: Path, run: Run) -> None:
    refused(space, {"name": ["d1"], "y": ["a"]}, "no column 'id'", "'name'")
    refused(space, {"id": ["x1", "x2"], "y": ["a", "b"]}, "labels no row", "rows 0, 1", "'d0'")
    refused(space, {"id": ["d1"], "a": ["u"], "b": ["v"]}, "--column", "'a', 'b'")
    refused(space, {"id": ["d1"], "y": ["u"]}, "no column 'z'", "'y'", column="z")
    answer = run("label", space, "--from", "nowhere.csv")
    assert answer.returncode == 2 and "nowhere.csv" in answer.stderr and "Traceback" not in answer.stderr
    answer = run("label", space, "--from", space)
    assert answer.returncode == 2 and "Traceback" not in answer.stderr


def test_blanks_and_strange_ids_are_left_out_and_said(space: Path, run: Run) -> None:
    ids = [f"d{row}" for row in range(60)]
    words = [*NAMES[Y[:60].astype(int)]]
    words[3], words[7], ids[9] = "  ", None, "unknown"
    (space.parent / "some.jsonl").write_text(
        "\n".join(json.dumps({"id": i, "y": w}) for i, w in zip(ids, words, strict=True))
    )
    answer = run("label", space, "--from", "some.jsonl", "--json")
    assert answer.returncode == 0, answer.stderr
    assert "rows 3, 7 of 60 without 'y'" in answer.stderr and "row 9" in answer.stderr
    assert sum(one["given"] for one in json.loads(answer.stdout)["classes"]) == 57


def test_classes_that_were_not_named_are_refused_and_those_without_example_said(space: Path, run: Run) -> None:
    csv.write_csv(pa.table({"id": ["d0", "d1", "d2"], "y": ["a", "b", "bb"]}), space.parent / "y.csv")
    answer = run("label", space, "--from", "y.csv", "--classes", "a,b")
    assert answer.returncode == 2 and "row 2" in answer.stderr and "'bb'" in answer.stderr
    answer = run("label", space, "--from", "y.csv", "--classes", "a,b,bb,c")
    assert answer.returncode == 0 and "no example yet of c" in answer.stderr


def test_a_class_with_one_example_is_labelled_and_said(space: Path) -> None:
    rows = [*np.flatnonzero(Y[:500] == "0")[:9], *np.flatnonzero(Y[:500] == "1")[:9], np.flatnonzero(Y[:500] == "2")[0]]
    csv.write_csv(pa.table({"id": [f"d{row}" for row in rows], "y": Y[rows]}), space.parent / "y.csv")
    done = label_space(space, labels=space.parent / "y.csv")
    assert [one["given"] for one in done.record["classes"]] == [9, 9, 1]
    assert "one row" in done.record["says"][0]


def test_wrong_labels_are_named(space: Path, some: Path) -> None:
    table = csv.read_csv(some).to_pydict()
    table["digit"][5] = "two" if table["digit"][5] != "two" else "one"
    csv.write_csv(pa.table(table), some)
    doubtful = label_space(space, labels=some).record["doubtful"]
    assert table["id"][5] in [one["id"] for one in doubtful]
    assert len(doubtful) < 10


def test_the_curve_is_of_the_same_kind_of_head_while_that_takes_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    own, fast = (learning_curve(head, X[:90], Y[:90]).accuracy.tolist() for head in (None, GDA))
    drawn = curve_of(X[:90], Y[:90])
    assert drawn is not None and drawn.accuracy.tolist() == own != fast
    monkeypatch.setattr("codomain.workbench.label.fit.OWN_CURVE", 80)
    many = curve_of(X[:90], Y[:90])
    assert many is not None and many.accuracy.tolist() == fast
    assert curve_of(X[:5], Y[:5]) is None


def test_rows_without_a_label_are_never_those_that_teach(space: Path, some: Path) -> None:
    teacher = Teacher(codomain.open(space), earlier_labels(label_space(space, labels=some).space))
    rows = teacher.given.rows[teacher.taught]
    place = {vector.tobytes(): row for row, vector in enumerate(np.asarray(teacher.space.vectors))}
    for known in (rows, rows[~teacher.back]):
        others = {place[vector.tobytes()] for vector in teacher._others(known)}
        assert others == set(range(500)) - set(known.tolist())  # of so few rows, all
    assert teacher.back.any() and teacher.fit().chosen_ in ("spread labels", "spread blend")


def test_a_class_that_nobody_labelled_is_found(tmp_path: Path) -> None:
    X_path = tmp_path / "x.npy"
    np.save(X_path, X)
    opened = study(X_path, space=tmp_path / "x.space").space
    rows = np.random.default_rng(0).permutation(np.flatnonzero(Y != "2"))[:80]
    csv.write_csv(pa.table({"id": rows, "y": Y[rows]}), tmp_path / "y.csv")
    done = label_space(opened.path, labels=tmp_path / "y.csv")
    found = done.record["new"]
    assert found
    assert all(Y[row] == "2" for one in found for row in one["rows"])
    assert "New class?" in " ".join(done.record["says"])


def test_a_head_labels_another_space_of_the_same_encoder_only(
    space: Path, some: Path, tmp_path: Path, run: Run
) -> None:
    other = write(tmp_path / "other.space", slice(500, 700)).path
    assert "has not been labelled" in run("label", space, "--apply", other).stderr
    label_space(space, labels=some)
    answer = run("label", other, "--head", space, "--json")
    assert answer.returncode == 0, answer.stderr
    part = codomain.open(other).parts.labels
    classes = np.array([one["name"] for one in json.loads(answer.stdout)["classes"]])
    assert (classes[part.predicted] == NAMES[Y[500:700].astype(int)]).mean() > 0.85
    assert (part.probabilities == load_head(codomain.open(space).parts.labels).predict_proba(X[500:700])).all()
    assert "come from" in run("label", other, "--apply", space).stderr
    stranger = write(tmp_path / "s.space", slice(0, 50), EncoderIdentity(name="ink", sha256="cd" * 32, dim=64)).path
    with pytest.raises(EncoderMismatch, match="codomain migrate"):
        apply_head(space, stranger)


def typed(space: Path, lines: list[str], *options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codomain", "label", str(space), *map(str, options)],
        input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )  # fmt: skip


def asked(answer: str) -> list[str]:
    """The ids of the rows that were shown, in order."""
    return [line.split("]")[0][1:] for line in answer.splitlines() if line.startswith("[d")]


def ledger(space: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (space / "answers.jsonl").read_text().splitlines()]


def test_typed_labels_with_wrong_keys_undo_skip_and_a_new_class(space: Path) -> None:
    answer = typed(space, ["?", "n", "", "n", "ring", "n", "RING", "n", "stick", "s", "u", "u", "t", "q"], "--json")
    assert answer.returncode == 0, answer.stderr
    assert "'?' is no key here" in answer.stderr and "a class needs a name" in answer.stderr
    assert "taken back: skipped" in answer.stderr and "taken back: stick" in answer.stderr
    assert "\x1b" not in answer.stderr  # what the texts hold moves no cursor
    shown = asked(answer.stderr)
    assert shown[3] == shown[5] and shown[2] == shown[6]  # a row whose answer was taken back comes up again
    given = {one["name"]: one["given"] for one in json.loads(answer.stdout)["classes"]}
    assert given == {"ring": 2, "stick": 1}


def test_one_class_is_not_sealed_but_kept(space: Path) -> None:
    before = (space / "HEAD").read_bytes()
    answer = typed(space, ["r", "r", "q"], "--classes", "ring,stick")
    assert answer.returncode == 2
    assert "at least two classes" in answer.stderr
    assert (space / "HEAD").read_bytes() == before and len(ledger(space)) == 2
    again = typed(space, ["t"], "--classes", "ring,stick")  # and then the pipe ends
    assert again.returncode == 0, again.stderr
    assert "going on after 2 answers" in again.stderr
    assert not (space / "answers.jsonl").exists()
    assert len(codomain.open(space).parts.labels.predicted) == 500


def test_answers_outlive_a_study_and_a_gc(space: Path, run: Run) -> None:
    typed(space, ["r"], "--classes", "ring,stick")
    assert run("study", space).returncode == 0 and run("gc", space, "--yes").returncode == 0
    assert len(ledger(space)) == 1


def test_nothing_typed_is_no_label(space: Path) -> None:
    answer = typed(space, ["q"])
    assert answer.returncode == 2 and "There is no label" in answer.stderr and "Traceback" not in answer.stderr
    assert not (space / "answers.jsonl").exists()


def truth_of(answer: str) -> str:
    return Y[int(asked(answer)[-1][1:])]


class Terminal:
    """A person at a wide terminal."""

    def __init__(self, space: Path, *options: str) -> None:
        self.screen, self.ended = "", False
        child, self.file = pty.fork()
        if not child:
            os.environ.update(COLUMNS="200", NO_COLOR="1", TERM="dumb")
            os.execv(sys.executable, [sys.executable, "-m", "codomain", "label", str(space), *options])
        self.child = child

    def wait_for(self, words: str, seconds: float = 120) -> str:
        """Read until the words are on the screen; return what came since they were last waited for."""
        end, start = time.monotonic() + seconds, len(self.screen)
        while words not in self.screen[start:]:
            assert time.monotonic() < end, f"no {words!r} in: {self.screen[start:]}"
            if select.select([self.file], [], [], 1)[0]:
                self.screen += os.read(self.file, 65536).decode().replace("\r\n", "\n")
        return self.screen[start:]

    def type(self, keys: str) -> None:
        os.write(self.file, keys.encode())

    def end(self, seconds: float = 120) -> int:
        """Read to the end; return how it ended."""
        end = time.monotonic() + seconds
        while True:
            assert time.monotonic() < end, f"it goes on after: {self.screen[-400:]}"
            if not select.select([self.file], [], [], 1)[0]:
                continue
            try:
                if not (data := os.read(self.file, 65536)):
                    break
            except OSError:  # what Linux says at the end of a terminal
                break
            self.screen += data.decode().replace("\r\n", "\n")
        os.close(self.file)
        self.ended = True
        return os.waitpid(self.child, 0)[1]


@pytest.fixture
def sit_down() -> Iterator[Callable[..., Terminal]]:
    """Seat a person at a terminal; what still runs at the end of the test is ended."""
    people: list[Terminal] = []

    def call(space: Path, *options: str) -> Terminal:
        people.append(Terminal(space, *options))
        return people[-1]

    yield call
    for person in people:
        if not person.ended:
            os.kill(person.child, signal.SIGKILL)
            person.end()


def test_at_a_terminal_a_key_is_enough_and_an_arrow_is_no_answer(
    space: Path, sit_down: Callable[..., Terminal]
) -> None:
    person = sit_down(space, "--classes", "0,1,2,3")
    for number in range(5):
        shown = person.wait_for("[q] stop and keep")
        if number == 0:
            person.type("\x1b[A")
            person.type("x")
            person.wait_for("'x' is no key here")
        person.type(truth_of(shown if number else person.screen))
        person.wait_for(f"= {truth_of(person.screen)}")
    person.wait_for("[q] stop and keep")
    person.type("nhalf b\x7fa digit\n")
    person.wait_for("= half a digit")
    person.type("\x04")
    assert os.waitstatus_to_exitcode(person.end()) == 0, person.screen
    given = parquet.read_table(codomain.open(space).parts.labels.given)
    labels = given["label"].to_pylist()
    assert len(labels) == 6 and labels.count("half a digit") == 1
    assert all(label in ("half a digit", Y[row]) for row, label in zip(given["row"].to_pylist(), labels, strict=True))


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_session_that_is_killed_goes_on_with_every_answer(
    space: Path, blow: signal.Signals, sit_down: Callable[..., Terminal]
) -> None:
    person = sit_down(space, "--classes", "ring,stick")
    for key in "rtr":
        person.wait_for("[q] stop and keep")
        person.type(key)
        person.wait_for("= ")
    person.wait_for("[q] stop and keep")
    next_row = asked(person.screen)[-1]
    os.kill(person.child, blow)
    ended = os.waitstatus_to_exitcode(person.end())
    assert ended == (-signal.SIGKILL if blow == signal.SIGKILL else 130), person.screen
    assert "Traceback" not in person.screen
    assert [one["label"] for one in ledger(space)] == ["ring", "stick", "ring"]
    again = typed(space, ["q"], "--json")
    assert again.returncode == 0, again.stderr
    assert "going on after 3 answers" in again.stderr and asked(again.stderr)[0] == next_row
    assert {one["name"]: one["given"] for one in json.loads(again.stdout)["classes"]} == {"ring": 2, "stick": 1}


def test_questions_end_when_more_labels_would_not_help(tmp_path: Path, run: Run) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 120)
    vectors = np.eye(2, 16)[y] * 5 + rng.normal(size=(120, 16))
    rows = {"id": [f"d{row}" for row in range(120)], "text": [f"row {row}" for row in range(120)]}
    given, roles = EncoderIdentity.given(16), Roles(text="text", id="id")
    path = codomain.write(tmp_path / "two.space", rows, vectors, encoder=given, roles=roles).path
    child = subprocess.Popen(
        [sys.executable, "-m", "codomain", "label", str(path), "--classes", "a,b", "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin and child.stderr and child.stdout
    answers, screen = 0, ""
    for line in child.stderr:
        screen += line
        if line.startswith("[d"):
            child.stdin.write("ab"[y[int(asked(line)[0][1:])]] + "\n")
            child.stdin.flush()
            answers += 1
    record = json.loads(child.stdout.read())
    child.stdin.close(), child.stdout.close(), child.stderr.close()
    assert child.wait() == 0, screen
    assert "more labels will not help" in screen and answers < 60
    assert sum(one["given"] for one in record["classes"]) == answers
    assert record["blind"]["asked"] > 0 and record["accuracy"] > 0.9
