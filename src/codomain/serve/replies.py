"""Responses: one answer in the form that was asked for."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from codomain.core import UserError, plain
from codomain.serve.feeds import Feed
from codomain.serve.html import html
from codomain.serve.markdown import markdown
from codomain.serve.negotiation import FORMS, NoFormError, choose

PLAIN = ("json", "html", "md")
WITH_FEEDS = (*PLAIN, "atom", "feed")


def form_of(request: Request, offers: Sequence[str]) -> str:
    """Return the form that a request wants; see `negotiation.choose`."""
    return choose(request.headers.get("accept"), request.query_params.get("format"), offers)


def reply(
    request: Request, form: str, kind: str, value: dict[str, Any], *, space: str | None = None, updated: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    """Return an answer in one form.

    Parameters
    ----------
    request : Request
        What was asked.
    form : str
        A key of `FORMS`.
    kind : str
        Name of the template.
    value : dict
        The answer.
    space : str, optional
        The space that it is about.
    updated : str, default=""
        When its rows were written, for a feed.
    status : int, default=200
        Of the response.

    Returns
    -------
    Response
        With the header Vary.
    """
    headers = {"vary": "Accept"}
    root = f"{request.scope.get('root_path', '')}/"
    base = f"{root}{quote(space)}/" if space else ""
    site = str(request.base_url).rstrip("/")
    if form == "html":
        feeds = _here(request, "format", "page") + "format="
        page, policy = html(
            kind, value, base=base, root=root, here=_here(request, "format", "page"), status=status,
            feeds=feeds if kind in ("search", "rows", "dates") else "",
        )  # fmt: skip
        headers["content-security-policy"] = policy
        body = page.encode("utf-8", "replace")
    elif form == "md":
        body = markdown(kind, value, base or root).encode("utf-8", "replace")
    elif form == "json":
        body = to_json(value)
    else:
        title = value.get("title") or value.get("q") or value.get("column") or value["space"]
        feed = Feed(
            title=f"{value['space']}: {title}", space=value["space"], base=site + quote(f"/{space}/"),
            here=f"{site}{_here(request, 'format')}format={form}", page=site + _here(request, "format").rstrip("?&"),
            updated=updated, rows=value["hits"] if "hits" in value else value["rows"],
        )  # fmt: skip
        body = feed.atom() if form == "atom" else to_json(feed.json())
    kind_of_body = FORMS[form] + ("" if form in ("json", "feed") else "; charset=utf-8")
    return Response(body, status, headers, media_type=kind_of_body)


def refuse(scope: Scope, status: int, error: UserError) -> Response:
    """Return an error in words, in the form that the request wants where it has that form."""
    request = Request(scope)
    try:
        form = form_of(request, PLAIN)
    except NoFormError:
        form = "json"
    value = {"error": error.came, "needed": error.needed, "todo": error.todo}
    answer = reply(request, form, "error", value, status=status)
    answer.headers["cache-control"] = "no-store"
    return answer


def to_json(value: object) -> bytes:
    """Return JSON; half of a surrogate pair becomes a question mark."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _here(request: Request, *without: str) -> str:
    """Return path and query of a request without some parameters; with these, it ends so that one can be added."""
    rest = [(key, value) for key, value in parse_qsl(request.url.query) if key not in without]
    query = urlencode(rest)
    path = quote(request.scope.get("root_path", "") + request.scope["path"], safe="/%")
    raw = request.scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else path
    if not without:
        return path + (f"?{query}" if query else "")
    return f"{path}?{query}&" if query else f"{path}?"
