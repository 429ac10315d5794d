"""An answer takes the form that is liked best."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.serve.negotiation import FORMS, NoFormError, choose

OFFERS = ["json", "html", "md"]


@pytest.mark.parametrize(("accept", "form"), [
    (None, "json"), ("", "json"), ("*/*", "json"), ("text/html", "html"), ("text/markdown, */*;q=0.1", "md"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
    ("application/json;q=0.2, text/*;q=0.5", "html"), ("text/html;q=0, text/*", "md"), ("TEXT/HTML", "html"),
    ("text/html;q=0.3;level=1, text/markdown;q=0.4", "md"), ("application/json;q=0, */*", "html"),
])  # fmt: skip
def test_the_header_chooses(accept, form):
    assert choose(accept, None, OFFERS) == form


def test_the_address_counts_more_than_the_header():
    assert choose("text/html", "md", OFFERS) == "md"
    with pytest.raises(NoFormError, match="pdf"):
        choose("text/html", "pdf", OFFERS)


def test_what_none_fits_is_refused():
    for accept in ("image/png", "text/html;q=0", "*/*;q=0", "nonsense"):
        with pytest.raises(NoFormError):
            choose(accept, None, OFFERS)


NAMES = [FORMS[form] for form in OFFERS]


@given(st.permutations(NAMES), st.lists(st.integers(1, 1000), min_size=3, max_size=3, unique=True))
def test_the_highest_q_wins_in_whatever_order_the_types_are_named(names, weights):
    accept = ", ".join(f"{name};q={weight / 1000:.3f}" for name, weight in zip(names, weights, strict=True))
    best = names[max(range(3), key=weights.__getitem__)]
    assert FORMS[choose(accept, None, OFFERS)] == best


@given(st.text())
def test_no_header_does_more_than_choose_or_be_refused(accept):
    try:
        assert choose(accept, None, OFFERS) in OFFERS
    except NoFormError:
        pass
