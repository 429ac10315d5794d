"""A migration that is killed leaves the old space or the new one, and the same command ends as if nothing had been."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy.stats import ortho_group

import codomain
from codomain.encode import resolve
from codomain.workbench import label_space, study

NEW = "static:wordllama"

# The command, which kills itself with SIGKILL before it changes a file in the folder for the n-th time. With n = 0 it
# lives, and prints what it changed.
PROGRAM = """
import os, runpy, signal, sys
folder, n, changes = sys.argv[1], int(sys.argv[2]), []

def hook(event, args):
    if event not in ("open", "os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"):
        return
    if event == "open" and not (isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)):
        return
    if str(args[0]).startswith(folder):
        changes.append(f"{event} {os.path.basename(str(args[1] if event == 'os.rename' else args[0]))}")
        if len(changes) == n:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
sys.argv = ["codomain", *sys.argv[3:]]
try:
    runpy.run_module("codomain", run_name="__main__")
finally:
    if not n:
        print("changes:", *changes, sep="\\n")
"""


def migrated(space: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    """Run the command and kill it at its n-th change; 0 for never."""
    wish = ["migrate", str(space), "--to", NEW, "--keep", "0.3", "--reencode", "0.1"]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(space.parent), str(kill_at), *wish],
        capture_output=True, text=True, timeout=600, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip


def state(space: Path) -> dict[str, Any]:
    """Return everything that a reader of a space meets, but the time at which it was written."""
    opened = codomain.open(space)
    found: dict[str, Any] = {"rows": opened.fingerprint, "vectors": np.asarray(opened.vectors).tobytes()}
    for name, part in opened.parts.items():
        for file in part.files:
            data = part.path(file).read_bytes()
            if file == "migration.json":
                record = json.loads(data)
                data = json.dumps({**record, "when": "", "asked": ""}).encode()
            found[f"{name}/{file}"] = data
        found[name] = part.made_from
    return found


@pytest.fixture(scope="module")
def studied(docstrings: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 texts with vectors of another encoder, studied, and labelled by people."""
    folder = tmp_path_factory.mktemp("data")
    rows = docstrings.slice(0, 240).select(["id", "text"])
    parquet.write_table(rows, folder / "docs.parquet")
    own = resolve(NEW).encode(rows["text"].to_pylist())
    np.save(folder / "old.npy", own @ ortho_group.rvs(256, random_state=0)[:, :200].astype(np.float32))
    path = study(
        folder / "docs.parquet", text="text", id="id", vectors=folder / "old.npy", space=folder / "docs.space"
    ).space.path
    names = ["short" if len(text) < 300 else "long" for text in rows["text"].to_pylist()]
    parquet.write_table(rows.select(["id"]).append_column("name", pa.array(names)), folder / "labels.parquet")
    label_space(path, labels=folder / "labels.parquet", column="name")
    return path


@pytest.mark.slow
def test_killed_anywhere_it_is_the_old_space_or_the_new_one_and_ends_the_same(studied: Path, tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        return Path(shutil.copytree(studied, tmp_path / name / "docs.space"))

    old, space = state(studied), copy("whole")
    before = codomain.open(space).generation
    whole = migrated(space, 0)
    assert whole.returncode == 0, whole.stderr
    new = state(space)
    assert new["vectors"] != old["vectors"] and new["labels"] != old["labels"]
    changes = whole.stdout.partition("changes:\n")[2].splitlines()
    heads = [number for number, change in enumerate(changes, 1) if change == "os.rename HEAD"]
    assert len(heads) > 6  # the vectors, five stages, the labels
    # Around the moment when the vectors change, in the middle of what follows, before the last change, and evenly.
    moments = {heads[0] - 2, heads[0], heads[0] + 1, heads[0] + 3, heads[2] + 4, heads[-1] - 1, heads[-1]}
    moments |= set(np.linspace(3, heads[-1] - 2, 6).astype(int).tolist())
    for moment in sorted(moments):
        space = copy(str(moment))
        killed = migrated(space, moment)
        assert killed.returncode == -9, (moment, killed.returncode, killed.stderr)
        left = state(space)
        if moment <= heads[0]:
            assert left == old
        else:  # what is there is as it will be; what is about old vectors is not there, or known to be old
            assert left["vectors"] == new["vectors"] and left["rows"] == new["rows"]
            parts = [name for name in left if "/" in name and not name.startswith("labels/")]
            assert all(left[name] == new[name] for name in parts)
            assert left["labels"] in (old["labels"], new["labels"])
        again = migrated(space, 0)
        assert again.returncode == 0, (moment, again.stderr)
        assert state(space) == new, moment
        assert not list(space.glob(".new-*")) and (space.parent / "docs-report.html").exists()
        codomain.open(space).rollback(before)
        assert state(space) == old, moment
        shutil.rmtree(space.parent)
