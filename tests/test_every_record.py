"""Every method has one record, every record its method, and nobody wrote a verdict by hand."""

import ast
import math
import re
import shutil

import pytest

from codomain.core import no_claim, records
from codomain.core.catalogue import PACKAGE, methods, rooms
from codomain.core.claims import SEEDS, VERDICTS, NoClaim

HOLDING = next(entry for entry in methods() if entry.verdict == "holds")
each_entry = pytest.mark.parametrize("entry", methods(), ids=lambda entry: f"{entry.room}/{entry.slug}")


def unmatched(package):
    """Names of records that are missing or left over, judged by the papers that the rooms' sources ask for."""
    asked = set()
    for path in package.glob("*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Paper.get" and path.parent != package / "core":
                room, slug = path.relative_to(package).parts[0], ast.literal_eval(node.args[0])
                asked.add(package / room / "records" / f"{slug}.toml")
    held = set(records.paths(package))
    return [f"{path} is missing" for path in sorted(asked - held)] + [
        f"{path} is left over: no method asks for it" for path in sorted(held - asked)
    ]


def edits(path, what):
    """What in a record does not follow from its own numbers, or is not what the code says; each names the file."""
    table, got = records.read(path), records.outcome(path)
    found = []
    if path.read_text(encoding="utf-8") != records.to_toml(table):
        found.append("it is not as the command writes it")
    if isinstance(what, NoClaim):
        return found + ([f"{path}: no_claim differs"] if table.get("no_claim") != what.why else [])
    if got is None:
        return [f"{path}: there is no verdict"]
    said = records.words(what)
    found += [f"{key} is not the code's" for key in said | table["claim"] if said.get(key) != table["claim"].get(key)]
    scores = [got.premise, got.ours, got.floor, got.peer, got.chance, *([got.error] if got.error else [])]
    if got.verdict not in VERDICTS or not all(math.isfinite(score) for line in scores for score in line):
        found.append("the verdict or a score is none")
    elif any(len(line) != len(got.seeds) for line in scores):
        found.append("the scores are not one for each seed")
    elif got.verdict != "too slow":
        words = table["claim"]
        if got.seeds != list(SEEDS):
            found.append("the seeds are not the five")
        elif got.verdict != got.follows(words.get("rows", "same"), words["margin"], words["least"]):
            found.append(f"{got.verdict!r} does not follow from the scores")
    return [f"{path}: {words}; codomain claims run {path.stem} --record" for words in found]


def test_every_method_has_a_record_and_every_record_a_method():
    assert unmatched(PACKAGE) == []
    assert {entry.room for entry in methods()} <= set(rooms())


def test_no_two_records_share_a_slug():
    slugs = [entry.slug for entry in methods()]
    assert sorted(set(slugs)) == sorted(slugs)


@each_entry
def test_the_paper_of_every_record_is_whole(entry):
    paper = entry.paper
    assert paper.title and paper.authors, entry.path
    assert 1900 < paper.year < 2100, entry.path
    assert re.fullmatch(r"|\d{4}\.\d{4,5}", paper.arxiv), entry.path
    if paper.arxiv:
        assert paper.arxiv[:2] == str(paper.year)[2:], f"{entry.path}: the identifier begins with the year"


@each_entry
def test_no_record_was_edited_by_hand(entry):
    assert edits(entry.path, entry.claim) == []


@each_entry
def test_every_verdict_kept_its_budget_and_its_libraries(entry):
    if entry.record:
        assert entry.record.verdict == "too slow" or entry.record.took <= 6 * entry.claim.seconds, entry.path
        assert {"python", "numpy"} <= set(entry.record.versions), entry.path


@pytest.fixture
def record(tmp_path):
    """A copy of a record in a package of its own, beside the method that asks for it."""
    path = tmp_path / "align" / "records" / HOLDING.path.name
    path.parent.mkdir(parents=True)
    shutil.copy(HOLDING.path, path)
    (tmp_path / "align/method.py").write_text(f'paper = Paper.get("{HOLDING.slug}")\n', encoding="utf-8")
    return path


def test_a_missing_record_is_named(record):
    assert unmatched(record.parents[2]) == []
    record.unlink()
    assert unmatched(record.parents[2]) == [f"{record} is missing"]


def test_a_record_that_is_left_over_is_named(record):
    (record.parents[1] / "method.py").unlink()
    assert unmatched(record.parents[2]) == [f"{record} is left over: no method asks for it"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('verdict = "holds"', 'verdict = "fails"', "'fails' does not follow from the scores"),
        ('verdict = "holds"', 'verdict = "shines"', "the verdict or a score is none"),
        (r"ours = \[[^,]+", "ours = [-9.0", "'holds' does not follow from the scores"),
        (r"premise = \[.+\]", "premise = [-9.0, -9.0, -9.0, -9.0, -9.0]", "'holds' does not follow from the scores"),
        (r"peer = \[[^,]+", "peer = [nan", "the verdict or a score is none"),
        (r"peer = \[[^,]+,", "peer = [", "the scores are not one for each seed"),
        (r"seeds = \[0", "seeds = [7", "the seeds are not the five"),
        ("margin = ", "margin = 1", "margin is not the code's"),
        ('says = "', 'says = "All of ', "says is not the code's"),
        ('unit = "', 'unit = "per cent of ', "unit is not the code's"),
        ('object = "', '# A note.\nobject = "', "it is not as the command writes it"),
    ],
)
def test_a_record_that_was_edited_by_hand_is_named(record, old, new, words):
    claim = HOLDING.claim
    assert edits(record, claim) == []
    text = record.read_text(encoding="utf-8")
    assert re.search(old, text)
    record.write_text(re.sub(old, new, text), encoding="utf-8")
    assert any(str(record) in found and words in found for found in edits(record, claim))


def test_a_method_without_a_verdict_is_named(record):
    table = records.read(record)
    records.write(record, {key: value for key, value in table.items() if key not in ("claim", "verdict")})
    assert edits(record, HOLDING.claim) == [f"{record}: there is no verdict"]


def test_another_reason_for_no_claim_is_named(record):
    paper = {key: records.read(record)[key] for key in ("object", *records.PAPER)}
    records.write(record, paper | {"no_claim": "needs ImageNet"})
    assert edits(record, no_claim("needs ImageNet")) == []
    assert edits(record, no_claim("needs a GPU")) == [f"{record}: no_claim differs"]
