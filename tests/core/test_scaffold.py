"""A new method begins whole: it imports, it is clean, and it does not pretend to work."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codomain.core import UserError, records
from codomain.core.catalogue import NOT_ROOMS, PACKAGE, rooms
from codomain.core.scaffold import scaffold

ROOT = Path(__file__).parents[2]
PAPER = {"title": 'On the "shape" of spaces. And more', "year": 2024, "arxiv": "2401.00001", "authors": "Doe et al."}


@pytest.fixture
def checkout(tmp_path):
    """A copy of the package without its large files."""
    small = shutil.ignore_patterns("__pycache__", "*.onnx", "tokenizer*", "*.npy")
    shutil.copytree(PACKAGE, tmp_path / "src" / "codomain", ignore=small)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def python(checkout, code):
    """Run code against the copy."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    return subprocess.run([sys.executable, "-c", code], cwd=checkout, env=environment, capture_output=True, text=True)


def ruff(checkout, *arguments):
    """Run ruff on everything that was generated."""
    places = [place for place in ("src/codomain/align", "src/codomain/fuse", "tests") if (checkout / place).exists()]
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, *places], cwd=checkout, capture_output=True, text=True
    )


def mypy(checkout, *files):
    """Run mypy on these files alone: the stubs of numpy would take half a minute."""
    options = ["--follow-imports=skip", "--allow-untyped-decorators", "--cache-dir", str(checkout / "cache")]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        cwd=checkout, env={**os.environ, "MYPYPATH": "src"}, capture_output=True, text=True,
    )  # fmt: skip


def test_a_new_method_is_written_whole(checkout):
    for room, new in (("align", []), ("fuse", ["src/codomain/fuse/__init__.py"])):  # one that is there, one that is not
        written = scaffold(room, f"{room}-new-thing", **PAPER, root=checkout)
        assert [path.relative_to(checkout).as_posix() for path in written] == [
            f"src/codomain/{room}/records/{room}-new-thing.toml",
            f"src/codomain/{room}/{room}_new_thing.py",
            *new,
            f"src/codomain/{room}/__init__.pyi",
            f"tests/{room}/test_{room}_new_thing.py",
            f"news/{room}-new-thing.added.md",
        ]
    record = records.read(checkout / "src/codomain/fuse/records/fuse-new-thing.toml")
    assert record == {"object": "FuseNewThing", **PAPER, "theirs": ""}
    exports = (checkout / "src/codomain/align/__init__.pyi").read_text(encoding="utf-8").splitlines()
    assert exports[1] == "from .align_new_thing import AlignNewThing as AlignNewThing"
    assert set(exports) > set((PACKAGE / "align/__init__.pyi").read_text(encoding="utf-8").splitlines())
    assert ruff(checkout, "check").returncode == 0, ruff(checkout, "check").stdout
    assert ruff(checkout, "format", "--check").returncode == 0, ruff(checkout, "format", "--diff").stdout
    done = python(
        checkout,
        "from codomain.align import AlignNewThing, Procrustes, RelativeRepresentation\n"
        "from codomain.fuse import FuseNewThing\n"
        "import codomain.core.catalogue as c; print([(e.object, e.verdict) for e in c.named('fuse')])\n"
        "assert FuseNewThing.__module__.startswith('codomain.fuse') and str(c.PACKAGE).startswith('"
        + str(checkout)
        + "')",
    )
    assert done.returncode == 0, done.stderr
    assert "('FuseNewThing', 'not run')" in done.stdout


def test_a_new_method_and_a_new_room_are_typed(checkout):
    scaffold("fuse", "new-thing", **PAPER, root=checkout)
    use = "from codomain.fuse import NewThing\n\nNewThing({}).fit([[0.0]])\n"
    for arguments, code in (("random_state=0", 0), ("colour=0", 1)):
        (checkout / "use.py").write_text(use.format(arguments), encoding="utf-8")
        done = mypy(checkout, "src/codomain/fuse/new_thing.py", "src/codomain/fuse/__init__.pyi", "use.py")
        assert done.returncode == code, done.stdout


