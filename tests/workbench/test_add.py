"""Adding rows: it is completed however it was interrupted, and no file is added twice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import codomain
from codomain.core import UserError, working
from codomain.workbench import add, export_space, study

STATIC = "static:wordllama"


@pytest.fixture(scope="module")
def data(docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space of 60 rows without an id column, as the default makes it, and a file of 6 more."""
    folder = tmp_path_factory.mktemp("add")
    rows = docstrings.select(["kind", "text"])
    csv.write_csv(rows.slice(0, 60), folder / "old.csv")
    csv.write_csv(rows.slice(60, 6), folder / "new.csv")
    study(folder / "old.csv", text="text", encoder=STATIC, space=folder / "s.space")
    return folder


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    shutil.copytree(data, tmp_path / "copy")
    return tmp_path / "copy"


def whole(folder: Path, data: Path) -> None:
    """The space has the old rows and each new one once, and every part is about them."""
    space = codomain.open(folder / "s.space")
    texts = [row for name in ("old", "new") for row in csv.read_csv(data / f"{name}.csv")["text"].to_pylist()]
    assert space.rows(["text"])["text"].to_pylist() == texts
    assert space.ids.to_pylist() == list(range(66))
    assert space.studied and len(space.parts.groups.labels) == 66
    assert [origin.name for origin in space.origins] == ["old.csv", "new.csv"]
    assert not list((folder / "s.space").glob(".new-*"))


def test_row_numbers_go_on_when_rows_without_ids_are_added(copy: Path, data: Path) -> None:
    add(copy / "s.space", copy / "new.csv")
    whole(copy, data)


def test_a_finished_add_can_be_typed_again_and_adds_nothing(copy: Path, data: Path, capfd) -> None:
    add(copy / "s.space", copy / "new.csv")
    before = codomain.open(copy / "s.space").generation
    (copy / "new.csv").rename(copy / "same under another name.csv")
    add(copy / "s.space", copy / "same under another name.csv")
    assert codomain.open(copy / "s.space").generation == before
    assert "already" in capfd.readouterr().err
    whole(copy, data)


def test_the_file_that_a_space_was_made_from_is_not_added_to_it(copy: Path) -> None:
    add(copy / "s.space", copy / "old.csv")
    assert len(codomain.open(copy / "s.space")) == 60


def test_after_a_rollback_the_file_can_be_added_again(copy: Path, data: Path) -> None:
    before = codomain.open(copy / "s.space").generation
    add(copy / "s.space", copy / "new.csv").space.rollback(before)
    assert len(codomain.open(copy / "s.space")) == 60
    add(copy / "s.space", copy / "new.csv")
    whole(copy, data)


def test_a_study_of_one_file_does_not_drop_rows_that_were_added_from_another(copy: Path, data: Path) -> None:
    add(copy / "s.space", copy / "new.csv")
    with pytest.raises(UserError, match=r"(?s)added from new\.csv.*codomain study"):
        study(copy / "old.csv", text="text", encoder=STATIC, space=copy / "s.space")
    whole(copy, data)


PROGRAM = """
import os, pathlib, signal, sys
from codomain.workbench import add
left = int(sys.argv[3])
seen = 0
def counted(real):
    def call(*args, **kwargs):
        global seen
        seen += 1
        if seen == left:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    return call
for owner, name in ((os, "fsync"), (os, "link"), (pathlib.Path, "replace"), (pathlib.Path, "rename"),
                    (pathlib.Path, "unlink")):
    setattr(owner, name, counted(getattr(owner, name)))
add(sys.argv[1], sys.argv[2])
print(seen)
"""


