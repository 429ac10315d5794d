"""Records of papers: complete, and asked for by slug."""

import re
import tomllib

import pytest

from codomain.core import Paper, UserError
from codomain.core.paper import FILE


def test_a_paper_cites_itself():
    paper = Paper.get("relative-representations")
    assert paper.cite == "Moschella et al. (2022), arXiv:2209.15430."


def test_a_paper_that_is_not_on_arxiv_cites_its_title():
    assert Paper("x", "A title", 1966, "Someone").cite == "Someone (1966), A title."


def test_an_unknown_slug_is_refused_with_the_command_that_makes_one():
    with pytest.raises(UserError, match="codomain new ROOM no-such-paper"):
        Paper.get("no-such-paper")


@pytest.mark.parametrize("paper", Paper.every(), ids=lambda paper: paper.slug)
def test_every_record_is_whole(paper):
    assert paper.title
    assert paper.authors
    assert 1900 < paper.year < 2100
    assert re.fullmatch(r"|\d{4}\.\d{4,5}", paper.arxiv)
    if paper.arxiv:
        assert paper.arxiv[:2] == str(paper.year)[2:], "the identifier begins with the year"


def test_records_are_in_order():
    slugs = list(tomllib.loads(FILE.read_text(encoding="utf-8")))
    assert slugs == sorted(slugs)
