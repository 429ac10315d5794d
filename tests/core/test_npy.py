"""Arrays as bytes."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.core import npy as module
from codomain.core.npy import npy_chunks, npy_makers, pack_arrays, unpack_arrays


@given(n=st.integers(0, 30), width=st.integers(0, 4), kind=st.sampled_from(["<f4", "<i8", "|S3", "|b1"]))
def test_blocks_of_rows_join_to_the_file_that_numpy_writes(n, width, kind):
    X = np.arange(n * width).reshape(n, width).astype(kind)
    expected = io.BytesIO()
    np.save(expected, X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_STEP", 40)
        assert b"".join(bytes(chunk) for chunk in npy_chunks(X)) == expected.getvalue()
        assert b"".join(bytes(make()) for make in npy_makers(X, X.dtype)) == expected.getvalue()


def test_an_array_of_objects_is_refused():
    with pytest.raises(TypeError, match="no safe form"):
        list(npy_chunks(np.array([{}])))
    with pytest.raises(ValueError, match="Object arrays"):
        pack_arrays(b"some\n", [np.array([{}])])


@given(sizes=st.lists(st.integers(0, 9), max_size=5))
def test_what_was_packed_is_unpacked(sizes):
    arrays = [np.arange(size, dtype=kind) for size, kind in zip(sizes, "fdiqB", strict=False)]
    found = unpack_arrays(b"some arrays\n", pack_arrays(b"some arrays\n", arrays), len(arrays))
    assert [(one.dtype, one.tolist()) for one in found] == [(one.dtype, one.tolist()) for one in arrays]


def test_another_a_cut_and_a_longer_file_are_refused():
    data = pack_arrays(b"two 1\n", [np.arange(9), np.arange(3.0)])
    with pytest.raises(UserError, match="no file of 'two 2'"):
        unpack_arrays(b"two 2\n", data, 2)
    for kept in range(len(b"two 1\n"), len(data)):
        with pytest.raises(UserError, match="cut short"):
            unpack_arrays(b"two 1\n", data[:kept], 2)
    with pytest.raises(UserError, match="more than its arrays"):
        unpack_arrays(b"two 1\n", data, 1)