def started(folder: Path, kill_at: int) -> subprocess.Popen[str]:
    """Add in a process of its own, which kills itself before the given change of the disk."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder / "s.space"), str(folder / "new.csv"), str(kill_at)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_an_add_killed_at_any_change_of_the_disk_is_completed_by_the_same_command(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "whole")
    process = started(tmp_path / "whole", 0)
    events = int(process.communicate(timeout=120)[0])
    assert events > 20
    for kill_at in {1, 2, 3, 4, 5, 7, 9, 12, 15, *range(20, events + 1, max(1, events // 12))}:
        folder = tmp_path / str(kill_at)
        shutil.copytree(data, folder)
        process = started(folder, kill_at)
        process.communicate(timeout=120)
        assert process.returncode == -9
        assert len(codomain.open(folder / "s.space", mend=True)) in (60, 66)
        add(folder / "s.space", folder / "new.csv")
        whole(folder, data)


def test_an_add_killed_after_its_rows_are_sealed_is_completed(copy: Path, data: Path, monkeypatch) -> None:
    from codomain.workbench import run

    def stopped(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run, "_finish", stopped)
        add(copy / "s.space", copy / "new.csv")
    assert len(codomain.open(copy / "s.space")) == 66 and not codomain.open(copy / "s.space").studied
    add(copy / "s.space", copy / "new.csv")
    whole(copy, data)


def test_a_full_disk_stops_an_add_in_words_and_the_same_command_completes_it(copy: Path, data: Path) -> None:
    """A limit on file size meets a writer as a full disk does."""
    resource = pytest.importorskip("resource")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, old[1]))
    try:
        with pytest.raises(UserError, match="disk is full"):
            add(copy / "s.space", copy / "new.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert len(codomain.open(copy / "s.space")) == 60
    add(copy / "s.space", copy / "new.csv")
    whole(copy, data)


def test_two_adds_of_one_file_at_once_add_it_once(copy: Path, data: Path) -> None:
    both = [started(copy, 0), started(copy, 0)]
    for process in both:
        _, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
    whole(copy, data)


def test_a_study_waits_for_an_add_and_deletes_none_of_its_work(copy: Path) -> None:
    pytest.importorskip("fcntl")
    work = copy / "s.space" / "work" / "encode"
    work.mkdir(parents=True)
    (work / "ledger.jsonl").write_text("the half of an add")
    program = f"from codomain.workbench import study; study({str(copy / 's.space')!r}); print('done')"
    with working(copy / "s.space"):
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "COLUMNS": "1000"},
        )  # fmt: skip
        assert process.stderr
        assert "Another command works on" in process.stderr.readline()
        assert process.poll() is None
    assert process.communicate(timeout=120)[0] == "done\n"
    assert (work / "ledger.jsonl").read_text() == "the half of an add"


def test_an_export_never_replaces_the_file_that_the_space_was_made_from(copy: Path) -> None:
    space, source = codomain.open(copy / "s.space"), copy / "old.csv"
    before = source.read_bytes()
    for name in ("old.csv", "copied.csv"):
        (copy / name).write_bytes(before)
        with pytest.raises(UserError, match="--force"):
            export_space(space, copy / name)
        assert (copy / name).read_bytes() == before
    source.write_text("edited since\n")
    with pytest.raises(UserError, match="--force"):
        export_space(space, source)
    export_space(space, copy / "other.csv")
    export_space(space, copy / "other.csv")  # its own file it replaces
    export_space(space, source, force=True)
    assert source.read_bytes() == (copy / "other.csv").read_bytes()


def test_an_export_that_fails_leaves_the_old_file_whole(copy: Path) -> None:
    resource = pytest.importorskip("resource")
    space, out = codomain.open(copy / "s.space"), copy / "out.csv"
    out.write_text("precious\n")
    space.rows(), space.parts.groups.labels
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        with pytest.raises(OSError, match=r"File too large|too large"):
            export_space(space, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert out.read_text() == "precious\n"
    assert sorted(path.name for path in copy.glob("*out*")) == ["out.csv"]


def test_lists_and_structs_are_json_text_in_an_exported_csv(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = pa.table({
        "tags": [[str(n), "ü"] for n in range(20)],
        "place": [{"x": n, "y": None} for n in range(20)],
    })  # fmt: skip
    np.save(tmp_path / "v.npy", rng.standard_normal((20, 8)).astype(np.float32))
    parquet.write_table(rows, tmp_path / "rows.parquet")
    space = study(tmp_path / "rows.parquet", vectors=tmp_path / "v.npy", text="", space=tmp_path / "s.space").space
    export_space(space, tmp_path / "out.csv")
    found = csv.read_csv(tmp_path / "out.csv")
    assert found["tags"][3].as_py() == '["3", "ü"]' and found["place"][3].as_py() == '{"x": 3, "y": null}'


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_an_export_to_a_link_writes_the_file_that_it_points_to(copy: Path) -> None:
    (copy / "real.csv").write_text("old\n")
    (copy / "link.csv").symlink_to("real.csv")
    export_space(codomain.open(copy / "s.space"), copy / "link.csv")
    assert (copy / "link.csv").is_symlink() and csv.read_csv(copy / "real.csv").num_rows == 60
