"""Which row is asked about next, and how that is remembered."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from codomain.core import UserError, unit_rows
from codomain.workbench.label.choose import COVER, FAIR, Asker, middles
from codomain.workbench.label.held_out import hold_out
from codomain.workbench.label.keyboard import COMMANDS, key_of
from codomain.workbench.label.ledger import Ledger
from codomain.workbench.label.novel import new_groups


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return unit_rows(X[:600].astype(np.float32)), y[:600].astype(str)


def answered(asker, y, count):
    """Answer `count` questions truthfully; return the questions and the labels."""
    given, asked = {}, []
    for _ in range(count):
        question = asker.ask(given)
        asked.append(question)
        given[question.row] = y[question.row]
    return asked, given


def test_the_first_questions_go_to_the_middle_of_each_group():
    X = np.array([[1, 0], [1, 0.1], [1, -0.1], [0, 1], [0.1, 1], [-1, 0]], np.float32)
    groups = np.array([0, 0, 0, 1, 1, -1])
    assert middles(unit_rows(X), groups).tolist()[0] == 0  # the largest group first, and its middle
    assert middles(unit_rows(X), groups).tolist()[1] in (3, 4)
    assert len(middles(unit_rows(X), groups)) == 2


def test_every_class_is_met_sooner_than_by_chance(digits):
    X, y = digits
    _, given = answered(Asker(X), y, 20)
    by_chance = [len(set(y[np.random.default_rng(seed).permutation(len(y))[:20]])) for seed in range(20)]
    assert len(set(given.values())) > np.mean(by_chance)


def test_no_row_is_asked_twice_and_passed_rows_never(digits):
    X, y = digits
    asker = Asker(X[:60])
    given, passed = {}, []
    while (question := asker.ask(given, passed)) is not None:
        assert question.row not in given and question.row not in passed
        if len(passed) < 10:
            passed.append(question.row)
        else:
            given[question.row] = y[question.row]
    assert sorted([*given, *passed]) == list(range(60))


def test_the_next_question_depends_on_the_answers_alone(digits):
    X, y = digits
    _, given = answered(Asker(X), y, 27)
    fresh = Asker(X).ask(given)
    assert fresh == Asker(X).ask(given)
    assert fresh.row == answered(Asker(X), y, 28)[0][-1].row


def test_after_the_cover_one_question_in_four_is_a_fair_draw(digits):
    X, y = digits
    asked, _ = answered(Asker(X), y, 60)
    fair = [place for place, question in enumerate(asked) if question.fair]
    cover = min(COVER, len(Asker(X).cover))
    assert min(fair) >= cover
    assert len(fair) == sum(place % FAIR == FAIR - 1 for place in range(cover, 60))


def test_what_the_head_cannot_tell_apart_is_asked_before_what_it_can():
    rng = np.random.default_rng(0)
    left, right = rng.normal([1, 0, 0], 0.02, (30, 3)), rng.normal([0, 1, 0], 0.02, (30, 3))
    between = rng.normal([0.7, 0.7, 0], 0.02, (30, 3))
    X = unit_rows(np.concatenate([left, right, between]).astype(np.float32))
    groups = np.full(90, -1)
    question = Asker(X, groups=groups).ask({0: "left", 30: "right"})
    assert question.row >= 60
    assert question.guess in ("left", "right") and 0.5 <= question.sure < 0.9


def test_the_nearest_labelled_row_is_the_one_of_the_largest_cosine(digits):
    X, y = digits
    _, given = answered(Asker(X), y, 30)
    question = Asker(X).ask(given)
    rows = list(given)
    assert question.nearest == max(rows, key=lambda row: float(X[row] @ X[question.row]))


def test_held_out_finds_flipped_labels_and_few_others(digits):
    X, y = digits
    wrong = np.random.default_rng(0).permutation(len(y))[:30]
    labels = y.copy()
    labels[wrong] = ((y[wrong].astype(int) + 1) % 10).astype(str)
    found = hold_out(X, labels)
    assert found is not None
    assert np.allclose(found.probabilities.sum(axis=1), 1)
    flagged = found.doubtful(labels)
    assert len(np.intersect1d(flagged, wrong)) >= 20
    assert len(np.setdiff1d(flagged, wrong)) <= 6
    assert (found.likeliest_other(labels)[wrong] == y[wrong]).mean() > 0.8


def test_held_out_needs_two_classes_of_two_rows():
    X = np.eye(4, dtype=np.float32)
    assert hold_out(X, np.array(["a", "a", "b", "c"])) is None


def test_a_group_without_labels_is_new_and_a_labelled_one_is_not(digits):
    X, y = digits
    groups = y.astype(int)
    fair = np.flatnonzero(y != "7")[::3]
    rejected = (y == "7") | (np.arange(len(y)) % 20 == 0)
    found = new_groups(X, groups, fair, rejected)
    assert [one.group for one in found] == [7]
    assert found[0].labelled == 0 and found[0].size == (y == "7").sum()
    assert all(y[row] == "7" for row in found[0].rows) and len(found[0].rows) == 3
    assert not new_groups(X, groups, np.arange(0, len(y), 3), rejected)


def test_a_class_gets_a_key_that_is_easy_to_find():
    taken: list[str] = []
    for name, key in [("7", "7"), ("sport", "p"), ("food", "f"), ("fashion", "a"), ("Ünd", "d"), ("77", "1")]:
        assert key_of(name, taken) == key  # "s" is to skip, "f" is food
        taken.append(key)
    while key := key_of("more", taken):
        assert key not in taken and key not in COMMANDS
        taken.append(key)
    assert len(taken) == 10 + 52 - len(COMMANDS)


HASHES = np.array([f"{number:032d}" for number in range(9)], dtype="S32")


def test_answers_and_what_was_taken_back_are_read_again(tmp_path):
    with Ledger(tmp_path, HASHES) as ledger:
        ledger.add(3, "a", fair=True, guess="b")
        ledger.add(4, "b")
        ledger.add(5, None)
        assert ledger.undo().row == 5
        assert ledger.undo().row == 4
        ledger.add(6, "ü\nx")
    with Ledger(tmp_path, HASHES) as again:
        assert [(one.row, one.label, one.fair, one.guess) for one in again.answers] == [
            (3, "a", True, "b"),
            (6, "ü\nx", False, None),
        ]
        again.undo(), again.undo()
        assert again.undo() is None
    assert not list(tmp_path.iterdir())  # nothing said, nothing left


def test_a_line_cut_short_is_left_out_and_written_over(tmp_path):
    with Ledger(tmp_path, HASHES) as ledger:
        ledger.add(1, "a")
    with ledger.path.open("ab") as file:
        file.write(b'{"row": 2, "lab')
    with Ledger(tmp_path, HASHES) as again:
        assert [one.row for one in again.answers] == [1]
        again.add(2, "b")
    assert [json.loads(line)["row"] for line in ledger.path.read_text().splitlines()] == [1, 2]


def test_an_answer_about_content_that_has_changed_is_left_out(tmp_path):
    with Ledger(tmp_path, HASHES) as ledger:
        ledger.add(1, "a")
        ledger.add(2, "b")
        ledger.add(8, "c")
    with Ledger(tmp_path, np.concatenate([HASHES[:1], HASHES[5:6], HASHES[2:8]])) as again:
        assert [one.row for one in again.answers] == [2]
        assert again.lost == 2


def test_two_sessions_at_once_are_refused(tmp_path):
    with Ledger(tmp_path, HASHES), pytest.raises(UserError, match="Another session"):
        Ledger(tmp_path, HASHES)


def test_an_answer_survives_kill_9_the_moment_after(tmp_path):
    code = (
        "import numpy as np, os, sys, time; from pathlib import Path\n"
        "from codomain.workbench.label.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]), np.array([b'0' * 32] * 9))\n"
        "for row in range(5): ledger.add(row, 'x')\n"
        "print('written', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout and child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Ledger(tmp_path, np.array([b"0" * 32] * 9)) as ledger:
        assert [one.row for one in ledger.answers] == [0, 1, 2, 3, 4]
