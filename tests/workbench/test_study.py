"""A study is whole, resumable and the same however often it was interrupted."""

import json
import random
import shutil
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import codomain
from codomain.core import DamagedError, EncoderMismatch, UserError
from codomain.workbench import Settings, add, search_space, study
from codomain.workbench.stages import STAGES, late_stages

STATIC = "static:wordllama"


@pytest.fixture(scope="module")
def table(docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "docs.parquet"
    parquet.write_table(docstrings, path)
    return path


@pytest.fixture(scope="module")
def studied(table: Path) -> Path:
    return study(table, text="text", label="package", encoder=STATIC, space=table.with_name("docs.space")).space.path


def _files(space: Path) -> dict[str, bytes]:
    """Every file of a space. Manifests say when they were written: that, and the hashes over it, are left out."""
    found = {}
    for path in sorted(path for path in space.rglob("*") if path.is_file()):
        name, data = str(path.relative_to(space)), path.read_bytes()
        if name == "HEAD" or path.parent.name == "manifests":
            record = json.loads(data)
            data = json.dumps(
                {k: v for k, v in record.items() if k not in ("when", "parent", "check", "manifests")}
            ).encode()
        found[name] = data
    return found


def test_a_study_seals_every_stage_and_writes_one_report(studied: Path) -> None:
    space = codomain.open(studied)
    assert set(space.parts) == {stage.name for stage in STAGES}
    assert space.shape == (600, 256)
    report = studied.with_name("docs-report.html").read_text()
    assert space.parts.groups.names[0] in report or len(report) > 100_000
    assert "http://" not in report.replace("http://www.w3.org/", "")


def test_a_second_run_changes_nothing(studied: Path, table: Path) -> None:
    before = codomain.open(studied).generation
    study(table, text="text", label="package", encoder=STATIC, space=studied)
    assert codomain.open(studied).generation == before


def test_another_recall_remakes_only_the_stages_that_use_it(studied: Path, table: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.space"
    shutil.copytree(studied, copy)
    before = {name: part.made_from for name, part in codomain.open(copy).parts.items()}
    study(copy, settings=Settings(recall=0.8))
    after = {name: part.made_from for name, part in codomain.open(copy).parts.items()}
    assert {name for name in before if before[name] != after[name]} == {"shrink"}


def test_what_was_asked_for_stays_until_it_is_asked_for_otherwise(table: Path, tmp_path: Path) -> None:
    rows = parquet.read_table(table)
    parquet.write_table(rows.slice(0, 120), tmp_path / "old.parquet")
    parquet.write_table(rows.slice(120, 20), tmp_path / "new.parquet")
    asked = Settings(recall=0.8, n_neighbors=9, n_results=5, random_state=3)
    old = study(tmp_path / "old.parquet", text="text", encoder=STATIC, space=tmp_path / "s.space", settings=asked).space
    assert Settings.of(old) == asked
    before = {name: part.made_from for name, part in old.parts.items()}
    again = study(tmp_path / "old.parquet", text="text", encoder=STATIC, space=tmp_path / "s.space").space
    assert {name: part.made_from for name, part in again.parts.items()} == before
    grown = add(tmp_path / "s.space", tmp_path / "new.parquet").space
    assert Settings.of(grown) == asked and not late_stages(grown, asked)
    assert grown.parts.neighbors.indices.shape == (140, 9) and grown.parts.shrink.certificate["k"] == 5
    changed = study(grown.path, settings={"recall": 0.9}).space
    assert Settings.of(changed) == replace(asked, recall=0.9)
    assert Settings.of(study(grown.path, settings=Settings()).space) == Settings()


def test_changed_rows_alone_are_encoded_again(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from codomain.encode import resolve

    copy = tmp_path / "docs.parquet"
    rows = parquet.read_table(table).slice(0, 120)
    parquet.write_table(rows, copy)
    first = study(copy, text="text", encoder=STATIC, space=tmp_path / "s.space").space
    texts = rows["text"].to_pylist()
    texts[7] = "a text that was not there before"
    parquet.write_table(rows.set_column(rows.column_names.index("text"), "text", pa.array(texts)), copy)

    seen: list[str] = []
    kind = type(resolve(STATIC))
    encode = kind.encode
    monkeypatch.setattr(
        kind, "encode", lambda self, texts, **more: (seen.extend(texts), encode(self, texts, **more))[1]
    )
    second = study(copy, text="text", encoder=STATIC, space=tmp_path / "s.space").space
    assert set(seen) & set(texts) == {"a text that was not there before"}
    same = np.delete(np.arange(120), 7)
    np.testing.assert_array_equal(first.vectors[same], second.vectors[same])
    assert not np.array_equal(first.vectors[7], second.vectors[7])


def test_added_rows_keep_the_old_ones_where_they_are(table: Path, tmp_path: Path) -> None:
    rows = parquet.read_table(table)
    parquet.write_table(rows.slice(0, 150), tmp_path / "old.parquet")
    parquet.write_table(rows.slice(150, 30), tmp_path / "new.parquet")
    old = study(tmp_path / "old.parquet", text="text", id="id", encoder=STATIC, space=tmp_path / "s.space").space
    new = add(tmp_path / "s.space", tmp_path / "new.parquet").space
    assert len(new) == 180
    assert search_space(new.path, "event loop", k=3).hits
    np.testing.assert_array_equal(new.vectors[:150], old.vectors[:150])
    assert new.rows(["id"])["id"].to_pylist() == rows["id"].to_pylist()[:180]
    assert len(new.parts.groups.labels) == 180


def test_while_rows_are_added_the_last_studied_generation_is_searched(studied: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.space"
    shutil.copytree(studied, copy)
    space = codomain.open(copy)
    before = search_space(copy, "event loop", k=3)
    row = space.take([0])
    again = row.set_column(0, "id", pa.array(["a new id"]))
    grown = space.append(again, space.vectors[:1], encoder=space.encoder)
    found = search_space(copy, "event loop", k=3)
    assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in before]
    assert f"codomain study {copy}" in found.notes[0] and not before.notes
    study(copy)
    assert search_space(copy, "event loop", k=3).notes == []
    grown = codomain.open(copy)
    grown.append(again.set_column(0, "id", pa.array(["another"])), space.vectors[:1], encoder=space.encoder).gc(keep=1)
    with pytest.raises(UserError, match="codomain study"):  # no studied generation is left
        search_space(copy, "event loop")


def test_a_space_refuses_another_encoder(studied: Path, table: Path) -> None:
    with pytest.raises(EncoderMismatch, match="--space"):
        study(table, text="text", encoder="builtin:minilm", space=studied)


def test_given_vectors_are_tried_against_the_encoder_that_is_said_to_have_made_them(
    table: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    rows = parquet.read_table(table).slice(0, 50)
    np.save(tmp_path / "v.npy", rng.standard_normal((50, 256)).astype(np.float32))
    parquet.write_table(rows, tmp_path / "rows.parquet")
    with pytest.raises(UserError, match="did not make the vectors"):
        study(
            tmp_path / "rows.parquet", text="text", vectors=tmp_path / "v.npy", encoder=STATIC,
            space=tmp_path / "s.space",
        )  # fmt: skip
    assert not (tmp_path / "s.space").exists()


def test_bare_vectors_are_studied_without_any_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((4, 24))
    vectors = (centres[rng.integers(4, size=200)] + 0.3 * rng.standard_normal((200, 24))).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    done = study(tmp_path / "v.npy", space=tmp_path / "v.space")
    assert done.space.shape == (200, 24)
    assert len(done.space.parts.groups.groups) == 4
    with pytest.raises(UserError, match="without an encoder"):
        search_space(done.space.path, "some words")


def test_every_file_of_a_space_is_refused_after_one_flipped_bit(studied: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    copy = tmp_path / "copy.space"
    shutil.copytree(studied, copy)
    for path in [path for path in sorted(copy.rglob("*")) if path.is_file() and path.stat().st_size]:
        whole = path.read_bytes()
        at = rng.randrange(len(whole))
        path.chmod(0o644)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :])
        with pytest.raises(DamagedError) as caught:
            codomain.open(copy)
        assert path.name in str(caught.value)
        path.write_bytes(whole)
    codomain.open(copy)


@pytest.mark.slow
def test_killed_at_ten_moments_and_resumed_a_study_gives_the_same_space(table: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time; import codomain.workbench.run as job; print('ready', flush=True); began = time.monotonic();"
        f"job.study({str(table)!r}, text='text', label='package', encoder={STATIC!r}, space=sys.argv[1]);"
        "print(time.monotonic() - began, flush=True)"
    )

    def start(space: Path) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(space)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout and child.stdout.readline() == "ready\n"
        return child

    whole = start(tmp_path / "whole.space")
    out, err = whole.communicate(timeout=300)
    assert whole.returncode == 0, err
    seconds = float(out)
    expected = _files(tmp_path / "whole.space")
    rng = random.Random(1)
    landed = 0
    for number in range(10):
        space = tmp_path / f"{number}.space"
        child = start(space)
        time.sleep(rng.uniform(0.02, 0.8) * seconds)
        landed += child.poll() is None
        child.kill()  # SIGKILL; nothing when a machine that has become faster is done already
        child.communicate()
        again = start(space)
        _, err = again.communicate(timeout=300)
        assert again.returncode == 0, err
        assert _files(space) == expected
        shutil.rmtree(space)
    assert landed >= 7  # most kills met a study at work


def test_few_rows_of_many_columns_are_studied_without_squaring_the_columns(tmp_path: Path) -> None:
    np.save(tmp_path / "wide.npy", np.random.default_rng(0).standard_normal((12, 9000)).astype(np.float32))
    tracemalloc.start()
    done = study(tmp_path / "wide.npy", space=tmp_path / "wide.space")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9000**2 * 4 / 2  # half of one table of columns by columns, in float32
    assert done.space.shape == (12, 9000) and len(done.space.parts.map.xy) == 12
