"""Send requests to a server that the user has named, and to no other; try again after a temporary failure."""

import http.client
import ipaddress
import json
import os
import random
import shlex
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from codomain.core.errors import UserError
from codomain.core.progress import say
from codomain.core.trusted import KEY as KEY
from codomain.core.trusted import Trusted, server_address

_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT = 120.0  # seconds; when a server asks for more, give up


class NoAnswerError(Exception):
    """No try got an answer; the message is the last failure."""


class Server:
    """Sends JSON to one address and returns the JSON that comes back.

    The key is read from the environment variable CODOMAIN_API_KEY at each request and never stored; a key that the list
    of trusted servers gives to another one is not sent. After an answer 408, 425, 429 or 5xx, a broken connection or a
    timeout it tries again, after a pause that doubles or that the server's Retry-After gives. No redirection is
    followed, and servers on this machine are reached without a proxy.

    Parameters
    ----------
    url : str
        Where to send, as `address` accepts it.
    what : str
        What is sent, for the message that it leaves this machine.
    tries : int
        Requests before giving up.
    pause : float
        Seconds before the second try; doubled for each later one.
    timeout : float
        Seconds without an answer that count as a failure.
    gap : float, default=0.0
        Least seconds between requests.
    named : bool, default=True
        Whether a person named this server just now; when a file did, only a key that was meant for it is sent.
    """

    def __init__(
        self, url: str, what: str, *, tries: int, pause: float, timeout: float, gap: float = 0.0, named: bool = True
    ) -> None:
        parts = urlsplit(url)
        self._server = server_address(url.removesuffix("/embeddings").removesuffix("/chat/completions"))
        self._named, self._noted = named, False
        self.url, self.host = url, parts.hostname or ""
        self._tries, self._pause, self._timeout, self._gap = tries, pause, timeout, gap
        self._next = 0.0
        here = _is_here(self.host)
        self._opener = build_opener(_NoRedirect, *([ProxyHandler({})] if here else []))
        if not here:
            say(f"{what} leave this machine: they are sent to {self.host}.")
            if parts.scheme == "http":
                say(f"The way to {self.host} is not encrypted: use https unless you trust every machine on it.")

    def post(self, body: dict[str, Any]) -> Any:
        """Return the answer to one request.

        Parameters
        ----------
        body : dict
            What to send, as JSON can hold it.

        Returns
        -------
        object
            The JSON of the answer.

        Raises
        ------
        HTTPError
            For a refusal that another try would not change; the caller explains it and closes it.
        NoAnswerError
            When every try has failed.
        UserError
            When the key cannot be sent, or the server asks to wait for minutes.
        """
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json", **self._authorisation()}
        failure, pause = "", 0.0
        for tried in range(self._tries):
            if tried:
                time.sleep(max(pause, self._pause * 2 ** (tried - 1) * random.uniform(1, 1.5)))
            self._keep_pace()
            pause = 0.0
            try:
                with self._opener.open(Request(self.url, data, headers), timeout=self._timeout) as answer:
                    return json.loads(answer.read())
            except HTTPError as error:
                if error.code not in _AGAIN:
                    raise
                with error:
                    failure, pause = f"HTTP {error.code}", _seconds(error.headers.get("Retry-After"))
                if pause > _LONGEST_WAIT:
                    raise UserError(
                        f"{self.host} asks to wait {pause:,.0f} seconds (HTTP {error.code}).",
                        todo="type the command again after that: what is already done is not sent again",
                    ) from None
            except (OSError, http.client.HTTPException) as error:
                failure = str(error) or type(error).__name__
            except (json.JSONDecodeError, UnicodeDecodeError):
                failure = "the answer is not JSON"
        raise NoAnswerError(failure)

    def _authorisation(self) -> dict[str, str]:
        key = os.environ.get(KEY, "").strip()
        if not key.isascii() or not key.isprintable():  # http.client would print it in its error
            raise UserError(f"{KEY} holds characters that a key cannot have.", todo=f"export {KEY}=... again")
        if key and not self._may_have_it():
            if not self._noted:
                say(
                    f"{KEY} was not given for {self.host} and is not sent; "
                    f"to send it: codomain trust {shlex.quote(self._server)} --key"
                )
            self._noted = True
            return {}
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _may_have_it(self) -> bool:
        trusted = Trusted()
        if trusted.key_for(self._server):
            return True
        return self._named and not trusted.key_is_of_another(self._server)

    def _keep_pace(self) -> None:
        """Wait until the next request is allowed."""
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._gap


def address(url: str, needed: str) -> SplitResult:
    """Split an address; refuse one with a user name or password, which would be printed and kept.

    Parameters
    ----------
    url : str
        The address.
    needed : str
        What it should look like, for the error.

    Returns
    -------
    SplitResult
        Its parts, with http or https and a host.

    Raises
    ------
    UserError
        When it cannot be used.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UserError(f"The address cannot be read: {error}.", needed=needed) from None
    if parts.username or parts.password:
        raise UserError(
            "The address holds a user name or password.", needed=needed, todo=f"export {KEY}=... instead"
        )  # fmt: skip
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"The address {url!r} is not whole.", needed=needed)
    return parts


class _NoRedirect(HTTPRedirectHandler):
    """Keeps the data and the key from going to any other address than the one named."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the answer becomes an HTTPError."""


def _is_here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _seconds(retry_after: str | None) -> float:
    """Read Retry-After: a number of seconds, or a date."""
    if not retry_after:
        return 0.0
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
