"""What a space holds is what was put into it."""

import hashlib
import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_spaces import ENCODER, make_rich, make_space, rows_of, vectors_of

import codomain
from codomain.core import EncoderIdentity, EncoderMismatch, UserError, sealed
from codomain.space import Roles, rows, study_problems, text_hashes, work_folder


@pytest.fixture
def space(tmp_path):
    return make_space(tmp_path / "s")


@pytest.fixture
def rich(tmp_path):
    return make_rich(tmp_path / "s")


def test_a_space_gives_back_what_was_written(space):
    again = codomain.open(space.path)
    np.testing.assert_array_equal(np.asarray(again.vectors), vectors_of(0, 20))
    assert again.rows().to_pydict() == rows_of(0, 20)
    assert (len(again), again.shape, again.generation, again.encoder) == (20, (20, 4), 1, ENCODER)
    assert (again.roles, again.columns) == (Roles(text="text", id="key"), ("key", "text", "year"))


def test_numpy_and_pandas_open_the_files_of_a_space(space):
    array = np.load(next(space.path.glob("vectors-*.npy")), allow_pickle=False)
    np.testing.assert_array_equal(array, vectors_of(0, 20))
    frame = pd.read_parquet(next(space.path.glob("rows-*.parquet")))
    assert frame["text"].tolist() == rows_of(0, 20)["text"]


def test_files_are_named_by_their_content_and_sealed(space):
    seals = json.loads((space.path / "manifests" / "1.json").read_text())["seals"]
    for path in [*space.path.glob("vectors-*"), *space.path.glob("rows-*")]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.stem.endswith(digest[:16]) and seals[path.name]["sha256"] == digest


def test_rows_are_written_with_page_checksums_and_small_groups(tmp_path):
    n = 30_000
    space = codomain.write(tmp_path / "s", {"a": np.arange(n)}, np.ones((n, 2), np.float32) + np.arange(n)[:, None])
    footer = pq.ParquetFile(next(space.path.glob("rows-*.parquet"))).metadata
    assert max(footer.row_group(g).num_rows for g in range(footer.num_row_groups)) <= 25_000
    assert footer.row_group(0).column(0).compression == "ZSTD"
    np.testing.assert_array_equal(space.take(np.arange(n)[::-7])["a"].to_numpy(), np.arange(n)[::-7])


def test_two_writes_of_the_same_rows_agree_in_everything_but_the_time(tmp_path):
    for name in ("one", "two"):
        space = codomain.write(tmp_path / name, rows_of(0, 9), vectors_of(0, 9), encoder=ENCODER)
        space.put("p", {"a.npy": np.arange(3), "b.json": {"z": 1, "a": 2}}, made_from="x")
    one, two = (
        {p.relative_to(tmp_path / name): p for p in (tmp_path / name).rglob("*") if p.is_file()}
        for name in ("one", "two")
    )
    assert one.keys() == two.keys()
    for name in one:
        if name.parts[0] == "manifests":
            a, b = (json.loads(side[name].read_text()) for side in (one, two))
            assert {**a, "when": 0, "parent": 0} == {**b, "when": 0, "parent": 0}
        elif name.name != "HEAD":
            assert one[name].read_bytes() == two[name].read_bytes()


def test_writing_the_same_again_changes_nothing(space):
    again = codomain.write(
        space.path, rows_of(0, 20), vectors_of(0, 20), encoder=ENCODER, roles=Roles(text="text", id="key")
    )
    assert again.generation == 1 and len(list(space.path.glob("vectors-*"))) == 1


def test_other_rows_replace_a_space_only_when_told_to(space):
    with pytest.raises(UserError, match="already a space with other rows"):
        codomain.write(space.path, rows_of(0, 3), vectors_of(0, 3), encoder=ENCODER)
    new = codomain.write(space.path, rows_of(0, 3), vectors_of(0, 3), encoder=ENCODER, replacing=True)
    assert (len(new), new.generation, len(new.rollback(1))) == (3, 2, 20)


