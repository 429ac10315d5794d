"""What a person types: a key at once on a terminal, a line where stdin is a pipe."""

import os
import re
import select
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Self

from codomain.core import UserError

COMMANDS = {"n": "new class", "s": "skip", "u": "undo", "q": "stop and keep"}
_KEYS = [key for key in "1234567890" + ascii_lowercase + ascii_uppercase if key not in COMMANDS]
_ESCAPES = re.compile(r"\x1b(\[[0-9;]*[A-Za-z~]|O[A-Z])?")  # arrows and their like are not meant as answers
_BACK = ("\x7f", "\b")
_END = "\x04"  # what a terminal sends for Ctrl-D


class Keyboard:
    """Reads keys or lines from stdin; within a `with`, a terminal hands keys over without waiting for Enter.

    The terminal is put back at the end and not in between: what is typed while it changes may be lost.

    Attributes
    ----------
    live : bool
        Whether a person sits at it.

    Raises
    ------
    UserError
        In a `with`, when a person sits at a terminal that cannot hand over single keys: Windows has none that can.
    """

    def __init__(self) -> None:
        self.live = sys.stdin.isatty()
        self._before: list[Any] = []
        self._ahead = ""  # typed before it was asked for

    def __enter__(self) -> Self:
        if self.live:
            if find_spec("termios") is None:
                raise UserError(
                    "Answering key by key needs a terminal of Linux, macOS or WSL.",
                    todo="codomain label SPACE --from FILE, with a table of ids and labels, or pipe one answer a line",
                )
            self._termios: Any = import_module("termios")
            self._before = self._termios.tcgetattr(sys.stdin)
            import_module("tty").setcbreak(sys.stdin, self._termios.TCSADRAIN)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.live:
            self._termios.tcsetattr(sys.stdin, self._termios.TCSADRAIN, self._before)

    def _next(self) -> str | None:
        """Return one character from the terminal, or None at the end."""
        while not self._ahead:
            # A Ctrl-C that comes just before the wait is only noticed after it: so it is never long.
            while not select.select([sys.stdin], [], [], 0.2)[0]:
                pass
            typed = os.read(sys.stdin.fileno(), 1024).decode(errors="replace")
            if not typed:
                return None
            self._ahead = _ESCAPES.sub("", typed).replace("\r", "\n")
        key, self._ahead = self._ahead[0], self._ahead[1:]
        return None if key == _END else key

    def key(self) -> str | None:
        """Return one key, or in a pipe one line without its ends; None when there is no more."""
        if not self.live:
            return self.line()
        key = self._next()
        while key is not None and not key.strip():
            key = self._next()
        return key

    def line(self) -> str | None:
        """Return a line without its ends, or None when there is no more."""
        if not self.live:
            line = sys.stdin.readline()
            return line.strip() if line else None
        typed = ""
        while (key := self._next()) not in (None, "\n"):
            typed = typed[:-1] if key in _BACK else typed + str(key)
            sys.stderr.write("\b \b" if key in _BACK else str(key))
            sys.stderr.flush()
        sys.stderr.write("\n")
        return typed.strip()


def key_of(name: str, taken: Sequence[str]) -> str:
    """Return a key for a class: its own name if that is one, else the first of its letters that is free, else any.

    Parameters
    ----------
    name : str
        The class.
    taken : sequence of str
        Keys that other classes have.

    Returns
    -------
    str
        Empty when none is left; such a class is typed by its name.
    """
    wanted = [name, *name.lower(), *_KEYS]
    return next((key for key in wanted if key in _KEYS and key not in taken), "")
