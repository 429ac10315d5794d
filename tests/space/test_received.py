"""A space from a stranger: whatever its manifest says, nothing outside it is read or written, and nothing is mapped
that its files do not hold."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_spaces import ENCODER, make_rich, make_space, rows_of, vectors_of

import codomain
from codomain.core import DamagedError, UserError
from codomain.core.sealed import canonical, seal_of

HERE = Path(__file__).parent


def forge(path, change, generation=1):
    """Change a manifest as a stranger can, with every hash made to fit."""
    file = path / "manifests" / f"{generation}.json"
    manifest = json.loads(file.read_bytes())
    change(manifest)
    file.write_bytes(canonical(manifest, indent=1))
    head = json.loads((path / "HEAD").read_bytes())
    head["manifests"][str(generation)] = hashlib.sha256(file.read_bytes()).hexdigest()
    head.pop("check")
    head["check"] = hashlib.sha256(canonical(head, indent=1)).hexdigest()
    (path / "HEAD").write_bytes(canonical(head, indent=1))


def rename(manifest, kind, name):
    old = manifest["shards"][0][kind]
    manifest["shards"][0][kind] = name
    manifest["seals"][str(name)] = manifest["seals"].pop(old)


def test_a_forged_manifest_that_changes_nothing_is_opened(tmp_path):
    space = make_space(tmp_path / "s")
    forge(space.path, lambda manifest: None)
    assert len(codomain.open(space.path)) == 20


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/passwd", "vectors-x.npy", "work/v.npy", "C:\\x.npy", 7, None])
@pytest.mark.parametrize("kind", ["vectors", "table"])
def test_a_path_that_no_space_has_is_refused_before_it_is_looked_at(tmp_path, kind, name):
    space = make_space(tmp_path / "s")
    (tmp_path / "outside.npy").write_bytes(next(space.path.glob("vectors-*")).read_bytes())
    forge(space.path, lambda manifest: rename(manifest, kind, name))
    with pytest.raises(DamagedError, match="does not describe a space"):
        codomain.open(space.path)


@pytest.mark.parametrize("folder", ["..", "../other", "/etc", "parts", "parts/p", "parts/../../other-0123456789abcdef"])
def test_a_part_outside_the_space_is_refused(tmp_path, folder):
    space = make_space(tmp_path / "s").put("p", {"a.json": [1]}, made_from="")

    def change(manifest):
        old = manifest["parts"]["p"]["folder"]
        manifest["parts"]["p"]["folder"] = folder
        manifest["seals"][f"{folder}/a.json"] = manifest["seals"].pop(f"{old}/a.json")

    forge(space.path, change, generation=2)
    with pytest.raises(DamagedError, match="no name of a file in a space"):
        codomain.open(space.path)


@pytest.mark.parametrize(
    "change",
    [
        {"dim": -4}, {"dim": 4.0}, {"dim": 10**12}, {"dim": True}, {"shards": []}, {"columns": []}, {"columns": [1]},
        {"rows": 21}, {"generation": 2}, {"encoder": {}}, {"encoder": None}, {"roles": 3}, {"seals": {}}, {"note": 5},
        {"parts": {"p": {}}}, {"unknown": 1}, {"origins": [1]},
    ],
    ids=str,
)  # fmt: skip
def test_a_manifest_of_other_kinds_of_values_is_refused(tmp_path, change):
    space = make_space(tmp_path / "s")
    forge(space.path, lambda manifest: manifest.update(change))
    with pytest.raises(DamagedError, match="does not describe a space"):
        codomain.open(space.path)


@pytest.mark.parametrize("rows", [0, 1, 19, 21, 2**62, -1])
def test_rows_that_the_files_do_not_hold_are_refused(tmp_path, rows):
    space = make_space(tmp_path / "s")

    def change(manifest):
        manifest["rows"] = manifest["shards"][0]["rows"] = rows

    forge(space.path, change)
    with pytest.raises(DamagedError, match=r"does not hold|above 0"):
        codomain.open(space.path)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((20, 4), "<f8"), np.zeros((20, 4), ">f4"), np.zeros((20, 5), "<f4"), np.zeros((4, 20), "<f4"),
        np.zeros((20, 4), "<f4", order="F"), np.zeros(80, "<f4"), np.zeros((10, 4), "<c8"),
    ],
    ids=lambda array: f"{array.dtype.str} {array.shape}",
)  # fmt: skip
def test_vectors_of_another_type_or_shape_are_refused_though_their_seal_is_right(tmp_path, array):
    space = make_space(tmp_path / "s")
    np.save(tmp_path / "forged.npy", array)
    seal = seal_of(tmp_path / "forged.npy")
    name = f"vectors-{seal.sha256[:16]}.npy"
    (tmp_path / "forged.npy").rename(space.path / name)

    def change(manifest):
        rename(manifest, "vectors", name)
        manifest["seals"][name] = seal.to_dict()

    forge(space.path, change)
    with pytest.raises(DamagedError, match="does not hold 20 x 4 numbers of type float32"):
        codomain.open(space.path)


@pytest.mark.parametrize("what", ["fewer rows", "other columns", "no table"])
def test_a_table_of_another_form_is_refused_though_its_seal_is_right(tmp_path, what):
    space = make_space(tmp_path / "s")
    table = pq.read_table(next(space.path.glob("rows-*")))
    file = tmp_path / "forged.parquet"
    pq.write_table(table.slice(0, 9) if what == "fewer rows" else table.select(["key"]), file)
    if what == "no table":
        file.write_bytes(b"PAR1" + bytes(400) + b"PAR1")
    seal = seal_of(file)
    name = f"rows-{seal.sha256[:16]}.parquet"
    file.rename(space.path / name)

    def change(manifest):
        rename(manifest, "table", name)
        manifest["seals"][name] = seal.to_dict()

    forge(space.path, change)
    with pytest.raises(DamagedError, match=name):
        codomain.open(space.path)


def test_a_seal_with_fewer_blocks_than_its_file_has_is_refused(tmp_path):
    space = make_space(tmp_path / "s")

    def change(manifest):
        for seal in manifest["seals"].values():
            seal["blocks"] = []

    forge(space.path, change)
    with pytest.raises(DamagedError, match="no file has the seal"):
        codomain.open(space.path)


@pytest.mark.parametrize(
    "where", ["vectors", "HEAD", "manifests", "parts", "work", "work/encode/vectors.npy", ".new-x"]
)
def test_a_link_out_of_the_space_is_refused_and_what_it_points_to_stays(tmp_path, where):
    space = make_space(tmp_path / "s").put("p", {"a.json": [1]}, made_from="")
    link = next(space.path.glob("vectors-*")) if where == "vectors" else space.path / where
    outside = tmp_path / "outside"
    if link.exists():
        link.rename(outside)
    else:
        outside.write_text("precious")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    before = {p: p.read_bytes() for p in [outside, *outside.rglob("*")] if p.is_file()}
    for act in (
        lambda: codomain.open(space.path),
        lambda: space.append(rows_of(20, 1), vectors_of(20, 1), encoder=ENCODER),
        lambda: space.gc(keep=1),
    ):
        with pytest.raises(DamagedError, match="outside the space"):
            act()
    assert before and before == {p: p.read_bytes() for p in [outside, *outside.rglob("*")] if p.is_file()}


def test_a_space_that_is_itself_reached_by_a_link_and_a_link_within_it_are_fine(tmp_path):
    space = make_space(tmp_path / "s")
    file = next(space.path.glob("vectors-*"))
    file.rename(space.path / "parts-elsewhere")
    file.symlink_to("parts-elsewhere")
    (tmp_path / "link").symlink_to(space.path)
    assert len(codomain.open(tmp_path / "link")) == 20


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("name", ["manifests/1.json", "vectors"])
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path, name):
    space = make_space(tmp_path / "s")
    file = next(space.path.glob("vectors-*")) if name == "vectors" else space.path / name
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(DamagedError, match="no"):
        codomain.open(space.path)


def test_json_that_nests_without_end_is_refused(tmp_path):
    space = make_space(tmp_path / "s")
    file = space.path / "manifests" / "1.json"
    file.write_bytes(b"[" * 200_000)
    head = json.loads((space.path / "HEAD").read_bytes())
    head["manifests"]["1"] = hashlib.sha256(file.read_bytes()).hexdigest()
    head.pop("check")
    head["check"] = hashlib.sha256(canonical(head, indent=1)).hexdigest()
    (space.path / "HEAD").write_bytes(canonical(head, indent=1))
    with pytest.raises(DamagedError, match="does not describe a space"):
        codomain.open(space.path)


@pytest.mark.parametrize("read", ["space.vectors[:]", "space.vectors[[900, 3]]", "list(space.vectors.blocks(100))",
                                  "space.part('p')['x.npy'].sum()", "space.rows()"])  # fmt: skip
def test_a_file_cut_short_while_it_is_open_is_an_error_and_not_the_end_of_the_process(tmp_path, read):
    codomain.write(tmp_path / "s", None, vectors_of(0, 1000, 64)).put("p", {"x.npy": np.ones(90_000)}, made_from="")
    kind = {"vectors": "vectors-*.npy", "part(": "parts/*/x.npy", "rows(": "rows-*.parquet"}
    glob = next(glob for word, glob in kind.items() if word in read)
    program = f"""
import codomain, os, pathlib
from codomain.core import DamagedError
space = codomain.open({str(tmp_path / "s")!r})
{read}
os.truncate(next(pathlib.Path({str(tmp_path / "s")!r}).glob({glob!r})), 4096 if {glob!r} != "rows-*.parquet" else 64)
try:
    {read}
except DamagedError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert "cut short" in done.stdout or "is damaged: it has" in done.stdout


def test_an_open_view_goes_on_when_its_files_are_removed_or_replaced(tmp_path):
    space = make_rich(tmp_path / "s")
    expected = np.array(space.vectors[:])
    for file in space.path.glob("vectors-*"):
        file.unlink()
    np.testing.assert_array_equal(space.vectors[:], expected)


def test_a_space_of_version_0_1_is_opened(tmp_path):
    import zipfile

    with zipfile.ZipFile(HERE / "space_0.1.0.zip") as file:
        file.extractall(tmp_path)
    found = next(path.parent for path in tmp_path.rglob("HEAD"))
    space = codomain.open(found)
    assert len(space) > 0 and space.origins == ()
    with pytest.raises(UserError, match="no generation"):
        codomain.open(found, generation=999)
