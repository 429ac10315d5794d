"""The catalogue: every method, its verdict, and the commands that show them."""

import json
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from codomain.cli import methods as cli_methods
from codomain.core import UserError, claims, no_claim
from codomain.core.catalogue import Entry, methods, named, rooms, to_markdown

app = typer.Typer()
app.command("methods")(cli_methods.methods)
app.add_typer(cli_methods.claims_app, name="claims")


def call(*arguments):
    return CliRunner().invoke(app, arguments)


def test_methods_are_found_in_their_rooms():
    found = {(entry.room, entry.object) for entry in methods()}
    assert {("align", "RelativeRepresentation"), ("encode", "OffTheShelf"), ("measure", "ClassSeparability")} <= found
    assert {room for room, _ in found} <= set(rooms())


@pytest.mark.parametrize(
    "name", ["relative-representations", "relative_representations", "align/relative-representations"]
)
def test_a_method_is_found_by_any_of_its_names(name):
    assert [entry.object for entry in named(name)] == ["RelativeRepresentation"]


def test_a_room_names_all_its_methods():
    assert {entry.object for entry in named("align")} >= {"Procrustes", "RelativeRepresentation"}


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"(?s)'measure/procrustes'.*relative-representations.*codomain methods"):
        named("measure/procrustes")


def test_the_list_for_programs_has_the_medians():
    records = {record["slug"]: record for record in json.loads(call("methods", "--json").stdout)}
    entry = named("procrustes")[0]
    assert records["procrustes"] == {
        "slug": "procrustes", "room": "align", "object": "codomain.align.Procrustes", "verdict": entry.record.verdict,
        "ours": sorted(entry.record.ours)[2], "floor": sorted(entry.record.floor)[2],
        "peer": sorted(entry.record.peer)[2],
    }  # fmt: skip


def test_the_table_for_people_shows_every_method_whole():
    printed = call("methods").stdout
    for entry in methods():
        assert entry.paper.slug in printed
        assert f"codomain.{entry.room}.{entry.object}" in printed


def test_a_method_without_a_claim_says_so_everywhere(monkeypatch):
    bare = type(
        "Bare", (), {"__doc__": "Do it.", "paper": named("procrustes")[0].paper, "claim": no_claim("needs ImageNet")}
    )
    entry = Entry("align", "Bare", bare)
    assert entry.to_dict()["verdict"] == "no claim"
    monkeypatch.setattr("codomain.core.catalogue.methods", lambda: [entry])
    assert "1 of them have no claim" in to_markdown()
    assert "No claim: needs ImageNet." in to_markdown()
    assert "no claim, because: needs ImageNet" in call("claims", "run", "procrustes").stdout


def test_a_claim_of_a_parent_is_not_a_claim_of_the_child():
    parent = named("procrustes")[0].method
    assert Entry("align", "Child", type("Child", (parent,), {})).claim is None


@pytest.fixture
def ran(monkeypatch):
    """Give a run of Procrustes a chosen verdict, and keep what would be recorded."""
    record, kept = named("procrustes")[0].record, []

    def choose(verdict):
        outcome = replace(record, verdict=verdict)
        monkeypatch.setattr(claims, "run", lambda what, seeds: outcome)
        monkeypatch.setattr(claims, "record", lambda *arguments: kept.append(arguments) or "verdicts.toml")
        return kept

    return choose


def test_a_verdict_that_is_the_recorded_one_exits_with_zero(ran):
    ran(named("procrustes")[0].record.verdict)
    result = call("claims", "run", "procrustes")
    assert result.exit_code == 0
    assert "CHANGED" not in result.stdout


def test_a_verdict_that_changed_exits_with_one(ran):
    ran("too slow")
    result = call("claims", "run", "procrustes")
    assert result.exit_code == 1
    assert "CHANGED" in result.stdout


def test_nothing_is_recorded_unless_asked(ran):
    kept = ran("weak")
    call("claims", "run", "procrustes")
    assert kept == []
    assert call("claims", "run", "procrustes", "--record").exit_code == 0
    assert kept[0][:2] == ("codomain.align.procrustes", "procrustes")


def test_a_record_from_fewer_seeds_is_refused():
    result = call("claims", "run", "procrustes", "--record", "--seeds", "2")
    assert isinstance(result.exception, UserError)
    assert "five seeds" in str(result.exception)


def test_a_claim_really_runs_from_the_command_line():
    result = call("claims", "run", "procrustes", "--seeds", "1")
    assert result.exit_code == 0
    assert "align/procrustes: " in result.stdout
    assert "ridge regression" in result.stdout
