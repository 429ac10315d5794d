"""What is true of coding features with a stated largest error and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codomain.shrink import FCMLM


def features(seed=0, n=2000):
    """Columns of different widths, one of them skewed."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(size=n), 0.2 * rng.normal(size=n), rng.exponential(size=n)])


def test_a_case_by_hand():
    X = np.array([[-1.0], [1.0]] * 50)  # mean 0, standard deviation 1
    codec = FCMLM(0.25).fit(X)
    assert codec.largest_error_ == 0.25
    np.testing.assert_allclose(codec.transform([[0.9], [0.7], [-0.2], [0.3]]), [[1], [0.5], [0], [0.5]])
    assert codec.transform([[123.4]]) == 123.4  # out of reach, so kept as it is


@settings(max_examples=50)
@given(
    rows=arrays(np.float32, (6, 3), elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    size=st.sampled_from([1e-6, 1e-3, 0.1, 1]),
    offset=st.sampled_from([0, 1, 1e4]),
)
def test_no_error_is_larger_than_stated_whatever_comes(rows, size, offset):
    X = (features() + offset).astype(np.float32)
    codec = FCMLM(size).fit(X)
    Q = np.concatenate([X[:20], rows])
    assert np.abs(codec.transform(Q).astype(float) - Q).max() <= codec.largest_error_


def test_what_a_block_gives_back_is_what_transform_says_and_not_the_input():
    X = features().astype(np.float32)
    codec = FCMLM(0.2).fit(X)
    back = codec.decompress(codec.compress(X))
    np.testing.assert_array_equal(back, codec.transform(X))
    assert back.dtype == np.float32 and np.mean(np.abs(back - X)) > codec.largest_error_ / 3


def test_bytes_are_the_entropy_of_the_column_when_many_rows_teach():
    X = features(n=100_000)
    codec = FCMLM(0.1).fit(X)
    steps = np.rint((X - X.mean(axis=0)) / (2 * codec.largest_error_)).astype(int)
    entropy = 0.0
    for column in steps.T:
        share = np.unique(column, return_counts=True)[1] / len(X)
        entropy -= (share * np.log2(share)).sum()
    (block,) = codec.compress(X, len(X))
    assert 8 * len(block) / len(X) == pytest.approx(entropy, rel=0.002)


def test_bytes_of_unseen_rows_are_the_bits_that_the_frequencies_allow():
    codec = FCMLM(0.1).fit(features())
    Q = np.concatenate([features(1), [[50.0, 0, 0]]])  # one value is kept as it is
    (block,) = codec.compress(Q, len(Q))
    bits = codec.bits(Q).sum()
    assert bits <= 8 * len(block) <= 1.01 * bits + 200
    assert codec.bits(Q[-1:])[0] > 64


def test_half_the_error_costs_a_bit_for_each_feature():
    X = features(n=20_000)
    one, two = (FCMLM(size).fit(X).bits(X).mean() for size in (0.02, 0.01))
    assert two - one == pytest.approx(3, abs=0.1)


def test_a_wide_column_costs_more_than_a_narrow_one():
    X = features()[:, :2]
    shares = FCMLM(0.1).fit(X).shares_
    wide, narrow = (-(share * np.log2(share)).sum() for share in shares)
    assert wide - narrow == pytest.approx(np.log2(5), abs=0.15)


def test_any_block_can_be_read_alone_and_in_any_order():
    X = features()
    codec = FCMLM().fit(X)
    blocks, whole = codec.compress(X, 900), codec.transform(X)
    assert len(blocks) == 3
    np.testing.assert_array_equal(codec.decompress(blocks[1:2]), whole[900:1800])
    np.testing.assert_array_equal(codec.decompress(blocks[:0:-1]), np.concatenate([whole[1800:], whole[900:1800]]))


def test_a_damaged_block_and_another_models_block_are_refused():
    one, two = (FCMLM().fit(features(seed)) for seed in range(2))
    (block,) = one.compress(features(n=300))
    for part in (block[:-40], block[:30] + b"!" + block[31:], b""):
        with pytest.raises(ValueError, match="damaged"):
            one.decompress([part])
    with pytest.raises(ValueError, match="another model packed it"):
        two.decompress([block])


def test_no_blocks_and_blocks_of_no_rows_are_refused():
    codec = FCMLM().fit(features())
    with pytest.raises(ValueError, match="There is no block"):
        codec.decompress([])
    with pytest.raises(ValueError, match="block=0"):
        codec.compress(features(), 0)


def test_columns_that_never_change_come_back_to_the_last_digits_and_for_nothing():
    X = np.column_stack([np.full(50, 0.1), np.arange(50.0)])
    codec = FCMLM().fit(X)
    np.testing.assert_allclose(codec.decompress(codec.compress(X))[:, 0], 0.1, rtol=1e-14)
    assert codec.shares_[0].max() > 0.85  # less than a quarter of a bit, from 50 rows
