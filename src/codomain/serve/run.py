"""Start the server: a port, the address printed, a browser; and connections that nobody can hold for long."""

import asyncio
import errno
import secrets
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from codomain.core import UserError, say
from codomain.serve.app import make_app
from codomain.serve.guard import Rules, is_loopback
from codomain.serve.notes import Notes
from codomain.serve.spaces import Shelf

CONNECTIONS = 256  # at once; the next one is answered 503
PATIENCE = 20.0  # seconds in which a request must have come whole, or a sent answer have been taken further
IDLE = 5  # seconds that a connection is kept between two requests
_LONGEST_HEAD = 256 * 1024  # bytes of a request before its body


class PatientProtocol(H11Protocol):
    """A connection that ends when its client is too slow: uvicorn itself waits for ever for the rest of a request."""

    patience = PATIENCE

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self._watch()

    def _watch(self, left: int = -1) -> None:
        self.loop.call_later(self.patience, self._look, self.cycle, left)

    def _look(self, before: RequestResponseCycle | None, left: int) -> None:
        """End the connection when since the last look no request came whole and nothing of an answer was taken."""
        if self.transport.is_closing():
            return
        waiting, cycle = self.transport.get_write_buffer_size(), self.cycle
        idle = cycle is not None and cycle.response_complete and self.timeout_keep_alive_task is not None
        at_work = cycle is not None and not cycle.response_complete and not cycle.more_body
        if 0 < waiting == left or (cycle is before and not idle and not at_work):
            self.transport.abort()
        else:
            self._watch(waiting)


def serve(
    paths: Sequence[Path], *, host: str = "127.0.0.1", port: int = 0, token: str | None = None,
    notes: Path | None = None, origins: Sequence[str] = (), browser: bool = True,
) -> None:  # fmt: skip
    """Serve spaces until Ctrl-C.

    Parameters
    ----------
    paths : sequence of Path
        Folders of spaces.
    host : str, default="127.0.0.1"
        Where to listen; anything but this machine needs a token.
    port : int, default=0
        0 takes a free one.
    token : str, optional
        What every request must show; made up where it is needed.
    notes : Path, optional
        A folder for notes.
    origins : sequence of str
        Pages of other places that may read answers.
    browser : bool, default=True
        Whether to open a browser.

    Raises
    ------
    UserError
        When a space cannot be opened, or the port is taken.
    """
    shelf = Shelf(paths)
    kept = Notes(notes) if notes else None
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    if token is not None and len(token) < 8:
        raise UserError("The token is short enough to be guessed.", needed="8 characters or more, or none to get one")
    sock = bind(host, port)
    url, elsewhere = (
        f"http://{shown}:{sock.getsockname()[1]}/" + (f"?token={token}" if token else "") for shown in shown_hosts(host)
    )
    app = make_app(shelf, Rules(host, token, tuple(origins)), kept)
    server = _Server(uvicorn.Config(
        app, http=PatientProtocol, ws="none", lifespan="off", log_level="error", access_log=False,
        server_header=False, timeout_keep_alive=IDLE, limit_concurrency=CONNECTIONS, timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=_LONGEST_HEAD, proxy_headers=False,
    ))  # fmt: skip
    server.url, server.browser = url, browser
    server.elsewhere = elsewhere if elsewhere != url else ""
    with sock:
        server.run(sockets=[sock])


def shown_hosts(host: str) -> tuple[str, str]:
    """Return what stands for a host in an address: for this machine, and for others."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]", socket.gethostname()
    shown = f"[{host}]" if ":" in host else host
    return shown, shown


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound; UserError when the port is taken or the host is not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise UserError(f"{host} cannot be listened on: {error}.", needed="an address of this machine") from None
    try:
        if sys.platform != "win32":  # there it would let two servers have one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(128)
    except OSError as error:
        sock.close()
        taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        raise UserError(
            f"Port {port} of {host} is taken." if taken else f"{host} cannot be listened on: {error.strerror}.",
            needed="a port that is free" if taken else "an address of this machine",
            todo="codomain serve SPACE, without --port, takes a free one" if taken else "",
        ) from None
    return sock


class _Server(uvicorn.Server):
    url, elsewhere, browser = "", "", False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.url, flush=True)  # noqa: T201 - what the command is for
        if self.elsewhere:
            say(f"From other machines: {self.elsewhere}")
        say("Serving until Ctrl-C.")
        if self.browser:
            await asyncio.get_running_loop().run_in_executor(None, webbrowser.open, self.url)
