"""A new method begins whole: it imports, it is clean, and it does not pretend to work."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from codomain.core import UserError
from codomain.core.catalogue import PACKAGE
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
    places = ["src/codomain/align", "src/codomain/fuse", "tests"]
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, *places], cwd=checkout, capture_output=True, text=True
    )


def test_a_new_method_is_written_whole(checkout):
    for room in ("align", "fuse"):  # a room that is there, and one that is not
        written = scaffold(room, f"{room}-new-thing", **PAPER, root=checkout)
        assert [path.relative_to(checkout).as_posix() for path in written] == [
            "src/codomain/papers.toml",
            f"src/codomain/{room}/{room}_new_thing.py",
            f"src/codomain/{room}/__init__.py",
            f"tests/{room}/test_{room}_new_thing.py",
            f"news/{room}-new-thing.added.md",
        ]
    papers = tomllib.loads((checkout / "src/codomain/papers.toml").read_text(encoding="utf-8"))
    assert papers["fuse-new-thing"] == {**PAPER, "theirs": ""}
    assert list(papers) == sorted(papers)
    assert "relative-representations" in papers
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


def test_a_new_claim_cannot_be_recorded(checkout):
    scaffold("align", "new-thing", **PAPER, root=checkout)
    run = "from codomain.core import claims; from codomain.align import NewThing; claims.run(NewThing.claim)"
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
        ("import", "thing", {}, "Python name"),
        ("align", "new-thing", {"arxiv": "arXiv:2401.00001v2"}, "arXiv identifier"),
    ],
)
def test_names_that_cannot_be_used_are_refused_before_anything_is_written(checkout, room, slug, changes, words):
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=words):
        scaffold(room, slug, **{**PAPER, **changes}, root=checkout)
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(UserError, match="not a checkout"):
        scaffold("align", "new-thing", **PAPER, root=tmp_path)