@pytest.mark.parametrize(
    "rows",
    [
        pa.table({"a": [1, 2, 3]}),
        {"a": np.array([1, 2, 3])},
        pd.DataFrame({"a": [1, 2, 3]}),
        pa.table({"a": [1, 2, 3]}).to_reader(),
        [{"a": 1}, {"a": 2}, {"a": 3}],
    ],
    ids=["arrow", "dict", "pandas", "stream", "records"],
)
def test_rows_in_memory_are_taken_in_every_form(tmp_path, rows):
    space = codomain.write(tmp_path / "s", rows, vectors_of(0, 3))
    assert space.rows().to_pydict() == {"id": [0, 1, 2], "a": [1, 2, 3]}
    assert space.encoder == EncoderIdentity.given(4)


def test_categories_and_a_pandas_index_become_plain_columns(tmp_path):
    frame = pd.DataFrame({"kind": pd.Categorical(["a", "b", "a"])}, index=["x", "y", "z"])
    space = codomain.write(tmp_path / "s", frame, vectors_of(0, 3), roles=Roles(id="index"))
    assert space.rows().to_pydict() == {"index": ["x", "y", "z"], "kind": ["a", "b", "a"]}


def test_bare_vectors_and_bare_texts_make_a_space(tmp_path):
    assert codomain.write(tmp_path / "v", None, vectors_of(0, 3)).rows().to_pydict() == {"id": [0, 1, 2]}
    texts = codomain.write(tmp_path / "t", ["a", "b", "c"], vectors_of(0, 3))
    assert texts.roles == Roles(text="text", id="id")


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int8, ">f4"])
def test_vectors_of_any_number_type_are_stored_as_float32(tmp_path, dtype):
    X = (vectors_of(0, 5) * 10).astype(dtype)
    space = codomain.write(tmp_path / "s", None, np.asfortranarray(X))
    assert space.vectors[:].dtype == np.float32
    np.testing.assert_array_equal(space.vectors[:], X.astype(np.float32))


def test_user_columns_may_be_called_like_internal_ones(tmp_path):
    names = ["id", "row", "_content_hash", "_content_hash_1", "__index_level_0__", "vectors"]
    columns = {name: [f"{name}{n % 2}" for n in range(4)] for name in names}
    space = codomain.write(tmp_path / "s", columns, vectors_of(0, 4))
    space = space.append(columns, vectors_of(4, 4), encoder=space.encoder)
    assert space.roles.id == "row_1" and space.rows(["row_1"])["row_1"].to_pylist() == list(range(8))
    columns["index"] = columns.pop("__index_level_0__")
    assert space.rows(list(columns)).to_pydict() == {name: values * 2 for name, values in columns.items()}
    assert len(set(space.hashes)) == 8


def test_the_content_hash_is_of_the_text_or_else_of_the_vector(space, tmp_path):
    expected = [hashlib.blake2b(t.encode(), digest_size=16).hexdigest().encode() for t in rows_of(0, 20)["text"]]
    assert space.hashes.dtype == "S32" and space.hashes.tolist() == expected
    assert text_hashes(rows_of(0, 20)["text"]).tolist() == expected
    X = vectors_of(0, 3)
    bare = codomain.write(tmp_path / "bare", None, X)
    assert bare.hashes.tolist() == [hashlib.blake2b(x.tobytes(), digest_size=16).hexdigest().encode() for x in X]


@pytest.mark.parametrize(
    "key",
    [3, -1, slice(None), slice(2, 9), slice(25, 3, -4), slice(5, 5), [3, 26, 0, 3], np.arange(27) % 3 == 0,
     np.array([[1, 2], [25, 26]]), []],
)  # fmt: skip
def test_vectors_over_shards_are_indexed_like_an_array(rich, key):
    np.testing.assert_array_equal(
        rich.vectors[key], vectors_of(0, 27)[np.array(key, int) if isinstance(key, list) else key]
    )


def test_vectors_of_one_shard_are_a_read_only_view_of_the_file(space):
    view = space.vectors[2:5]
    assert not view.flags.writeable and np.shares_memory(view, space.vectors[:])
    with pytest.raises(IndexError, match="Row 20 is not among 20"):
        space.vectors[20]
    with pytest.raises(IndexError, match=r"shape \(20,\)"):
        space.vectors[np.ones(3, bool)]


