"""Progress goes to stderr, and only where a person sees it."""

import io
import sys

from codomain.core import bar, say


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_draws_nothing_when_stderr_is_not_a_terminal(capsys):
    with bar("encode", total=10) as tick:
        tick(10)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bar_on_a_terminal_shows_what_is_done_and_its_unit(monkeypatch, capsys):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with bar("encode", total=8, unit="texts") as tick:
        tick(5)
        tick(3)
    assert "encode" in screen.getvalue()
    assert "8/8" in screen.getvalue()
    assert "texts/s" in screen.getvalue()
    assert capsys.readouterr().out == ""


def test_say_writes_one_line_on_stderr(capsys):
    say("reading the file")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "reading the file\n")
