"""The README is also the page of a package index, where a relative link leads nowhere."""

import re
import tomllib
from pathlib import Path

import pytest
from pyarrow import parquet

from codomain.workbench import study
from pages import run_blocks

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINKS = dict(re.findall(r"^\[(.+)\]: (\S+)$", PAGE, re.MULTILINE))


def test_every_link_is_absolute_and_used():
    assert not re.findall(r"\]\((?!https://)", PAGE), "a link that works in a checkout only"
    for name, address in LINKS.items():
        assert address.startswith("https://"), name
        assert len(re.findall(rf"\[{re.escape(name)}\](?!:)", PAGE)) >= 1, name


def test_every_link_into_the_project_leads_to_a_file_that_is_here():
    host = r"https://(?:github\.com|raw\.githubusercontent\.com)"
    branch = re.compile(host + r"/codomain/codomain/(?:(?:blob|tree)/)?main/(.+)")
    addresses = (*LINKS.values(), *PROJECT["urls"].values())
    inside = [found[1] for address in addresses if (found := branch.fullmatch(address))]
    assert len(inside) > 10
    for path in inside:
        assert (ROOT / path).exists(), path


def test_every_extra_that_it_names_exists():
    named = {extra for group in re.findall(r"codomain\[([\w,]+)\]", PAGE) for extra in group.split(",")}
    assert named and named <= set(PROJECT["optional-dependencies"])


@pytest.mark.slow
def test_its_python_runs_after_the_demo(docstrings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    parquet.write_table(docstrings, "demo/python-stdlib.parquet")
    study("demo/python-stdlib.parquet", text="text", label="package", id="id", space="demo/python-stdlib.space")
    assert run_blocks(ROOT / "README.md") > 0
