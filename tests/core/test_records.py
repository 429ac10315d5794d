"""Records: what is written is read back, whole or refused with the name of the file."""

import tomllib
from dataclasses import dataclass, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError, no_claim, records
from codomain.core.claims import SEEDS, Claim, Outcome
from codomain.core.records import find, outcome, paths, read, record, to_toml, write

PAPER = {"title": 'On "x"', "year": 2024, "authors": "Doe et al.", "arxiv": "2401.00001", "theirs": ""}
CLAIM = Claim(
    len, unit="points", margin=0.5, seconds=9.0, says="It \\ works.", premise="room to gain", least=0.1,
    floor="nothing", peer="luck",
)  # fmt: skip


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The record of a new method, in a package of its own."""
    monkeypatch.setattr(records, "PACKAGE", tmp_path)
    monkeypatch.setattr(find, "__defaults__", (tmp_path,))
    write(tmp_path / "align/records/m.toml", {"object": "M", **PAPER})
    return tmp_path / "align/records/m.toml"


NONE = {key: [] for key in ("seeds", "premise", "ours", "floor", "peer", "chance", "error")} | {"also": {}}


def result(**changes):
    values = dict(ours=[0.5] * 5, floor=[0.1] * 5, peer=[1 / 3, 1e-9, 1.0, 2.0, -1.0], seeds=list(SEEDS))
    values |= dict(premise=[0.2] * 5, chance=[0.0] * 5, error=[0.01] * 5, also={"seconds": [1.0] * 5})
    values |= dict(verdict="holds", date="2026-01-31", took=1.5, versions={"scikit-learn": '1.9 "x"\\'}) | changes
    return Outcome(**values)


def test_a_verdict_reads_back_as_it_was_beside_the_paper_and_the_words_of_the_claim(path):
    assert record("m", CLAIM, result()) == path
    assert outcome(path) == result()
    assert read(path)["claim"] == {
        "unit": "points", "margin": 0.5, "says": "It \\ works.", "premise": "room to gain", "least": 0.1,
        "floor": "nothing", "peer": "luck",
    }  # fmt: skip
    assert {key: read(path)[key] for key in PAPER} == PAPER
    assert path.read_text(encoding="utf-8") == to_toml(read(path))


def test_what_a_claim_leaves_at_its_default_is_not_written():
    @dataclass(frozen=True)
    class Longer(Claim):
        tried: tuple[str, ...] = ()

    parts = {one.name: getattr(CLAIM, one.name) for one in fields(CLAIM)}
    assert records.words(Longer(**parts)) == records.words(CLAIM)
    assert records.words(Longer(**parts, tried=("a", "b"))) == records.words(CLAIM) | {"tried": ["a", "b"]}


def test_a_new_verdict_takes_the_place_of_the_old_one(path):
    record("m", CLAIM, result())
    record("m", CLAIM, result(verdict="fails"))
    assert outcome(path).verdict == "fails"


def test_a_reason_for_no_claim_takes_the_place_of_a_verdict(path):
    record("m", CLAIM, result())
    record("m", no_claim("needs ImageNet"))
    assert outcome(path) is None
    assert read(path) == {"object": "M", **PAPER, "no_claim": "needs ImageNet"}


def test_a_method_that_was_never_run_has_no_verdict(path):
    assert outcome(path) is None


def test_fewer_than_five_seeds_are_not_recorded(path):
    with pytest.raises(UserError, match="to record it"):
        record("m", CLAIM, result(seeds=[0, 1]))
    assert outcome(path) is None


def test_too_slow_is_a_verdict_to_record(path):
    record("m", CLAIM, result(verdict="too slow", **NONE))
    assert outcome(path).middle("ours") is None


def test_nothing_but_the_record_is_left_in_its_folder(path):
    record("m", CLAIM, result())
    assert list(path.parent.iterdir()) == [path]


def test_records_come_in_order_of_room_and_slug(path):
    for place in ("shrink/records/a.toml", "align/records/m-2.toml", "align/records/a.toml"):
        write(path.parents[2] / place, {"object": "M", **PAPER})
    found = [one.relative_to(path.parents[2]).as_posix() for one in paths(path.parents[2])]
    assert found == ["align/records/a.toml", "align/records/m.toml", "align/records/m-2.toml", "shrink/records/a.toml"]


def test_a_slug_with_records_in_two_rooms_is_refused_with_both_files(path):
    other = path.parents[2] / "shrink/records/m.toml"
    write(other, {"object": "M", **PAPER})
    with pytest.raises(UserError, match=rf"(?s){path}.*{other}"):
        find("m")


WHOLE = to_toml({"object": "M", **PAPER})
VERDICT = to_toml(
    {"claim": records.words(CLAIM), "verdict": {name: getattr(result(), name) for name in Outcome.__annotations__}}
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WHOLE + "= 3", "is not TOML"),
        (WHOLE.replace("year", "yaer"), "no year"),
        (WHOLE + "licence = 3\n", "unknown licence"),
        (WHOLE.replace("2024", '"2024"'), "Needed: a year"),
        (WHOLE.replace('"M"', "7"), "object = 7"),
        (WHOLE + VERDICT.replace("took = 1.5\n", ""), "no verdict.took"),
        (WHOLE + VERDICT.replace("took =", "tok = 3\ntook ="), "unknown verdict.tok"),
        (WHOLE + VERDICT.replace("says =", "sais = 3\nsays ="), "unknown claim.sais"),
        (WHOLE + VERDICT[VERDICT.index("[verdict]") :], "part of a verdict"),
        (WHOLE + 'no_claim = "why"\n' + VERDICT, "part of a verdict"),
        (WHOLE + "verdict = 3\n", "verdict is 3"),
    ],
)
def test_a_record_that_is_not_whole_is_refused_with_the_name_of_its_file(path, text, words):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"(?s){path}.*{words}"):
        read(path)


def test_a_record_in_another_encoding_is_refused_with_the_name_of_its_file(path):
    path.write_bytes(WHOLE.replace("Doe", "Dö").encode("latin-1"))
    with pytest.raises(UserError, match=rf"{path} is not TOML"):
        read(path)


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
values = texts | numbers | st.lists(texts)
tables = st.recursive(values, lambda inner: st.dictionaries(texts, inner, max_size=4), max_leaves=12)


@given(st.dictionaries(texts, tables, max_size=4))
def test_what_is_written_as_toml_is_what_a_toml_reader_reads(table):
    assert tomllib.loads(to_toml(table)) == table