@pytest.mark.parametrize("size", [1, 4, 20, 27, 100])
def test_blocks_put_together_are_the_whole(rich, size):
    starts, blocks = zip(*rich.vectors.blocks(size), strict=True)
    assert list(starts) == list(range(0, 27, size))
    np.testing.assert_array_equal(np.concatenate(blocks), np.asarray(rich.vectors))


@pytest.mark.parametrize("chosen", [[5, 1, 1, 26, -1], [], np.arange(27) > 20, 3, np.array([20, 19])])
def test_rows_are_taken_in_the_order_asked_for(rich, chosen, monkeypatch):
    monkeypatch.setattr(rows, "KEPT", 100)  # so small that every group is thrown out again
    expected = pa.table(rows_of(0, 27)).take(
        pa.array(np.arange(27)[np.array(chosen, int) if isinstance(chosen, list) else chosen].reshape(-1))
    )
    assert rich.take(chosen).to_pydict() == expected.to_pydict()
    assert rich.take(chosen, ["year"]).to_pydict() == expected.select(["year"]).to_pydict()
    assert rich.take(chosen).to_pydict() == expected.to_pydict()


def test_a_row_is_found_by_its_id(rich, tmp_path):
    assert rich.row_of("k26") == 26
    with pytest.raises(UserError, match=r"No row of .* has the id 'nine'"):
        rich.row_of("nine")
    numbered = codomain.write(tmp_path / "n", None, vectors_of(0, 3))
    assert numbered.row_of(2) == numbered.row_of("2") == 2
    with pytest.raises(UserError, match="such as 0, 1, 2"):
        numbered.row_of("two")


def test_a_missing_column_is_named_with_the_nearest_spelling(space):
    with pytest.raises(UserError, match="no column 'txt'; the columns are 'key', 'text', 'year'; did you mean 'text'"):
        space.rows(["txt"])


def test_a_part_gives_back_arrays_json_and_paths(space, tmp_path):
    moved = tmp_path / "big.faiss"
    moved.write_bytes(b"index")
    files = {"a.npy": np.eye(3), "b.json": {"x": [1, None]}, "c.json": [1], "d.bin": b"\x01", "e.faiss": moved}
    part = space.put("index", files, made_from="rows+1").part("index")
    np.testing.assert_array_equal(part["a.npy"], np.eye(3))
    assert (part["b.json"], part["c.json"]) == ({"x": [1, None]}, [1])
    assert part["d.bin"].read_bytes() == b"\x01" and part.path("e.faiss").read_bytes() == b"index"
    assert not moved.exists() and part.made_from == "rows+1" and part.versions["numpy"] == np.__version__
    assert set(part.files) == set(files) and "a.npy" in part
    with pytest.raises(UserError, match=r"no file 'a.np'.*\n.*did you mean 'a.npy'"):
        part["a.np"]
    with pytest.raises(UserError, match=r"(?s)no part 'indx'; did you mean 'index'.*codomain study"):
        codomain.open(space.path).part("indx")


def test_a_part_in_an_unsafe_form_is_refused(space):
    for files, words in [({"a.json": np.eye(2)}, "ending in .npy"), ({"../a": b""}, "cannot name a file"),
                         ({"a": object()}, "no safe form")]:  # fmt: skip
        with pytest.raises(UserError, match=words):
            space.put("p", files, made_from="")
    with pytest.raises(TypeError, match="no safe form"):
        space.put("p", {"a.npy": np.array([None])}, made_from="")
    assert codomain.open(space.path).generation == 1 and not list(space.path.glob(".new-*"))


def test_a_view_stays_as_it_was_when_the_space_moves_on(space):
    more = space.append(rows_of(20, 5), vectors_of(20, 5), encoder=ENCODER)
    assert (len(space), len(more), len(codomain.open(space.path, generation=1))) == (20, 25, 20)
    with pytest.raises(UserError, match="no generation 9"):
        codomain.open(space.path, generation=9)


