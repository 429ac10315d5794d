import pytest

from codomain.core import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, \u05e9\u05dc\u05d5\u05dd, \u5b66\u4e60", "plain, \u05e9\u05dc\u05d5\u05dd, \u5b66\u4e60"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b]0;title\x07\x1b[31mred", r"\x1b]0;title\x07\x1b[31mred"),
        ("over\rwritten", r"over\rwritten"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("c1 \x9b31m", r"c1 \x9b31m"),
        ("half \ud800", r"half \ud800"),
        ("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c"),
    ],
)
def test_signs_that_a_terminal_obeys_are_written_out(text, shown):
    assert visible(text) == shown
