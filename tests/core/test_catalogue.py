"""The catalogue: every method, its verdict, and the commands that show them."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from codomain.cli import claims as cli_claims
from codomain.cli import methods as cli_methods
from codomain.core import UserError, claim_run, claims, no_claim, records
from codomain.core.catalogue import LEGEND, Entry, methods, named, rooms

app = typer.Typer()
app.command("methods")(cli_methods.methods)
app.add_typer(cli_claims.claims_app, name="claims")


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
        "peer": sorted(entry.record.peer)[2], "checked": entry.words["checked"],
        "gap": {"mean": entry.gap.mean, "low": entry.gap.low, "high": entry.gap.high},
    }  # fmt: skip


def test_the_table_for_people_shows_every_method_whole():
    printed = call("methods").stdout
    for entry in methods():
        assert entry.paper.slug in printed
        assert f"codomain.{entry.room}.{entry.object}" in printed


def loaded_by(code):
    """Modules of rooms, and heavy libraries, that a fresh process holds after some code."""
    code += "\nimport json, sys; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout.splitlines()[-1])
    heavy = [name for name in modules if name in ("numpy", "sklearn", "scipy", "torch", "faiss")]
    return heavy, [name for name in modules if name.startswith("codomain.") and name.split(".")[1] in rooms()]


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--markdown"], ["procrustes"], ["procrustes", "--markdown"]])
def test_the_catalogue_imports_no_method_and_nothing_heavy(arguments):
    code = f"from codomain.cli import app; app(['methods', *{arguments}], standalone_mode=False)"
    assert loaded_by(code) == ([], [])


def test_a_claim_is_found_by_importing_the_file_of_its_method_alone():
    _, modules = loaded_by("from codomain.core.catalogue import named; assert named('procrustes')[0].claim.says")
    assert {entry.module for entry in methods()} & set(modules) == {"codomain.align.procrustes"}


def test_every_verdict_that_there_can_be_is_explained():
    assert set(LEGEND) == {*claims.VERDICTS, "no claim", "not run"}
    printed = call("methods").stdout
    for entry in methods():
        assert f"{LEGEND[entry.verdict]}\n" in printed


def test_the_markdown_of_a_room_is_its_table_and_that_of_a_method_its_page():
    table, page = call("methods", "align", "--markdown").stdout, call("methods", "procrustes", "--markdown").stdout
    assert table.count("| align |") == len(named("align"))
    assert page.startswith("# Procrustes\n")
    assert "Measured" in page and "Measured" not in table


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """The record of a method, alone in the catalogue; give it more keys."""

    def choose(**more):
        path = tmp_path / "align/records/procrustes.toml"
        table = records.read(named("procrustes")[0].path)
        records.write(path, {key: table[key] for key in ("object", *records.PAPER)} | more)
        monkeypatch.setattr("codomain.core.catalogue.methods", lambda: [Entry(path)])
        return Entry(path)

    return choose


def test_a_method_without_a_claim_says_so_everywhere(bare, monkeypatch):
    entry = bare(no_claim="needs ImageNet")
    assert entry.to_dict()["verdict"] == "no claim"
    assert f"no claim (1): {LEGEND['no claim']}" in call("methods").stdout
    assert "**no claim**: needs ImageNet." in call("methods", "procrustes", "--markdown").stdout
    monkeypatch.setattr(entry.method, "claim", no_claim("needs ImageNet"))
    assert "no claim, because: needs ImageNet" in call("claims", "run", "procrustes").stdout


def test_a_method_that_was_never_run_says_so_everywhere(bare):
    entry = bare()
    assert (entry.verdict, entry.words, entry.record) == ("not run", {}, None)
    assert f"**not run**: {LEGEND['not run']}." in call("methods", "procrustes", "--markdown").stdout


def test_a_claim_of_a_parent_is_not_a_claim_of_the_child(monkeypatch):
    entry = named("procrustes")[0]
    monkeypatch.setattr("codomain.align.procrustes.Procrustes", type("Child", (entry.method,), {}))
    assert entry.claim is None


@pytest.fixture
def ran(monkeypatch):
    """Give a run of Procrustes a chosen verdict, and keep what would be recorded."""
    record, kept = named("procrustes")[0].record, []

    def choose(verdict):
        outcome = replace(record, verdict=verdict)
        monkeypatch.setattr(claim_run, "run", lambda what, seeds: outcome)
        monkeypatch.setattr(records, "record", lambda *arguments: kept.append(arguments) or "a record")
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
    assert kept[0][:2] == ("procrustes", named("procrustes")[0].claim)


def test_a_record_from_fewer_seeds_is_refused():
    result = call("claims", "run", "procrustes", "--record", "--seeds", "2")
    assert isinstance(result.exception, UserError)
    assert "five seeds" in str(result.exception)


def test_a_claim_really_runs_from_the_command_line():
    result = call("claims", "run", "procrustes", "--seeds", "1")
    assert result.exit_code == 0
    assert "align/procrustes: " in result.stdout
    assert "ridge regression" in result.stdout
