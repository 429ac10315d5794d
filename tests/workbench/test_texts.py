"""What becomes of long and of unknown texts, from the plan to the report and back to the table."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

import codomain
from codomain.core import EncoderMismatch
from codomain.encode.encoders import minilm
from codomain.workbench import search_space, study
from codomain.workbench.export import export_space

SUBJECTS = ("socket", "calendar", "parser", "window", "thread", "matrix")
TEXTS = [f"how to {verb} a {noun}" for verb in ("open", "close", "copy", "print") for noun in SUBJECTS]
LONG = "the minutes of the meeting of the board " * 40  # 320 tokens
STRANGE = ["😀", "🎉", "สวัสดี", "អរគុណ"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "texts.parquet"
    texts = [*TEXTS, *STRANGE, LONG + "the budget passed", LONG + "penguins sang", "🎉"]
    parquet.write_table(pa.table({"id": [f"r{i}" for i in range(len(texts))], "text": texts}), path)
    return path


def test_a_study_says_what_is_not_read_and_gives_it_back_as_columns(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = study(table, text="text", id="id", encoder="builtin:minilm?long=cut", space=tmp_path / "cut.space")
    plan = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("texts: "))
    assert "2 of 31 texts are cut after 254 tokens" in plan and "5 of 31 texts hold tokens" in plan
    tokens = done.space.part("audit")["audit.json"]["tokens"]
    assert tokens["texts_cut"] == 2 and tokens["tokens_unread"] == 2 * (320 - 254) + 3 + 2
    assert tokens["texts_without_known_tokens"] == 5 and tokens["tokens_unknown"] == 5
    page = done.report.read_text("utf-8")
    assert "Same vector, other text" in page and "Texts cut short" in page and "Nothing known" in page
    rows = parquet.read_table(export_space(done.space, tmp_path / "out.parquet")).to_pylist()
    flagged = {name: [row["id"] for row in rows if row[f"is_{name}"]] for name in ("duplicate", "cut_text")}
    assert flagged == {"duplicate": ["r30"], "cut_text": ["r28", "r29"]}
    assert [row["id"] for row in rows if row["is_unknown_text"]] == ["r24", "r25", "r26", "r27", "r30"]
    assert [row["id"] for row in rows if row["is_same_vector"]] == ["r25", "r26", "r27", "r29"]


def test_in_windows_every_token_is_read_and_ends_are_told_apart(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = study(table, text="text", id="id", space=tmp_path / "mean.space")
    assert "2 of 31 texts are read in windows of 254 tokens" in capsys.readouterr().err
    checks = {check["kind"]: check for check in done.space.part("audit")["audit.json"]["checks"]}
    assert checks["cut_text"]["count"] == 0 and "2 rows are longer" in checks["cut_text"]["how"]
    assert not {28, 29} & set(checks["same_vector"]["rows"])


def test_a_space_of_an_earlier_reading_is_refused_with_the_commands_that_mend_it(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(minilm, "_MAX_TOKENS", 128)
        study(table, text="text", id="id", encoder="builtin:minilm?long=cut", space=tmp_path / "old.space")
    with pytest.raises(EncoderMismatch) as refused:
        search_space(tmp_path / "old.space", "open a socket")
    assert "max_tokens: 128 here, 256 there" in str(refused.value)
    assert f"codomain export {tmp_path / 'old.space'} rows.parquet" in refused.value.todo
    assert "codomain study rows.parquet --text text --space again.space" in refused.value.todo
    out = export_space(codomain.open(tmp_path / "old.space"), tmp_path / "rows.parquet")
    study(out, text="text", space=tmp_path / "again.space")
    assert search_space(tmp_path / "again.space", "open a socket", k=1)[0].columns["text"] == "how to open a socket"
    with pytest.raises(EncoderMismatch, match="--space") as same:
        study(table, text="text", id="id", encoder="builtin:minilm?long=cut", space=tmp_path / "old.space")
    assert "encode with" not in same.value.todo  # the same address would be refused again


def test_a_score_and_its_meaning_are_in_the_records(table: Path, tmp_path: Path) -> None:
    study(table, text="text", id="id", encoder="static:wordllama", space=tmp_path / "s.space")
    found = search_space(tmp_path / "s.space", "how to open a socket", k=3)
    record = found.to_records()[0]
    assert record["among"] == "pairs of a row and a question about something else"
    assert record["one_in"] == pytest.approx(1 / (1 - record["percentile"]), rel=0.06)
    assert record["among"] in repr(found)
    alike = search_space(tmp_path / "s.space", like=["r0"], k=3)
    assert alike.to_records()[0]["among"] == "random pairs of these rows" in repr(alike)
