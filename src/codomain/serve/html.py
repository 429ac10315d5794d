"""Answers as HTML pages without scripts, in the report's style; their policy allows nothing but that style."""

import re
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment
from markupsafe import Markup, escape

from codomain.workbench.report.html import environment, page_file, policy_hash

_RULES = "default-src 'none'; {}img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
NO_PAGE = _RULES.format("")  # the policy of what is no page


def html(
    kind: str, value: dict[str, Any], *, base: str = "", root: str = "/", here: str = "", feeds: str = "",
    status: int = 200,
) -> tuple[str, str]:  # fmt: skip
    """Return a page, and the policy that goes with it.

    Parameters
    ----------
    kind : str
        Name of the template.
    value : dict
        The answer.
    base, root : str
        The ways to the space, "" where it is about none, and to the list of spaces.
    here, feeds : str
        Addresses to which a page, and a form, can be added; without `feeds` no other form is offered.
    status : int, default=200
        Of the response.

    Returns
    -------
    tuple of str
        The HTML, and the value of the header Content-Security-Policy.
    """
    text, style = _templates().get_template(f"{kind}.html.jinja"), _style()
    page = text.render(
        a=value, style=Markup(style), base=base, root=root, here=here, feeds=feeds, status=status
    )  # fmt: skip
    return page, _RULES.format(f"style-src '{policy_hash(style)}'; ")


def policy_of(page: str) -> str:
    """Return the policy that a page carries inside, as a header, which may also forbid frames."""
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    if found is None:
        raise ValueError("The page has no policy of its own.")
    return f"{found[1]}; frame-ancestors 'none'"


def link_cell(value: object) -> Markup:
    """Return a cell: a link where its whole text is an address of the web, and text where it is anything else.

    Parameters
    ----------
    value : object
        A cell of the table, which a stranger may have written.

    Returns
    -------
    Markup
        Escaped.
    """
    text = "" if value is None else str(value)
    if re.fullmatch(r"https?://[^\s\x00-\x20\x7f<>\"'\\^`{|}]{1,2000}", text, re.IGNORECASE):
        try:
            host = urlsplit(text).hostname
        except ValueError:
            host = None
        if host:
            return Markup('<a href="{0}" rel="noopener noreferrer" target="_blank">{0}</a>').format(text)
    return escape(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "\ufffd", text))


def _read(name: str) -> str:
    return files(__package__).joinpath("pages", name).read_text("utf-8")


@cache
def _style() -> str:
    return page_file("report.css") + _read("serve.css")


@cache
def _templates() -> Environment:
    found = environment(_read)
    found.filters |= {"linked": link_cell, "score": lambda value: f"{value:.3f}"}
    return found
