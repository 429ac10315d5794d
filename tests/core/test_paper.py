"""Papers: read from the record of a slug, and cited."""

import pytest

from codomain.core import Paper, UserError


def test_a_paper_cites_itself():
    paper = Paper.get("relative-representations")
    assert paper.cite == "Moschella et al. (2022), arXiv:2209.15430."


def test_a_paper_that_is_not_on_arxiv_cites_its_title():
    assert Paper("x", "A title", 1966, "Someone").cite == "Someone (1966), A title."


def test_an_unknown_slug_is_refused_with_the_file_that_is_missing_and_the_command_that_makes_one():
    with pytest.raises(UserError, match=r"(?s)ROOM/records/no-such-paper\.toml.*codomain new ROOM no-such-paper"):
        Paper.get("no-such-paper")