def git(checkout, *arguments):
    """Run git as somebody with no settings."""
    who = {f"GIT_{role}_{what}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    none = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        ["git", *arguments], cwd=checkout, env={**os.environ, **who, **none}, capture_output=True, text=True
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git, which is not installed here")
@pytest.mark.parametrize("room", ["align", "fuse"], ids=["a room that is there", "a new room"])
def test_two_people_who_each_add_a_method_to_a_room_do_not_conflict(checkout, room):
    shutil.copy(ROOT / ".gitattributes", checkout)
    words = checkout / "docs/words.md"
    words.parent.mkdir()
    shutil.copy(ROOT / "docs/words.md", words)
    git(checkout, "init", "--quiet", "--initial-branch=main")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message=begin")
    for slug in ("new-b", "new-a"):  # neighbours in every list, the later one merged first
        git(checkout, "checkout", "--quiet", "-b", slug, "main")
        scaffold(room, slug, **PAPER, root=checkout)
        row = f"| `{slug}` | a parameter |"
        words.write_text(words.read_text(encoding="utf-8").replace("|---|---|", f"|---|---|\n{row}"), encoding="utf-8")
        git(checkout, "add", "--all")
        git(checkout, "commit", "--quiet", f"--message={slug}")
    git(checkout, "checkout", "--quiet", "new-b")
    merged = git(checkout, "merge", "--no-edit", "new-a")
    assert merged.returncode == 0, merged.stdout + merged.stderr
    assert git(checkout, "status", "--porcelain").stdout == ""
    table = words.read_text(encoding="utf-8")
    assert "| `new-a` |" in table and "| `new-b` |" in table
    assert ruff(checkout, "check").returncode == 0, ruff(checkout, "check").stdout
    assert ruff(checkout, "format", "--check").returncode == 0, ruff(checkout, "format", "--diff").stdout
    code = f"from codomain.{room} import NewA, NewB; from codomain.core.catalogue import named; print(named('{room}'))"
    done = python(checkout, code)
    assert done.returncode == 0, done.stderr
    assert "new-a.toml" in done.stdout and "new-b.toml" in done.stdout


def test_a_new_claim_cannot_be_recorded(checkout):
    scaffold("align", "new-thing", **PAPER, root=checkout)
    run = "from codomain.core import claim_run; from codomain.align import NewThing; claim_run.run(NewThing.claim)"
    done = python(checkout, run)
    assert done.returncode != 0
    assert "UserError" in done.stderr
    assert "The claim of new-thing is not written yet" in done.stderr


def test_a_new_method_does_not_pretend_to_fit(checkout):
    scaffold("align", "new-thing", **PAPER, root=checkout)
    done = python(checkout, "from codomain.align import NewThing; NewThing().fit([[1.0], [2.0]])")
    assert "NotImplementedError: NewThing is not written yet" in done.stderr


@pytest.mark.parametrize(
    ("room", "slug", "changes", "words"),
    [
        ("align", "procrustes", {}, "there already"),
        ("align", "Not-A-Slug", {}, "Python name"),
        ("align", "not_a_slug", {}, "joined by '-'"),
        ("align", "bridge", {}, "there already"),  # a folder of the room
        ("align", "ridge", {}, "there already"),  # a name that the room exports
        ("fuse", "records", {}, "there already"),  # where the records are
        ("fuse", "procrustes", {}, "there already"),  # a paper of another room
        ("import", "thing", {}, "Python name"),
        ("align", "new-thing", {"arxiv": "arXiv:2401.00001v2"}, "arXiv identifier"),
    ],
)
def test_names_that_cannot_be_used_are_refused_before_anything_is_written(checkout, room, slug, changes, words):
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=words):
        scaffold(room, slug, **{**PAPER, **changes}, root=checkout)
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("room", sorted({*NOT_ROOMS, "study", "open", "papers"}))
def test_what_is_another_part_of_the_package_is_refused_as_a_room(checkout, room):
    (checkout / "src/codomain/papers.py").touch()
    with pytest.raises(UserError, match="not a room") as refusal:
        scaffold(room, "new-thing", **PAPER, root=checkout)
    assert all(name in str(refusal.value) for name in rooms())
    assert not list((checkout / "src").rglob("new*thing*"))


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(UserError, match="not a checkout"):
        scaffold("align", "new-thing", **PAPER, root=tmp_path)
