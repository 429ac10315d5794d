"""What the docs and the docstrings show runs as written, and generated pages are current."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest
from pyarrow import parquet

from codomain.core.catalogue import PACKAGE, to_markdown

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def run_blocks(page):
    """Run a page's blocks of Python one after another, as a reader would."""
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict = {"__name__": "__page__"}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    return len(blocks)


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


@pytest.mark.slow
def test_python_in_the_readme_runs_after_the_demo(docstrings, tmp_path, monkeypatch):
    from codomain.workbench import study

    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    parquet.write_table(docstrings, "demo/python-stdlib.parquet")
    study("demo/python-stdlib.parquet", text="text", label="package", id="id", space="demo/python-stdlib.space")
    assert run_blocks(ROOT / "README.md") > 0


def test_the_page_of_methods_is_current():
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert page == to_markdown(), "codomain methods --markdown > docs/methods.md"
