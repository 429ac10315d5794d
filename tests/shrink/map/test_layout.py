import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits

from codomain.core import UserError
from codomain.search import neighbors
from codomain.shrink import kept_neighbors, layout
from codomain.shrink.map.layout import _Grid


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    S = X @ X.T
    np.fill_diagonal(S, -np.inf)
    return X, y, np.argsort(-S, axis=1, kind="stable")[:, :15].astype(np.int32)


@pytest.fixture(scope="module")
def placed(digits):
    return layout(digits[0], digits[2])


def test_neighbours_stay_together_far_better_than_on_two_components(digits, placed):
    X, _, lists = digits
    assert placed.kept.mean() > 3 * layout(X, lists, method="pca").kept.mean()


def test_labels_it_never_saw_form_groups(digits, placed):
    _, y, _ = digits
    near = np.argsort(cdist(placed.xy, placed.xy), axis=1)[:, 1:16]
    assert (y[near] == y[:, None]).mean() > 0.9


def test_the_map_fills_its_square(placed):
    assert placed.xy.dtype == np.float32
    assert np.abs(placed.xy).max() == 1
    assert np.abs(placed.xy).max(axis=1).mean() > 0.3
    assert len(np.unique(placed.xy, axis=0)) > 0.99 * len(placed.xy)


def test_the_same_rows_give_the_same_map(digits, placed):
    np.testing.assert_array_equal(layout(digits[0], digits[2]).xy, placed.xy)


def test_kept_is_the_share_of_listed_neighbours_found_on_the_map(digits, placed):
    _, _, lists = digits
    far = cdist(placed.xy, placed.xy)
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, :15]
    by_hand = [len(set(a) & set(b)) / 15 for a, b in zip(near.tolist(), lists.tolist(), strict=True)]
    np.testing.assert_allclose(placed.kept, by_hand, atol=1e-6)


def test_kept_counts_only_the_neighbours_a_row_has():
    xy = np.array([[0.0, 0], [0.1, 0], [0.9, 0], [1.0, 0]])
    np.testing.assert_array_equal(kept_neighbors(xy, np.array([[1, -1], [0, -1], [0, -1], [-1, -1]])), [1, 1, 0, 0])


@pytest.mark.parametrize(("n", "span"), [(300, 1e-3), (300, 3.0), (300, 40.0), (60, 20.0), (60, 200.0)])
def test_repulsion_on_the_grid_is_the_sum_over_all_pairs(n, span):
    Y = (np.random.default_rng(0).uniform(-span, span, (n, 2))).astype(np.float32)
    apart = Y[:, None].astype(float) - Y[None]
    q = 1 / (1 + (apart**2).sum(axis=2))
    np.fill_diagonal(q, 0)
    by_definition = (apart * q[..., None] ** 2).sum(axis=1) / q.sum()
    on_grid = _Grid().repulsion(Y).ravel()
    assert np.corrcoef(on_grid, by_definition.ravel())[0, 1] > 0.98
    assert np.polyfit(by_definition.ravel(), on_grid, 1)[0] == pytest.approx(1, abs=0.1)


def test_rows_without_groups_do_not_fly_apart():
    X = np.random.default_rng(0).standard_normal((300, 6)).astype(np.float32)
    assert layout(X, neighbors(X, 15)).kept.mean() > 0.5


def test_one_stray_row_does_not_squeeze_the_others(digits):
    X, _, lists = digits
    lists = lists.copy()
    lists[7] = -1
    lists[lists == 7] = -1
    xy = layout(X, lists, max_iter=200).xy
    assert np.abs(np.delete(xy, 7, axis=0)).max() > 0.8


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 20])
def test_few_rows_still_get_a_map(n):
    X = np.random.default_rng(n).standard_normal((n, 6)).astype(np.float32)
    lists = np.argsort(cdist(X, X), axis=1)[:, 1:6].reshape(n, -1)
    made = layout(X, lists, max_iter=100)
    assert made.xy.shape == (n, 2)
    assert np.isfinite(made.xy).all() and np.abs(made.xy).max() <= 1
    assert made.kept.shape == (n,)


def test_equal_rows_and_a_single_column_get_a_map():
    lists = (np.arange(50)[:, None] + np.arange(1, 6)) % 50
    for X in (np.ones((50, 4), dtype=np.float32), np.arange(1, 51, dtype=np.float32)[:, None]):
        for method in ("forces", "pca"):
            assert np.isfinite(layout(X, lists, method=method, max_iter=50).xy).all()


def test_an_object_with_indices_and_a_memory_map_are_welcome(digits, placed, tmp_path):
    class Neighbors:
        indices = digits[2]

    np.save(tmp_path / "x.npy", digits[0])
    again = layout(np.load(tmp_path / "x.npy", mmap_mode="r"), Neighbors())
    np.testing.assert_array_equal(again.xy, placed.xy)


def test_what_cannot_be_drawn_is_refused(digits):
    X, _, lists = digits
    with pytest.raises(UserError, match="do not belong to 1797 rows"):
        layout(X, lists[:10])
    with pytest.raises(UserError, match="do not belong to 100 rows"):
        layout(X[:100], lists[:100])
    with pytest.raises(UserError, match="method='tsne'"):
        layout(X, lists, method="tsne")


def test_umap_without_the_extra_says_what_to_type(digits, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    with pytest.raises(UserError, match=r"codomain\[map\]"):
        layout(digits[0], digits[2], method="umap")


@pytest.mark.slow
def test_umap_draws_the_same_map_twice(digits):
    pytest.importorskip("umap")
    X = digits[0]
    some = np.argsort(-(X[:300] @ X[:300].T), axis=1)[:, 1:16]
    one, two = (layout(X[:300], some, method="umap", random_state=3) for _ in range(2))
    np.testing.assert_array_equal(one.xy, two.xy)
    assert one.kept.mean() > 0.3 and "umap-learn" in one.method


@pytest.mark.parametrize("most", [2000, 5])
def test_components_of_more_columns_than_rows_are_those_of_the_singular_vectors(most, monkeypatch):
    monkeypatch.setattr("codomain.shrink.map.layout.SQUARED", most)  # 5: by products with the rows alone
    X = (np.random.default_rng(0).standard_normal((12, 300)) * np.geomspace(9, 1, 300)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    left, sizes, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    wanted = left[:, :2] * sizes[:2]
    found = layout(X, np.zeros((12, 1), np.int64), method="pca").xy
    for column in range(2):
        assert abs(np.corrcoef(found[:, column], wanted[:, column])[0, 1]) == pytest.approx(1, abs=1e-3)
