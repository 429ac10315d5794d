"""What stands before every answer: whose request it is, how large it may be, and what a browser may do with it."""

import hmac
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codomain.core import UserError
from codomain.serve.html import NO_PAGE
from codomain.serve.replies import refuse

LONGEST_ADDRESS = 128 * 1024  # bytes of path and query; a question of 10,000 characters takes at most 120,000
LARGEST_BODY = 64 * 1024  # bytes
_READS = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Rules:
    """Who may ask.

    Parameters
    ----------
    host : str, default="127.0.0.1"
        What the server is bound to.
    token : str, optional
        What every request must show.
    origins : sequence of str
        Pages of other places that may read answers and write notes, such as "http://localhost:3000".
    """

    host: str = "127.0.0.1"
    token: str | None = None
    origins: Sequence[str] = field(default_factory=tuple)

    def knows(self, header: str) -> bool:
        """Whether a header Host names this server, so that no page can reach it by a name of its own (DNS rebinding).

        Parameters
        ----------
        header : str
            A name or an address, with or without a port.

        Returns
        -------
        bool
            True for this machine, for what the server is bound to, and, where that is more than this machine, for any
            address in numbers, which no stranger's name can stand for.
        """
        try:
            name = (urlsplit(f"//{header}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name == "localhost" or name == self.host.lower():
            return True
        open_to_others = not is_loopback(self.host)
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return open_to_others and name == socket.gethostname().lower()
        return address.is_loopback or open_to_others

    def is_token(self, given: str | None) -> bool:
        """Compare what was given with the token, in a time that does not tell how much of it is right."""
        return self.token is None or hmac.compare_digest((given or "").encode(), self.token.encode())


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Stands before an application.

    Parameters
    ----------
    app : ASGI application
        What answers.
    rules : Rules
        Who may ask.
    """

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it in words."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _harden(send)
        if refusal := self._refusal(scope, headers):
            await refusal(scope, receive, send)
            return
        read = 0

        async def count() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_BODY:
                raise HTTPException(413, "The body is too large", {"connection": "close"})
            return message

        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope  # who sends leaves out the body
        await self.app(inner, count, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.rules.knows(hosts[0]):
            return refuse(scope, 421, UserError(
                f"This server is not known as {', '.join(hosts)[:200]!r}.",
                needed="a request to the address that it printed when it started",
            ))  # fmt: skip
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
            return refuse(scope, 414, UserError(
                "The address is too long.", needed=f"at most {LONGEST_ADDRESS:,} bytes",
            ))  # fmt: skip
        origin = headers.get("origin")
        if scope["method"] not in _READS and origin and not self._is_ours(origin, hosts[0], scope["scheme"]):
            return refuse(scope, 403, UserError(
                f"A page of {origin[:200]!r} may not write here.",
                needed="a request of the server's own pages, or of no page",
                todo=f"codomain serve ... --allow-origin {origin[:200]}",
            ))  # fmt: skip
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 18 or int(length) > LARGEST_BODY:
            return _too_large(scope)
        preflight = scope["method"] == "OPTIONS" and origin in self.rules.origins  # a browser sends no token with it
        return None if preflight else self._ask_for_token(scope, headers, hosts[0])

    def _is_ours(self, origin: str, host: str, scheme: str) -> bool:
        return origin == f"{scheme}://{host}" or origin in self.rules.origins

    def _ask_for_token(self, scope: Scope, headers: Headers, host: str) -> Response | None:
        if self.rules.token is None:
            return None
        name = f"codomain-{urlsplit(f'//{host}').port or 80}"  # cookies do not know ports
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = next((value for key, value in query if key == "token"), None)
        if given is not None and self.rules.is_token(given):
            rest = urlencode([(key, value) for key, value in query if key != "token"])
            path = "/" + scope["raw_path"].decode("latin-1").lstrip("/")
            answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(name, self.rules.token, httponly=True, samesite="strict", path="/")
            return answer
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.rules.is_token(bearer.strip()):
            return None
        if self.rules.is_token(_cookie(headers.get("cookie", ""), name)):
            return None
        refusal = refuse(scope, 401, UserError(
            "This server wants its token.", needed="the address that it printed when it started, with ?token=",
            todo="or send the header Authorization: Bearer TOKEN",
        ))  # fmt: skip
        refusal.headers["www-authenticate"] = "Bearer"
        return refusal


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found else None


def _too_large(scope: Scope) -> Response:
    refusal = refuse(scope, 413, UserError("The body is too large.", needed=f"at most {LARGEST_BODY:,} bytes"))
    refusal.headers["connection"] = "close"  # what is still coming is not read
    return refusal


def _harden(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["x-frame-options"] = "DENY"
            headers["cross-origin-opener-policy"] = "same-origin"
            if "access-control-allow-origin" not in headers:
                headers["cross-origin-resource-policy"] = "same-origin"
            headers.setdefault("content-security-policy", NO_PAGE)
            headers.setdefault("cache-control", "private, no-cache")
        await send(message)

    return sending
