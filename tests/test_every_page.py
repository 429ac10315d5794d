"""What the docs and the docstrings show runs as written, and every method has a page."""

import doctest
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from codomain.core.catalogue import PACKAGE, methods
from codomain.core.claims import Claim
from codomain.core.pages import number, page, write_pages
from pages import run_blocks

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)
PAGES = sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("module", MODULES)
def test_docstrings_run_as_written(module):
    result = doctest.testmod(import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.long(12)
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_python_in_pages_runs_as_written(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_blocks(page)


def test_every_method_has_a_page_that_the_index_leads_to(tmp_path):
    write_pages(tmp_path / "methods")
    written = {path.name for path in (tmp_path / "methods").iterdir()}
    links = re.findall(
        r"^\| \[\w+\]\((.*?)\)", (tmp_path / "methods/index.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(links) == sorted(written - {"index.md"}) == sorted(f"{entry.slug}.md" for entry in methods())


@pytest.mark.parametrize("entry", methods(), ids=lambda entry: entry.slug)
def test_a_page_says_what_the_method_and_its_claim_say(entry):
    text = page(entry)
    assert inspect.getdoc(entry.method) in text
    assert f"from codomain.{entry.room} import {entry.object}" in text
    for check, why in getattr(entry.method, "excused", {}).items():
        assert f"Excused from scikit-learn's `{check}`: {why}." in text
    if isinstance(entry.claim, Claim):
        assert {entry.claim.says, f"- floor: {entry.claim.floor}", f"- peer: {entry.claim.peer}"} <= set(
            text.splitlines()
        )
        scores = [getattr(entry.record, who) for who in ("premise", "ours", "floor", "peer", "chance")]
        rows = re.findall(r"^\| (\d) \| (.*) \|$", text, re.MULTILINE)
        assert [row[1].split(" | ") for row in rows] == [[number(x) for x in row] for row in zip(*scores, strict=True)]
