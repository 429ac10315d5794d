"""Rows get other vectors in one step, or nothing changes."""

import time
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest
from small_spaces import ENCODER, make_rich, make_space, vectors_of

import codomain
from codomain.core import EncoderIdentity, UserError
from codomain.space import exchange
from codomain.space.commit import _work_ahead

OTHER = EncoderIdentity(name="other", sha256="cd" * 32, dim=6)


class Computed:
    """Vectors that exist only while they are read."""

    def __init__(self, X, fail_at=None):
        self.X, self.shape, self.dtype, self.fail_at, self.read = X, X.shape, X.dtype, fail_at, []

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        self.read.append((rows.start, rows.stop))
        if self.fail_at is not None and rows.stop > self.fail_at:
            raise UserError("a row failed")
        return self.X[rows]


def test_rows_and_tables_stay_and_vectors_and_encoder_change_over_every_shard(tmp_path):
    space = make_rich(tmp_path / "a.space")
    new = vectors_of(100, 27, 6)
    made = {}

    def parts(rows):
        made["rows"] = rows
        return {"health": (None, "kept"), "extra": ({"n.npy": np.arange(3)}, "new")}

    after = exchange(space, Computed(new), encoder=OTHER, parts=parts, note="moved")
    np.testing.assert_array_equal(np.asarray(after.vectors), new)
    assert after.encoder == OTHER and after.shape == (27, 6)
    assert after.rows().equals(space.rows()) and (after.hashes == space.hashes).all()
    assert set(after.parts) == {"health", "extra"}
    assert after.parts["health"].made_from == "kept"
    np.testing.assert_array_equal(after.part("health")["x.npy"], np.arange(50))
    assert made["rows"] == after.fingerprint != space.fingerprint
    again = codomain.open(space.path)
    np.testing.assert_array_equal(np.asarray(again.vectors), new)
    assert again.log()[-1].note == "moved"


def test_rollback_brings_vectors_encoder_and_parts_back(tmp_path):
    space = make_rich(tmp_path / "a.space")
    old = np.asarray(space.vectors).copy()
    back = exchange(space, vectors_of(100, 27, 6), encoder=OTHER, note="moved").rollback(space.generation)
    np.testing.assert_array_equal(np.asarray(back.vectors), old)
    assert back.encoder == ENCODER and set(back.parts) == set(space.parts)
    assert back.fingerprint == space.fingerprint


def test_without_text_the_content_hash_is_of_the_new_vectors(tmp_path):
    space = codomain.write(tmp_path / "a.space", None, vectors_of(0, 9))
    new = vectors_of(50, 9, 6)
    after = exchange(space, new, encoder=OTHER, note="moved")
    fresh = codomain.write(tmp_path / "b.space", None, new, encoder=OTHER)
    assert (after.hashes == fresh.hashes).all() and not (after.hashes == space.hashes).any()
    assert after.rows().equals(space.rows())


@pytest.mark.parametrize("shape", [(20, 4), (19, 6), (21, 6)])
def test_vectors_of_another_shape_are_refused(tmp_path, shape):
    space = make_space(tmp_path / "a.space")
    with pytest.raises(UserError, match=r"\(20, 6\)"):
        exchange(space, np.ones(shape, np.float32), encoder=OTHER, note="")


def test_a_failure_half_way_leaves_the_space_as_it_was(tmp_path):
    space = make_rich(tmp_path / "a.space")
    before = sorted(path.relative_to(space.path) for path in space.path.rglob("*") if path.name != ".lock")
    with pytest.raises(UserError, match="a row failed"):
        exchange(space, Computed(vectors_of(0, 27, 6), fail_at=22), encoder=OTHER, note="")
    after = sorted(path.relative_to(space.path) for path in space.path.rglob("*") if path.name != ".lock")
    assert after == before
    assert codomain.open(space.path).generation == space.generation


def test_a_view_of_earlier_rows_may_not_exchange_them(tmp_path):
    space = make_space(tmp_path / "a.space")
    rows = pa.table({"key": ["new"], "text": ["new text"], "year": [2001]})
    space.append(rows, vectors_of(70, 1), encoder=ENCODER)
    with pytest.raises(UserError, match="moved on"):
        exchange(space, vectors_of(0, 20, 6), encoder=OTHER, note="")


def test_chunks_made_ahead_come_in_order_and_their_error_comes_through():
    def maker(number):
        def make():
            time.sleep(0.01 * (number % 2))  # later ones may be done first
            if number == 5:
                raise ValueError("the disk of the reader")
            return bytes([number])

        return make

    seen = []
    with pytest.raises(ValueError, match="the disk of the reader"):
        for chunk in _work_ahead(maker(number) for number in range(9)):
            seen.append(chunk)
    assert seen == [b"\0", b"\1", b"\2", b"\3", b"\4"]


def test_a_file_of_several_sealed_blocks_has_the_hashes_of_its_bytes(tmp_path):
    X = np.random.default_rng(0).standard_normal((9_000, 4_000)).astype(np.float32)  # 144 MB: three blocks
    space = codomain.write(tmp_path / "s", None, X)
    path = next(space.path.glob("vectors-*.npy"))
    np.testing.assert_array_equal(np.load(path), X)
    data, seal = path.read_bytes(), space._manifest.seals[path.name]
    assert seal.sha256 == sha256(data).hexdigest() and seal.bytes == len(data)
    assert list(seal.blocks) == [sha256(data[at : at + 2**26]).hexdigest() for at in range(0, len(data), 2**26)]
