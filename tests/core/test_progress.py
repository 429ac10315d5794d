"""Progress goes to stderr, and only where a person sees it."""

import io
import sys
import time

from codomain.core import bar, say


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_what_takes_less_than_a_minute_says_nothing_where_no_terminal_is(capsys):
    with bar("encode", total=10) as tick:
        tick(10)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_where_no_terminal_is_a_line_a_minute_says_what_is_done_and_left(monkeypatch, capsys):
    clock = iter([0, 30, 61, 90, 125, 200])
    monkeypatch.setattr("codomain.core.progress.time.monotonic", lambda: next(clock))
    with bar("encode", total=1000, unit="texts") as tick:
        for done in (100, 100, 100, 200, 500):
            tick(done)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "encode: 200 of 1,000 texts, about 4 min left\nencode: 500 of 1,000 texts, about 2 min left\n"
    )


def test_a_bar_moves_before_the_first_unit_is_done(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with bar("encode", total=8, unit="texts"):
        time.sleep(0.5)
    frames = {frame for frame in screen.getvalue().split("encode") if "\u2501" in frame or "-" in frame}
    assert len(frames) > 1


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
