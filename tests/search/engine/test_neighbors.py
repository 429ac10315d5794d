import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.search import neighbors


def by_definition(X, k, queries=None, metric="cosine", exclude_self=True):
    """Every score in float64, one sort per row."""
    base = np.asarray(X, np.float64)
    asked = base if queries is None else np.asarray(queries, np.float64)
    if metric == "cosine":
        base, asked = (Z / np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-300) for Z in (base, asked))
    scores = np.float32(np.round(asked @ base.T, 12))
    ranking = scores.astype(np.float64)
    if queries is None and exclude_self:
        np.fill_diagonal(ranking, -np.inf)
    order = np.stack([np.lexsort((np.arange(len(base)), -line)) for line in ranking])[:, :k]
    return order, np.take_along_axis(scores, order, 1)


def same(found, wanted):
    np.testing.assert_array_equal(found.indices, wanted[0])
    np.testing.assert_allclose(found.scores, wanted[1], rtol=2e-7, atol=2e-7)
    assert found.indices.dtype == np.int32 and found.scores.dtype == np.float32


@st.composite
def tables(draw):
    """Small whole numbers: many equal rows, zero rows, scaled copies and tied scores."""
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(-2, 3, (n, d)).astype(draw(st.sampled_from([np.float32, np.float64, np.int64])))


@given(tables(), st.data(), st.sampled_from(["cosine", "inner"]), st.booleans())
@settings(max_examples=150)
def test_lists_equal_the_definition_with_ties_by_lower_row(X, data, metric, exclude_self):
    k = data.draw(st.integers(1, len(X) - exclude_self))
    found = neighbors(X, k, metric=metric, exclude_self=exclude_self)
    same(found, by_definition(X, k, metric=metric, exclude_self=exclude_self))


@given(tables(), st.data(), st.sampled_from(["cosine", "inner"]))
@settings(max_examples=80)
def test_queries_meet_every_row_even_their_equals(X, data, metric):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    Q = rng.integers(-2, 3, (data.draw(st.integers(1, 9)), X.shape[1])).astype(np.float32)
    k = data.draw(st.integers(1, len(X)))
    same(neighbors(X, k, queries=Q, metric=metric), by_definition(X, k, queries=Q, metric=metric))


@pytest.fixture
def small_blocks(monkeypatch):
    """Make 300 rows span many blocks and tiles."""
    for name in ("rows", "copies", "exact"):
        monkeypatch.setattr(f"codomain.search.engine.{name}.BLOCK", 32)
    monkeypatch.setattr("codomain.search.engine.exact.TILE", 10)


@pytest.mark.parametrize("metric", ["cosine", "inner"])
@pytest.mark.parametrize("n", [64, 95, 300])
def test_many_blocks_change_nothing(small_blocks, n, metric):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, 9)).astype(np.float32)
    X[5:25] = X[3]
    X[40] = 0
    same(neighbors(X, 7, metric=metric), by_definition(X, 7, metric=metric))
    same(neighbors(X, 7, queries=X[:50], metric=metric), by_definition(X, 7, queries=X[:50], metric=metric))


def test_rows_too_close_for_float32_are_ordered_by_float64(small_blocks):
    rng = np.random.default_rng(0)
    X = 1 + 1e-4 * rng.standard_normal((200, 12))
    same(neighbors(X, 9), by_definition(X, 9))


def test_sorted_files_and_one_long_run_of_copies_are_exact(small_blocks):
    rng = np.random.default_rng(1)
    X = np.concatenate([np.repeat(rng.standard_normal((1, 8)), 150, axis=0), rng.standard_normal((90, 8))])
    X = X.astype(np.float32)
    found = neighbors(X, 5)
    same(found, by_definition(X, 5))
    assert found.indices[0].tolist() == [1, 2, 3, 4, 5]
    assert found.indices[3].tolist() == [0, 1, 2, 4, 5]