def test_a_stale_view_may_not_change_the_rows(space):
    space.append(rows_of(20, 5), vectors_of(20, 5), encoder=ENCODER)
    for change in (
        lambda: space.append(rows_of(30, 5), vectors_of(30, 5), encoder=ENCODER),
        lambda: space.put("p", {"a.json": {}}, made_from=""),
        lambda: space.rollback(1),
    ):
        with pytest.raises(UserError, match=r"(?s)has moved on.*codomain\.open"):
            change()
    assert codomain.open(space.path).generation == 2


def test_parts_put_from_views_of_the_same_rows_are_all_kept(space):
    one, two = codomain.open(space.path), codomain.open(space.path)
    one.put("a", {"a.json": {}}, made_from="")
    both = two.put("b", {"b.json": {}}, made_from="")
    assert set(both.parts) == {"a", "b"} and both.generation == 3
    assert set(two.drop("b").parts) == {"a"} if "b" in two.parts else set(both.drop(["b"]).parts) == {"a"}


def test_what_was_rolled_back_is_still_there(rich):
    old = rich.rollback(1)
    assert (old.generation, len(old), dict(old.parts)) == (5, 20, {})
    assert old.fingerprint == codomain.open(rich.path, generation=1).fingerprint
    assert len(old.rollback(4)) == 27
    assert [(g.number, g.rows, g.parts) for g in codomain.open(rich.path).log()] == [
        (1, 20, ()), (2, 20, ("health",)), (3, 27, ("health",)), (4, 27, ("health", "index")), (5, 20, ()),
        (6, 27, ("health", "index")),
    ]  # fmt: skip


def test_gc_keeps_what_the_kept_generations_need_and_nothing_else(rich):
    (work_folder(rich.path) / "encode").mkdir()
    (rich.path / "work" / "encode" / "half").write_bytes(b"123")
    orphan = b"as a killed writer leaves it"
    (rich.path / f"vectors-{hashlib.sha256(orphan).hexdigest()[:16]}.npy").write_bytes(orphan)
    (rich.path / "mine.txt").write_text("not the space's")
    small = rich.rollback(1)
    before = sum(p.stat().st_size for p in rich.path.rglob("*") if p.is_file())
    freed = small.gc(keep=1)
    after = sum(p.stat().st_size for p in rich.path.rglob("*") if p.is_file())
    head_shrank = before - after - freed
    assert 0 <= head_shrank < 1000 and freed > 0
    assert {p.name.split("-")[0] for p in rich.path.iterdir()} == {
        "HEAD", ".lock", ".working", "manifests", "vectors", "rows", "mine.txt"
    }  # fmt: skip
    again = codomain.open(rich.path)
    assert (len(again), [g.number for g in again.log()]) == (20, [5])
    assert again.append(rows_of(20, 1), vectors_of(20, 1), encoder=ENCODER).generation == 6


def test_gc_keeps_by_default_the_way_back_to_before_the_rows_last_changed(rich):
    found = rich.garbage()
    assert (found.kept, found.forgotten) == ((2, 4), (1, 3))  # 1 and 2 have the first rows, 3 and 4 the later ones
    assert set(found.files) == {"manifests/1.json", "manifests/3.json"}
    assert found.bytes == sum((rich.path / name).stat().st_size for name in found.files) == rich.gc()
    assert not any((rich.path / name).exists() for name in found.files)
    assert len(codomain.open(rich.path).rollback(2)) == 20


def test_gc_leaves_files_that_no_generation_made_whatever_they_are_called(rich):
    mine = ["vectors-mine.npy", f"vectors-{'0' * 16}.npy", f"rows-{'1' * 16}.parquet", "rows.csv", "parts/notes.txt",
            f"parts/health-{'2' * 16}/x.npy", "manifests/old.json", "manifests/77.json", "work/todo.txt"]  # fmt: skip
    for name in mine:
        (rich.path / name).parent.mkdir(exist_ok=True)
        (rich.path / name).write_text('{"a person": "wrote this"}')
    rich.rollback(1).gc(keep=1)
    assert all((rich.path / name).read_text() == '{"a person": "wrote this"}' for name in mine)


