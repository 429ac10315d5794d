"""A space is made small for a recall that is proved, or the wish is refused and nothing changes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import codomain
from codomain.shrink import FittedRecipe
from codomain.workbench import study
from conftest import Run


@pytest.fixture(scope="module")
def studied(docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = tmp_path_factory.mktemp("data") / "docs.parquet"
    parquet.write_table(docstrings.select(["id", "text"]), table)
    return study(table, encoder="static:wordllama", space=table.with_suffix(".space")).space.path


@pytest.fixture
def space(studied: Path, tmp_path: Path) -> Path:
    """A studied space of 600 texts, for the usual recall."""
    return Path(shutil.copytree(studied, tmp_path / "docs.space"))


def test_the_winner_is_sealed_as_it_was_certified_and_a_study_keeps_it(space: Path, run: Run) -> None:
    answer = run("shrink", space, "--recall", 0.8, "--json")
    assert answer.returncode == 0, answer.stderr
    record = json.loads(answer.stdout)
    winner = record["rows"][record["winner"]]
    assert winner["lower"] >= record["target"] == 0.8
    opened = codomain.open(space)
    part = opened.parts.shrink
    assert part.certificate == {key: value for key, value in record.items() if key not in ("space", "report")}
    fitted = FittedRecipe.load(part.fitted)
    assert fitted.recipe.to_dict() == winner["made"]
    assert fitted.bytes_per_vector == winner["bytes"]
    X = np.array(opened.vectors, dtype=np.float32)
    truth = np.argsort(-(X @ X.T), axis=1)[:, 1:11]
    found = fitted.search(X, 11)[1]
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(truth, found, strict=True)]) >= winner["lower"] - 0.02

    again = run("study", space, "--recall", 0.8)
    assert again.returncode == 0, again.stderr
    assert "shrink:" not in again.stderr
    assert codomain.open(space).parts.shrink.made_from == part.made_from
    other = run("study", space, "--recall", 0.7)
    assert "shrink:" in other.stderr


def test_the_front_and_the_proof_are_shown(space: Path, run: Run) -> None:
    answer = run("shrink", space, "--recall", 0.8)
    assert answer.returncode == 0, answer.stderr
    chosen = [line for line in answer.stdout.splitlines() if "(chosen)" in line]
    assert len(chosen) == 1
    assert "by definition" in answer.stdout
    assert "keeps at least 0.8" in answer.stdout and "Lost: " in answer.stdout
    sizes = [int(line.split("(chosen)")[-1].split()[-6].replace(",", "")) for line in chosen]
    assert f"{sizes[0]:,} bytes a row" in answer.stdout


def test_the_form_that_a_search_reads_least_of_is_kept_when_it_is_asked_for(space: Path, run: Run) -> None:
    said = "of which a search reads least"
    small = json.loads(run("shrink", space, "--recall", 0.8, "--json").stdout)
    assert said not in Path(small["report"]).read_text()
    fast = json.loads(run("shrink", space, "--recall", 0.8, "--json", "--fast").stdout)
    assert said in Path(fast["report"]).read_text()
    one, other = (record["rows"][record["winner"]] for record in (small, fast))
    assert other["scan_bytes"] < one["scan_bytes"]
    assert other["bytes"] > one["bytes"]
    assert codomain.open(space).parts.shrink.certificate["fewest"] == "scan_bytes"


def test_a_budget_is_kept(space: Path, run: Run) -> None:
    record = json.loads(run("shrink", space, "--recall", 0.6, "--bytes", 300, "--json").stdout)
    assert record["rows"][record["winner"]]["bytes"] <= 300
    assert all(row["bytes"] <= 300 for row in record["rows"][:-1])


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (("--recall", 0.9, "--bytes", 10), ("within 10 bytes", "more --bytes")),
        (("--recall", 0.99), ("needs at least 1104 rows", "lower --recall")),
        (("--recall", 0.2), ("--recall",)),
        (("--bytes", 0), ("--bytes",)),
    ],
)
def test_what_cannot_be_proved_is_refused_and_nothing_changes(
    space: Path, run: Run, wish: tuple[object, ...], words: tuple[str, ...]
) -> None:
    before = (space / "HEAD").read_bytes()
    answer = run("shrink", space, *wish)
    assert answer.returncode == 2
    assert answer.stdout == "" and "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr
    assert (space / "HEAD").read_bytes() == before


def test_a_space_without_a_study_is_told_to_have_one(space: Path, run: Run) -> None:
    codomain.open(space).drop("neighbors")
    answer = run("shrink", space)
    assert answer.returncode == 2
    assert "has no part 'neighbors'" in answer.stderr and "codomain study" in answer.stderr


def test_no_space_is_no_traceback(tmp_path: Path, run: Run) -> None:
    answer = run("shrink", tmp_path / "nowhere.space")
    assert answer.returncode == 2 and "Traceback" not in answer.stderr


def test_added_rows_get_the_recipe_that_was_chosen_proved_again(
    space: Path, docstrings: pa.Table, tmp_path: Path, run: Run
) -> None:
    assert run("shrink", space, "--recall", 0.8).returncode == 0
    before = codomain.open(space).parts.shrink.certificate
    more = docstrings.select(["id", "text"]).slice(0, 60)
    more = more.set_column(0, "id", pa.array([f"again {name}" for name in more["id"].to_pylist()]))
    parquet.write_table(more, tmp_path / "more.parquet")
    answer = run("add", space, tmp_path / "more.parquet")
    assert answer.returncode == 0, answer.stderr
    after = codomain.open(space).parts.shrink.certificate
    assert after["target"] == 0.8
    assert after["chosen_among"] == before["chosen_among"]
    winners = [record["rows"][record["winner"]] for record in (before, after)]
    assert winners[0]["recipe"] == winners[1]["recipe"]
    assert winners[1]["lower"] >= 0.8
