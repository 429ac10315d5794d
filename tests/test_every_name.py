"""One idea has one name, in every file."""

import re
from pathlib import Path

from codomain.core import Method
from codomain.core.catalogue import methods

WORDS = Path(__file__).parents[1] / "docs/words.md"


def test_every_parameter_of_a_method_is_a_word_of_the_glossary():
    known = set(re.findall(r"^\| `(\w+)` \|", WORDS.read_text(encoding="utf-8"), re.MULTILINE))
    classes = [
        one for one in (entry.method for entry in methods()) if isinstance(one, type) and issubclass(one, Method)
    ]
    unknown = {cls.__name__: sorted(set(cls.rules) - known) for cls in classes}
    assert {name: words for name, words in unknown.items() if words} == {}, "add them to docs/words.md"
