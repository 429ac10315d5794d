"""A missing extra is the command to type."""

import math
import sys

import pytest

from codomain.core import UserError, need


def test_a_module_that_is_there_is_given():
    assert need("math", "map") is math


def test_a_module_of_a_package_is_given():
    assert need("os.path", "map").join("a", "b")


def test_a_missing_module_gives_the_command_to_type():
    with pytest.raises(UserError) as caught:
        need("no_such_module_at_all", "map")
    assert str(caught.value) == (
        "This needs the module 'no_such_module_at_all', which is not installed.\n"
        "To mend it: pip install 'codomain[map]'"
    )


def test_the_module_that_is_missing_is_named_when_another_needs_it(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import no_such_module_below")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="no_such_module_below"):
        need("needs_more", "map")
    sys.modules.pop("needs_more", None)


def test_an_error_of_the_module_itself_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "falls_over.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        need("falls_over", "map")
