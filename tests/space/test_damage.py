"""One changed bit anywhere is refused, and the file is named."""

import json

import numpy as np
import pytest
from small_spaces import make_rich, make_space

import codomain
from codomain.core import DamagedError, UserError
from codomain.core.sealed import canonical

FILES = ["HEAD", "manifests/1.json", "manifests/2.json", "manifests/3.json", "manifests/4.json", "vectors-0",
         "vectors-1", "rows-0", "rows-1", "parts/health-0/health.json", "parts/health-0/x.npy",
         "parts/index-0/index.bin", "parts/index-0/n.json"]  # fmt: skip


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return make_rich(tmp_path_factory.mktemp("rich") / "s")


def named(path):
    """Every file under the names of FILES: the hash in a name becomes a count."""
    found = {}
    for file in sorted(p for p in path.rglob("*") if p.is_file() and p.name != ".lock"):
        name = file.relative_to(path).as_posix()
        if not name.startswith(("HEAD", "manifests")):
            start, _, rest = name.partition("-")
            tail = rest[16:] if name.startswith("parts") else ""
            name = next(f"{start}-{n}{tail}" for n in range(9) if f"{start}-{n}{tail}" not in found)
        found[name] = file
    return found


def test_the_list_of_files_below_is_whole(rich):
    assert sorted(named(rich.path)) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_refused(rich, name):
    file = named(rich.path)[name]
    whole = file.read_bytes()
    bits = 8 * len(whole)
    try:
        for bit in {0, bits - 1, *np.random.default_rng(len(whole)).integers(0, bits, 25).tolist()}:
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << (bit % 8)
            file.write_bytes(damaged)
            with pytest.raises(DamagedError, match=file.name):
                codomain.open(rich.path)
    finally:
        file.write_bytes(whole)
    assert len(codomain.open(rich.path)) == 27


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["half", "empty", "longer", "missing"])
def test_a_file_of_another_length_or_none_is_refused(rich, name, how):
    file = named(rich.path)[name]
    whole = file.read_bytes()
    try:
        if how == "missing":
            file.unlink()
        else:
            file.write_bytes({"half": whole[: len(whole) // 2], "empty": b"", "longer": whole + b"\n"}[how])
        with pytest.raises(DamagedError, match=file.name):
            codomain.open(rich.path)
    finally:
        file.write_bytes(whole)
    assert len(codomain.open(rich.path)) == 27


def test_a_head_that_was_changed_with_care_is_refused(rich):
    head = rich.path / "HEAD"
    whole = head.read_bytes()
    try:
        for change in ({"generation": 3}, {"format": 99}, {"manifests": {}}, {"check": "0" * 64}):
            head.write_bytes(canonical(json.loads(whole) | change, indent=1))
            with pytest.raises(DamagedError, match="HEAD"):
                codomain.open(rich.path)
        head.write_bytes(canonical(json.loads(whole)))  # the same values in another form
        with pytest.raises(DamagedError, match="HEAD"):
            codomain.open(rich.path)
    finally:
        head.write_bytes(whole)


def test_a_space_of_a_newer_version_is_refused(tmp_path, monkeypatch):
    from codomain.space import head

    monkeypatch.setattr(head, "FORMAT", head.FORMAT + 1)
    make_space(tmp_path / "s")
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"(?s)format 3.*format 2.*upgrade codomain") as error:
        codomain.open(tmp_path / "s")
    assert not isinstance(error.value, DamagedError)


def test_a_damaged_part_can_be_dropped_and_made_again(tmp_path):
    space = make_rich(tmp_path / "s")
    part = space.part("health").path("x.npy")
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(DamagedError, match="mend=True"):
        codomain.open(space.path)
    mended = codomain.open(space.path, mend=True)
    assert set(mended.parts) == {"index"}
    again = mended.put("health", {"health.json": {}, "x.npy": np.arange(50)}, made_from="a")
    assert set(again.parts) == {"index", "health"} == set(codomain.open(space.path).parts)


def test_dropping_a_damaged_part_mends_the_space(tmp_path):
    space = make_rich(tmp_path / "s")
    space.part("health").path("x.npy").unlink()
    assert set(codomain.open(space.path, mend=True).drop([]).parts) == {"index"}
    assert set(codomain.open(space.path).parts) == {"index"}


def test_labels_that_people_gave_are_never_dropped_to_mend_a_space(tmp_path):
    space = make_rich(tmp_path / "s").put("labels", {"given.parquet": b"answers", "head.json": {"a": 1}}, made_from="a")
    head = space.part("labels").path("head.json")
    head.write_bytes(b"{}")
    with pytest.raises(DamagedError, match="labels that people gave"):
        codomain.open(space.path, mend=True)
    assert space.part("labels").path("given.parquet").read_bytes() == b"answers"


def test_damaged_vectors_are_not_mended(tmp_path):
    space = make_space(tmp_path / "s")
    next(space.path.glob("vectors-*")).write_bytes(b"")
    with pytest.raises(DamagedError, match="vectors-"):
        codomain.open(space.path, mend=True)


def test_a_damaged_older_generation_cannot_be_rolled_back_to(tmp_path):
    space = make_space(tmp_path / "s").put("p", {"a.json": [1]}, made_from="")
    old = space.part("p").path("a.json")
    space = space.put("p", {"a.json": [2]}, made_from="")
    old.write_bytes(b"[3]\n")
    assert codomain.open(space.path).part("p")["a.json"] == [2]
    with pytest.raises(DamagedError, match=r"a\.json"):
        codomain.open(space.path, generation=2)
    with pytest.raises(DamagedError, match=r"a\.json"):
        space.rollback(2)
    assert codomain.open(space.path).generation == 3