def test_scaled_copies_are_ties(small_blocks):
    rng = np.random.default_rng(2)
    X = np.outer(rng.uniform(0.5, 2, 120), rng.standard_normal(6)).astype(np.float32)
    found = neighbors(X[:60].astype(np.float64), 4)
    np.testing.assert_allclose(found.scores, 1, atol=1e-6)
    assert len(found.indices) == 60


def test_a_memory_map_and_an_object_with_slices_serve(tmp_path, small_blocks):
    X = np.random.default_rng(3).standard_normal((130, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", X)

    class Sliced:
        shape, dtype = X.shape, X.dtype

        def __getitem__(self, key):
            return X[key]

    wanted = neighbors(X, 3)
    for source in (np.load(tmp_path / "x.npy", mmap_mode="r"), Sliced()):
        found = neighbors(source, 3)
        np.testing.assert_array_equal(found.indices, wanted.indices)
        np.testing.assert_array_equal(found.scores, wanted.scores)


def test_nothing_changes_when_rows_are_not_held_in_memory(monkeypatch, small_blocks):
    X = np.random.default_rng(4).standard_normal((130, 5)).astype(np.float32)
    wanted = neighbors(X, 3)
    monkeypatch.setattr("codomain.search.engine.rows.IN_MEMORY", 0)
    np.testing.assert_array_equal(neighbors(X, 3).indices, wanted.indices)


def test_the_answer_is_the_same_twice_and_the_input_is_not_written_to():
    X = np.random.default_rng(5).standard_normal((500, 20)).astype(np.float32)
    X.setflags(write=False)
    one, two = neighbors(X, 10), neighbors(X, 10)
    assert one.indices.tobytes() == two.indices.tobytes() and one.scores.tobytes() == two.scores.tobytes()


def test_huge_and_tiny_rows_have_a_direction():
    X = np.array([[1e30, 0], [1e-30, 1e-31], [0, 1e30]], np.float32)
    assert neighbors(X, 1).indices.ravel().tolist() == [1, 0, 1]


def test_a_row_of_zeros_has_cosine_zero_with_all_and_takes_the_first_rows():
    X = np.random.default_rng(7).standard_normal((30, 4))
    X[[3, 7]] = 0
    found = neighbors(X, 5)
    assert found.indices[3].tolist() == [0, 1, 2, 4, 5] and not found.scores[3].any()
    assert not np.isnan(found.scores).any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X: neighbors(X, 0), "k from 1 to 9"),
        (lambda X: neighbors(X, 10), "lower k"),
        (lambda X: neighbors(X, 11, queries=X), "k from 1 to 10"),
        (lambda X: neighbors(X, 2.5), "a whole number k"),
        (lambda X: neighbors(X[:1], 1), "2 or more rows"),
        (lambda X: neighbors(X[:0], 1, queries=X), "1 or more rows"),
        (lambda X: neighbors(X, 2, queries=X[:, :2]), "2 wide"),
        (lambda X: neighbors(X[0], 2), "two dimensions"),
        (lambda X: neighbors(X, 2, metric="manhattan"), "'cosine' or 'inner'"),
        (lambda X: neighbors(np.where(np.arange(30).reshape(10, 3) == 13, np.nan, X), 2), "Row 4 holds"),
        (lambda X: neighbors(X, 2, queries=np.full((1, 3), np.inf)), "Query 0 holds"),
        (lambda X: neighbors(X * 1e25, 2, metric="inner"), "rescale"),
    ],
)
def test_a_setting_that_cannot_be_met_is_refused(call, words):
    with pytest.raises(UserError, match=words):
        call(np.random.default_rng(0).standard_normal((10, 3)))


def test_long_rows_lose_no_neighbour_to_rounding(small_blocks):
    rng = np.random.default_rng(6)
    X = np.concatenate([rng.standard_normal((150, 20)), 1e6 * rng.standard_normal((3, 20))]).astype(np.float32)
    same(neighbors(X, 6, metric="inner"), by_definition(X, 6, metric="inner"))
