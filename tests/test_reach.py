"""What a change runs: the tests that it can reach, and everything where that cannot be told."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import reach
from codomain.core.catalogue import PACKAGE, named
from codomain.core.fingerprint import closure

TESTS = sorted(reach.TESTS.rglob("test_*.py"))
WALKING = {
    path.name
    for path in TESTS
    if path.name.startswith("test_every_") and path.name not in ("test_every_command.py", "test_every_guide.py")
}


def running(*files):
    """Files of tests that run when these change, by their place below tests/."""
    return {path.relative_to(reach.TESTS).as_posix() for path in TESTS if reach.reaches(path, set(files))}


def case(test, **parameters):
    return SimpleNamespace(path=reach.TESTS / test, callspec=SimpleNamespace(params=parameters))


def test_a_change_in_a_method_runs_its_room_and_what_walks_the_package():
    places = running(PACKAGE / "classify/fudd.py")
    outside = {place for place in places if not place.startswith("classify/")}
    assert {
        path.relative_to(reach.TESTS).as_posix() for path in (reach.TESTS / "classify").rglob("test_*.py")
    } <= places
    assert WALKING | {"test_wheel.py", "core/test_catalogue.py", "test_reach.py"} <= outside
    assert not {place for place in outside if place.startswith(("cli/", "workbench/", "search/", "drills/"))}


def test_a_change_in_a_method_that_others_use_runs_theirs():
    places = running(PACKAGE / "align/procrustes.py")
    assert {"align/bridge/test_bridges.py", "workbench/migrate/test_migrate.py", "cli/test_commands.py"} <= places
    assert not {place for place in places if place.startswith(("classify/", "extend/"))}


@pytest.mark.parametrize("slug", ["procrustes", "fudd", "muvera", "pc-lossless", "lasso-a-mtrl"])
def test_a_test_reaches_all_that_the_verdict_of_its_claim_depends_on(slug):
    entry = named(slug)[0]
    test = reach.TESTS / entry.room / f"test_{slug.replace('-', '_')}.py"
    assert set(closure(entry.module)) <= reach.reach(test)


@pytest.mark.parametrize(
    "place",
    [
        "src/codomain/core/rules.py", "src/codomain/space/space.py", "src/codomain/workbench/run.py", "pyproject.toml",
        "src/codomain/cli/study.py", "constraints.txt", "Makefile", ".ci/run", "tests/conftest.py", "tests/rerun.py",
        "LICENSE", "src/codomain/__init__.pyi", "benchmarks/search.py", "src/codomain/align/that_is_gone.py", "new.cfg",
    ],
)  # fmt: skip
def test_a_change_of_what_all_stand_on_or_of_what_nobody_knows_runs_everything(place):
    assert reach.runs_everything({reach.ROOT / place, reach.ROOT / "README.md"})


def test_pages_news_and_files_of_rooms_and_tests_are_chosen_by():
    files = ("README.md", "docs/words.md", "news/README.md", "src/codomain/align/bt2.py", "tests/align/test_bt2.py")
    assert not reach.runs_everything({reach.ROOT / place for place in files})


def test_a_page_runs_the_tests_that_read_pages():
    places = running(reach.ROOT / "docs/guide/label.md")
    assert {"test_every_page.py", "test_every_guide.py"} <= places
    assert not places & {"test_readme.py", "test_every_method.py", "test_wheel.py", "workbench/label/test_label.py"}
    assert running(reach.ROOT / "README.md") >= {"test_readme.py"}
    assert "test_every_name.py" in running(reach.ROOT / "docs/words.md")
    assert running(reach.ROOT / "news/README.md") == {"test_reach.py"}


def test_a_test_and_what_helps_it_run_those_that_use_them():
    assert running(reach.TESTS / "align/test_bt2.py") == {"align/test_bt2.py", "test_reach.py"}
    assert {"drills/test_drills.py", "test_reach.py"} == running(reach.TESTS / "drills/type_trips.py")
    assert {"workbench/report/test_report_page.py", "search/engine/test_keywords.py"} < running(
        reach.TESTS / "questions.json"
    )


def test_of_a_test_that_walks_only_the_cases_about_what_changed_run():
    fudd, bt2 = named("fudd")[0], named("bt2")[0]
    files = {PACKAGE / "classify/fudd.py"}
    for parameters in ({"cls": fudd.method}, {"entry": fudd}, {"estimator": fudd.method()}, {"module": fudd.module}):
        assert reach.concerns(case("test_every_method.py", **parameters), files)
    for parameters in ({"cls": bt2.method}, {"entry": bt2}, {"estimator": bt2.method()}, {"module": bt2.module}):
        assert not reach.concerns(case("test_every_method.py", **parameters), files)
        assert reach.concerns(case("test_every_method.py", **parameters), {reach.TESTS / "test_every_method.py"})
    assert reach.concerns(case("test_every_import.py", room="align"), files), "this names no file"
    guide = case("test_every_page.py", page=reach.ROOT / "docs/guide/align.md")
    assert reach.concerns(guide, {PACKAGE / "align/procrustes.py"}) and not reach.concerns(guide, files)


def test_what_is_no_code_stands_for_the_code_that_reads_it(monkeypatch):
    assert PACKAGE / "classify/fudd.py" in reach.origins({PACKAGE / "classify/records/fudd.toml"}, "HEAD")
    assert PACKAGE / "data/stdlib.py" in reach.origins({PACKAGE / "data/snapshots/docstrings.parquet"}, "HEAD")
    stub = PACKAGE / "classify/__init__.pyi"
    monkeypatch.setattr(reach, "only_adds", lambda path, rev: True)
    assert reach.origins({stub}, "HEAD") == {stub}, "a new name changes nothing for others"
    monkeypatch.setattr(reach, "only_adds", lambda path, rev: False)
    assert PACKAGE / "classify/__init__.py" in reach.origins({stub}, "HEAD")


def test_changes_are_those_since_a_commit_in_the_index_the_tree_and_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(reach, "ROOT", tmp_path)

    def git(*words):
        user = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *user, *words], cwd=tmp_path, check=True, capture_output=True)

    def write(name, text):
        (tmp_path / name).write_text(text)

    git("init", "-q")
    for name in ("kept", "edited", "moved", "gone", "stub.pyi"):
        write(name, f"from .one import {name.split('.')[0]}\n")
    git("add", ".")
    git("commit", "-qm", "one")
    git("mv", "moved", "new place")
    write("edited", "other")
    write("beside", "untracked")
    write("stub.pyi", "from .one import stub\nfrom .two import more\n")
    (tmp_path / "gone").unlink()
    names = {path.name for path in reach.changes("HEAD")}
    assert names == {"edited", "moved", "new place", "beside", "stub.pyi", "gone"}
    assert reach.only_adds(tmp_path / "stub.pyi", "HEAD")
    write("stub.pyi", "from .two import more\n")
    assert not reach.only_adds(tmp_path / "stub.pyi", "HEAD")
    with pytest.raises(pytest.UsageError, match="--since no-such-commit"):
        reach.changes("no-such-commit")


def test_a_test_that_imports_what_nothing_names_fails(monkeypatch):
    module = "codomain.measure." + "dual_space"
    monkeypatch.delitem(sys.modules, module, raising=False)
    running = reach.pytest_runtest_call(SimpleNamespace(path=reach.TESTS / "test_time_limit.py"))
    next(running)
    __import__(module)
    with pytest.raises(AssertionError, match=r"does not see that test_time_limit\.py reaches .*dual_space"):
        running.send(None)
