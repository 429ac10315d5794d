"""One idea has one name in every file, and a function is named by a verb or by a noun of the field."""

import ast
import re
from pathlib import Path

import pytest

from codomain.core import Method
from codomain.core.catalogue import PACKAGE, methods

WORDS = Path(__file__).parents[1] / "docs/words.md"
PLACES = ("workbench", "serve", "space", "cli", "cluster", "guard")
IRREGULAR = {
    "begun", "bound", "built", "chosen", "drawn", "found", "given", "gone", "held", "kept", "known", "left",
    "lost", "made", "said", "seen", "sent", "shown", "taken", "thrown", "told", "written",
}  # fmt: skip
NO_VERB = {"about", "again", "ahead", "alone", "beside", "beyond", "earlier", "late", "near", "some", "still", "when"}
VERBS_IN_ED = {"embed", "need", "read", "seed", "speed", "feed", "shed"}
# A name may end in a participle where it begins with what is done to it, or asks whether it is so.
BEGINNINGS = {"are", "check", "drop", "fill", "find", "has", "is", "may", "rank", "refuse", "share", "to", "write"}


def odd(name):
    """Whether a function's name is a participle, or is no verb and no noun."""
    words = name.strip("_").split("_")
    first, last = words[0], words[-1]
    participle = last in IRREGULAR or (last.endswith("ed") and last not in VERBS_IN_ED)
    return (participle and first not in BEGINNINGS) or (first in NO_VERB and len(words) == 1)


def functions(tree):
    """Names of functions and methods; a property is named after what it gives, so it may be any word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            if not any("property" in ast.unparse(mark) for mark in node.decorator_list):
                yield node.name


@pytest.mark.parametrize(
    "path",
    [path for place in PLACES for path in sorted((PACKAGE / place).rglob("*.py"))],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_functions_are_named_by_verbs_and_nouns(path):
    assert [name for name in functions(ast.parse(path.read_text(encoding="utf-8"))) if odd(name)] == []


def test_a_participle_is_seen_and_a_verb_or_a_property_is_none():
    names = ("packed", "_taken", "still_bridged", "drawn", "late", "held_out_and_seen", "find_bridged", "is_studied")
    assert [odd(name) for name in names] == [True, True, True, True, True, True, False, False]
    assert not any(map(odd, ("embed", "read", "pack_json", "cross_entropy", "named_encoder", "late_stages", "cut")))
    tree = ast.parse("class A:\n    @property\n    def fitted(self): ...\n    def packed(self): ...\ndef _sent(): ...")
    assert sorted(functions(tree)) == ["_sent", "packed"]


def test_every_parameter_of_a_method_is_a_word_of_the_glossary():
    known = set(re.findall(r"^\| `(\w+)` \|", WORDS.read_text(encoding="utf-8"), re.MULTILINE))
    classes = [
        one for one in (entry.method for entry in methods()) if isinstance(one, type) and issubclass(one, Method)
    ]
    unknown = {cls.__name__: sorted(set(cls.rules) - known) for cls in classes}
    assert {name: words for name, words in unknown.items() if words} == {}, "add them to docs/words.md"