def test_work_is_removed_when_its_stage_commits(space):
    for stage in ("health", "encode", "map"):
        (space.work / stage).mkdir()
        (space.work / stage / "ledger").write_text("x")
    space = space.put("health", {"h.json": {}}, made_from="")
    assert sorted(p.name for p in space.work.iterdir()) == ["encode", "map"]
    space = space.append(rows_of(20, 1), vectors_of(20, 1), encoder=ENCODER)
    assert sorted(p.name for p in space.work.iterdir()) == ["map"]


def test_work_may_begin_before_the_space_is_there(tmp_path):
    (work_folder(tmp_path / "s") / "encode").mkdir()
    assert len(codomain.write(tmp_path / "s", None, vectors_of(0, 3))) == 3
    assert not (tmp_path / "s" / "work" / "encode").exists()


def test_appended_rows_must_fit(space):
    other = EncoderIdentity(name="toy", sha256="cd" * 32, dim=4)
    with pytest.raises(EncoderMismatch, match="sha256"):
        space.append(rows_of(20, 1), vectors_of(20, 1), encoder=other)
    with pytest.raises(UserError) as error:
        space.append(rows_of(18, 4), np.vstack([vectors_of(0, 3), [[np.nan] * 4]]), encoder=ENCODER)
    assert "rows 0, 1: the id in 'key' is there already ('k18', 'k19')" in str(error.value)
    assert "row 3: the vector has NaN" in str(error.value)
    with pytest.raises(UserError, match=r"(?s)no column 'year'.*'yeer': no such column"):
        rows = rows_of(20, 1)
        space.append({"yeer": rows.pop("year"), **rows}, vectors_of(20, 1), encoder=ENCODER)
    with pytest.raises(UserError, match="'year' is of type string where int64 is needed"):
        space.append(rows_of(20, 1) | {"year": ["soon"]}, vectors_of(20, 1), encoder=ENCODER)
    assert codomain.open(space.path).generation == 1


def test_numbered_rows_go_on_counting_and_own_ids_are_kept(tmp_path):
    space = codomain.write(tmp_path / "s", {"a": ["x"]}, vectors_of(0, 1))
    space = space.append({"a": ["y", "z"]}, vectors_of(1, 2), encoder=space.encoder)
    assert space.rows().to_pydict() == {"id": [0, 1, 2], "a": ["x", "y", "z"]}
    own = space.append({"id": [77], "a": ["w"]}, vectors_of(3, 1), encoder=space.encoder)
    assert own.row_of(77) == 3
    with pytest.raises(UserError, match="no column 'id'"):
        own.append({"a": ["v"]}, vectors_of(4, 1), encoder=own.encoder)


def test_everything_wrong_with_a_write_is_said_at_once_and_nothing_is_written(tmp_path):
    X = vectors_of(0, 8)
    X[2], X[5, 0] = 0, np.inf
    ids = ["a", "b", "a", "", None, "c", "d", "a"]
    with pytest.raises(UserError) as error:
        codomain.write(tmp_path / "s", {"key": ids, "body": ids}, X, roles=Roles(text="bdy", id="key"))
    said = str(error.value)
    for words in (
        "5 problems (rows count from 0)",
        "no column 'bdy'",
        "did you mean 'body'",
        "row 5: the vector has NaN, infinity",
        "row 2: the vector is all zeros",
        "rows 3, 4: the id in 'key' is blank",
        "rows 2, 7: the id in 'key' is there already ('a', 'a')",
    ):
        assert words in said
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (np.ones(3), r"shape \(3,\)"),
        (np.ones((3, 2, 2)), "reshape"),
        (np.array([["a"], ["b"], ["c"]]), "not numbers"),
        (np.array([[None], [1], [2]]), "not numbers"),
        (np.ones((2, 2)), "2 vectors and 3 rows"),
        (np.ones((3, 0)), "at least one row and one column"),
        ([[1, 2], [3]], "of one width|one width"),
        (np.full((3, 1), 1e300), "rows 0, 1, 2: the vector has NaN, infinity"),
        (1j * np.ones((3, 2)), "not numbers"),
    ],
)
def test_vectors_that_cannot_be_stored_are_refused(tmp_path, vectors, words):
    with pytest.raises(UserError, match=words):
        codomain.write(tmp_path / "s", {"a": [1, 2, 3]}, vectors)


