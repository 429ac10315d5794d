"""Guides can be read: short paragraphs, links that lead somewhere, and an index from which every page is reached."""

import re
from pathlib import Path

import pytest

from codomain.core.catalogue import PACKAGE

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs/guide").glob("*.md"))
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md"]
WORDS = 120


def name(path):
    return path.relative_to(ROOT).as_posix()


def prose(text):
    """Text without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def paragraphs(text):
    """Paragraphs, items of lists and rows of tables, each by itself."""
    parts = re.split(r"\n\s*\n|\n(?= *(?:[-*] |\d+\. |\||#))", prose(text))
    return [part for part in parts if part.strip()]


def links(text):
    """Targets of the links that stay in the project, as (path, heading)."""
    found = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", prose(text))
    return [(path, heading) for path, heading in found]


def headings(path):
    """Headings of a page as a link names them."""
    lines = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line).lower().replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_no_paragraph_of_a_guide_is_long(page):
    long = [part for part in paragraphs(page.read_text(encoding="utf-8")) if len(part.split()) > WORDS]
    assert not long, "how a number was found goes to docs/evidence"


def test_a_long_paragraph_is_seen_wherever_it_stands():
    words = "word " * (WORDS + 1)
    for text in (words, f"- short\n- {words}\n- short", f"| a |\n| {words} |", f"# Title\n{words}"):
        assert max(len(part.split()) for part in paragraphs(text)) > WORDS
    for text in (f"{words[:300]}\n\n{words[:300]}", f"- {words[:300]}\n- {words[:300]}", f"```python\n{words}\n```"):
        assert all(len(part.split()) <= WORDS for part in paragraphs(text))


def test_every_relative_link_leads_to_a_file_and_a_heading():
    broken = []
    for page in PAGES:
        for path, heading in links(page.read_text(encoding="utf-8")):
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (heading and heading not in headings(target)):
                broken.append(f"{name(page)}: {path}#{heading}")
    assert broken == []


def test_the_index_leads_to_every_guide_and_every_page_of_evidence_is_named_by_a_guide():
    index = links((ROOT / "docs/guide/index.md").read_text(encoding="utf-8"))
    assert {path for path, _ in index} >= {page.name for page in GUIDES} - {"index.md"}
    from_guides = {path for page in GUIDES for path, _ in links(page.read_text(encoding="utf-8"))}
    evidence = {f"../evidence/{page.name}" for page in (ROOT / "docs/evidence").glob("*.md")}
    assert evidence <= from_guides


def test_the_map_of_the_source_names_files_and_folders_that_are_there_and_every_room():
    text = (ROOT / "docs/guide/code.md").read_text(encoding="utf-8")
    named = {path for path in re.findall(r"`([\w./]+/[\w.]+)`", text) if not re.search("SLUG|ROOM|build/", path)}
    assert len(named) > 15
    assert not [path for path in named if not (ROOT / path).exists() and not (PACKAGE / path).exists()]
    tree = re.search(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert tree
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(re.findall(r"\w+", tree[1]))