def test_zero_vectors_of_an_encoder_are_kept_and_given_ones_refused(tmp_path):
    X = vectors_of(0, 3)
    X[1] = 0
    assert len(codomain.write(tmp_path / "s", None, X, encoder=ENCODER)) == 3
    with pytest.raises(UserError, match="points nowhere"):
        codomain.write(tmp_path / "t", None, X)


def test_tiny_and_huge_numbers_are_no_problem(tmp_path):
    X = np.array([[1e-30, 0], [1e30, 1e30]], np.float32)  # squares that leave float32 on both sides
    np.testing.assert_array_equal(codomain.write(tmp_path / "s", None, X).vectors[:], X)


def test_a_study_needs_three_rows_that_differ():
    assert "at least 3" in study_problems(vectors_of(0, 2))[0]
    assert "are the same" in study_problems(np.ones((5, 2)))[0]
    assert study_problems(vectors_of(0, 3)) == []


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UserError, match=r"no space, and it holds mine.txt"):
        codomain.write(tmp_path, None, vectors_of(0, 3))
    with pytest.raises(UserError, match="is a file"):
        codomain.write(tmp_path / "mine.txt", None, vectors_of(0, 3))
    for path, words in [
        (tmp_path / "no", "does not exist"),
        (tmp_path, "is no space"),
        (tmp_path / "mine.txt", "file"),
    ]:
        with pytest.raises(UserError, match=words):
            codomain.open(path)


def test_a_space_says_what_it_is(rich):
    assert "generation 4: 27 x 4, toy, 4-d, weights abababababab, parts: health, index" in repr(rich)
    assert "<caption>" in rich._repr_html_() and "27 x 4" in rich._repr_html_()


def test_markup_in_names_is_escaped(tmp_path):
    space = codomain.write(tmp_path / "s", {"<b>": [1, 2, 3]}, vectors_of(0, 3), note="<script>")
    assert "<script>" not in space._repr_html_() and "&lt;b&gt;" in space._repr_html_()


def test_large_files_are_checked_block_by_block_when_they_are_touched(tmp_path, monkeypatch):
    from codomain.core import DamagedError
    from codomain.space import files, vectors

    for module in (sealed, files, vectors):
        monkeypatch.setattr(module, "BLOCK", 4096, raising=False)
    monkeypatch.setattr(files, "CHECKED_AT_OPEN", 30_000)
    X = vectors_of(0, 4000)  # 64 kB: 16 blocks
    space = codomain.write(tmp_path / "s", None, X)
    path = next(space.path.glob("vectors-*"))
    data = bytearray(path.read_bytes())
    data[40_000] ^= 4  # in row (40000 - 128) // 16
    path.write_bytes(data)
    space = codomain.open(tmp_path / "s")
    np.testing.assert_array_equal(space.vectors[:2000], X[:2000])
    np.testing.assert_array_equal(space.vectors[[3, 3900]], X[[3, 3900]])
    for touch in (2492, slice(2000, 3000), [1, 2492], np.arange(4000) == 2492):
        with pytest.raises(DamagedError, match=path.name):
            space.vectors[touch]
    with pytest.raises(DamagedError, match=path.name):
        np.asarray(space.vectors)


def test_vectors_in_memory_are_the_same_and_outlive_their_file(tmp_path):
    space = make_space(tmp_path / "s")
    space = space.append(rows_of(20, 5), vectors_of(20, 5), encoder=ENCODER)
    space.vectors.load()
    for path in space.path.glob("vectors-*.npy"):
        os.truncate(path, 10)
    np.testing.assert_array_equal(np.asarray(space.vectors), vectors_of(0, 25))
    np.testing.assert_array_equal(space.vectors[[24, 3]], vectors_of(0, 25)[[24, 3]])
    with pytest.raises(ValueError, match="read-only"):
        space.vectors[:3][0] = 1
