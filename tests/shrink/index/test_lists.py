import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import faiss
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sklearn.datasets import load_digits

import codomain
from codomain.core import DamagedError, UserError
from codomain.shrink import FittedRecipe, Recipe, certify
from codomain.shrink.index import grid, lists
from codomain.shrink.index.lists import Lists
from codomain.workbench import add, shrink_space, study

LISTS = Recipe(code="pq32x4", rescore="int8", depth=10, lists=24, probe=4)


def unit(X):
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    return unit(load_digits().data - 4.0)


@pytest.fixture(scope="module")
def fitted(digits):
    return LISTS.fit(digits).encode(digits)


def in_numpy(fitted, Q, k):
    """The same search with the kernels out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "compiled_kernels", lambda: None)
        return fitted.search(Q, k)


def in_machine_code(fitted, Q, k):
    pytest.importorskip("numba")
    fitted.index._asked = lists.FEW
    return fitted.search(Q, k)


def found_by_definition(index, q):
    """Lists read, and the rows in them: one centre at a time, with Python's whole numbers."""
    whole = [round(float(x)) for x in q / (np.abs(q).max() / index.most)]
    along = [
        sum(int(c) * w for c, w in zip(centre, whole, strict=True)) * float(length)
        for centre, length in zip(index.centres, index.lengths, strict=True)
    ]
    read = sorted(range(index.lists), key=lambda part: (-along[part], part))[: index.probe]
    return [row for row in range(index.ntotal) if set(index.homes[row].tolist()) & set(read)], np.array(whole)


@pytest.mark.parametrize("road", [in_numpy, in_machine_code])
def test_with_every_code_let_through_the_best_rows_of_the_lists_come_by_whole_numbers(digits, road):
    fitted = Recipe(code="pq8x4", rescore="int8", depth=400, lists=24, probe=3).fit(digits[:900]).encode(digits[:900])
    index = fitted.index
    scores, rows = road(fitted, digits[900:920], 5)
    for q, score, row in zip(digits[900:920], scores, rows, strict=True):
        here, whole = found_by_definition(index, q)
        sums = {one: int(index.store[one].astype(int) @ whole) * float(index.scale[one]) for one in here}
        best = sorted(here, key=lambda one: (-sums[one], one))[:5]
        assert row.tolist() == best
        np.testing.assert_allclose(score, [sums[one] * np.abs(q).max() / index.most for one in best], rtol=1e-5)


def test_a_row_lies_with_its_nearest_centre_and_one_whose_remainder_points_elsewhere(fitted, digits):
    index = fitted.index
    index._join()
    centres = index.centres * index.lengths[:, None].astype(np.float64)
    for x, (first, second) in zip(digits[::60].astype(np.float64), index.homes[::60].tolist(), strict=True):
        assert first == max(range(24), key=lambda part: x @ centres[part])
        r = x - centres[first]
        cost = [np.sum((x - c) ** 2) + (r @ (x - c)) ** 2 / (r @ r) for c in centres]
        others = [part for part in range(24) if part != first]
        assert second != first
        assert cost[second] == pytest.approx(min(cost[part] for part in others), rel=1e-5)


def test_faiss_alone_finds_the_same_candidates_in_the_first_lists(fitted, digits):
    """A plain faiss index of the same codebook and centres reads every list: its order is that of `candidates`."""
    index = fitted.index
    flat = faiss.IndexPQFastScan(64, 32, 4, faiss.METRIC_INNER_PRODUCT)
    flat.pq, flat.is_trained = index.pq, True
    flat.add(digits)
    mine, theirs = fitted.candidates(digits[:50], 20), flat.search(digits[:50], 20)[1]
    assert np.mean([len(set(a) & set(b)) / 20 for a, b in zip(mine, theirs, strict=True)]) > 0.95


@settings(max_examples=25)
@given(
    n=st.integers(16, 400), d=st.integers(2, 90), k=st.integers(1, 9), depth=st.integers(1, 6),
    many=st.integers(2, 9), seed=st.integers(0, 2**16),
)  # fmt: skip
def test_machine_code_and_numpy_give_the_same_numbers(n, d, k, depth, many, seed):
    rng = np.random.default_rng(seed)
    X = np.rint(rng.standard_normal((n, d)) * 2).astype(np.float32)  # whole numbers: many ties, some rows of zeros
    recipe = Recipe(code=f"pq{(d + 2) // 3}x4", rescore="int8", depth=depth, lists=many, probe=min(many, 3))
    fitted = recipe.fit(X).encode(X)
    Q = rng.standard_normal((5, d))
    for one, two in zip(in_numpy(fitted, Q, k), in_machine_code(fitted, Q, k), strict=True):
        np.testing.assert_array_equal(one, two)


def test_no_row_comes_twice_and_every_row_comes_when_all_are_asked_for(digits):
    recipe = Recipe(code="pq32x4", rescore="int8", depth=1, lists=24, probe=24)
    fitted = recipe.fit(digits[:300]).encode(digits[:300])
    for k in (1, 7, 150, 300):
        rows = fitted.search(digits[:40], k)[1]
        assert all(len(set(row)) == k for row in rows.tolist())
        assert rows.min() >= 0
    assert all(len(set(row)) == 300 for row in fitted.candidates(digits[:40], 300).tolist())


def test_lists_with_too_few_rows_give_minus_one_in_the_end():
    X = unit(np.random.default_rng(0).standard_normal((60, 16)))
    fitted = Recipe(code="pq8x4", rescore="int8", lists=30, probe=1).fit(X).encode(X)
    for road in (in_numpy, in_machine_code):
        scores, rows = road(fitted, X[:5], 60)
        assert (rows[:, 0] == np.arange(5)).all()
        assert (rows[:, -1] == -1).all() and np.isneginf(scores[:, -1]).all()


def test_many_queries_on_many_threads_are_answered_as_one_by_one(fitted, digits):
    together = fitted.search(digits[:300])
    alone = [np.concatenate(part) for part in zip(*(fitted.search(q[None]) for q in digits[:300]), strict=True)]
    np.testing.assert_array_equal(together[1], alone[1])
    np.testing.assert_array_equal(together[0], alone[0])


def test_two_searches_at_once_each_read_their_own_lists_and_leave_faiss_its_threads(fitted, digits, monkeypatch):
    """One reads a few lists, the other all of them; each waits before faiss until the other has come as far."""
    index, *rest = fitted.index._layout()
    searches = [lambda: fitted.search(digits[:1])[1], lambda: fitted.candidates(digits[:1], 10)]
    alone, both, during = [search() for search in searches], Barrier(2, timeout=100), []

    class Meets:
        def __getattr__(self, name):
            found = getattr(index, name)

            def scan(*args):
                both.wait()
                during.append(faiss.omp_get_max_threads())
                return found(*args)

            return scan if name.startswith("search") else found

        def __setattr__(self, name, value):
            setattr(index, name, value)

    def run(search):
        faiss.omp_set_num_threads(3)
        return search(), faiss.omp_get_max_threads()

    monkeypatch.setattr(fitted.index, "_layout", lambda: (Meets(), *rest))
    before = faiss.omp_get_max_threads()
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(run, searches))
    for (answer, count), expected in zip(found, alone, strict=True):
        np.testing.assert_array_equal(answer, expected)
        assert count == 3
    assert during == [3, 3] and faiss.omp_get_max_threads() == before


def test_second_lists_whose_remainder_points_elsewhere_hold_more_than_those_of_the_second_nearest_centres():
    rng = np.random.default_rng(0)
    X = unit(rng.standard_normal((4000, 64)) * np.geomspace(1, 0.3, 64))
    index = Recipe(code="pq8x4", rescore="int8", lists=60, probe=1).fit(X).encode(X).index
    index._join()
    along = X @ (index.centres * index.lengths[:, None].astype(np.float32)).T
    order = np.argsort(-along, axis=1)
    truth, read = np.argsort(-(X[:300] @ X.T), axis=1)[:, 1:11], order[:300, None, None, :6]

    def held(homes):
        return (homes[truth][..., None] == read).any(axis=(2, 3)).mean()

    assert held(index.homes) > held(order[:, :2]) + 0.005 > held(order[:, :1]) + 0.1


def test_more_depth_and_more_lists_lose_less(digits):
    recalls = [
        certify(Recipe(code="pq16x4", rescore="int8", depth=depth, lists=60, probe=probe).fit(digits).encode(digits),
                digits, queries=np.arange(400)).recall
        for depth, probe in ((2, 1), (4, 3), (20, 60))
    ]  # fmt: skip
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.85 < 0.98 < recalls[-1]


def test_what_the_lists_lose_stands_under_index(digits):
    few, all_ = (
        certify(Recipe(code="pq32x4", rescore="int8", depth=30, lists=60, probe=probe).fit(digits).encode(digits),
                digits, queries=np.arange(400))
        for probe in (1, 60)
    )  # fmt: skip
    assert few.losses["code"] == pytest.approx(all_.losses["code"], abs=1e-9)
    assert few.losses["index"] > all_.losses["index"] + 0.05
    assert sum(few.losses.values()) == pytest.approx(1 - few.recall)


def test_a_saved_index_answers_as_before_and_goes_on_growing(digits, tmp_path):
    fitted = LISTS.fit(digits).encode(digits[:1000])
    files = fitted.save()
    assert set(files) == {"index.lists", "recipe.json"}
    (tmp_path / "index.lists").write_bytes(files["index.lists"])
    (tmp_path / "recipe.json").write_text(json.dumps(files["recipe.json"]))
    for again in (files, {name: tmp_path / name for name in files}):
        loaded = FittedRecipe.load(again)
        assert loaded.recipe == LISTS
        for before, after in zip(fitted.search(digits[:50]), loaded.search(digits[:50]), strict=True):
            np.testing.assert_array_equal(before, after)
    whole = LISTS.fit(digits).encode(digits)
    assert loaded.encode(digits[1000:]).save() == whole.save()
    np.testing.assert_array_equal(loaded.search(digits[:50])[1], whole.search(digits[:50])[1])


def test_the_bytes_counted_are_the_bytes_saved(fitted, digits):
    saved = len(fitted.save()["index.lists"])
    assert fitted.bytes_per_vector == saved / len(digits)
    expected = len(digits) * (16 + 64 + 2 + 2 * 2) + 24 * (64 + 2) + 64 * 16 * 4
    assert expected < saved < expected + 2000
    assert fitted.scan_bytes == round(2 * 16 * 4 / 24)


def test_the_same_seed_gives_the_same_bytes(digits):
    one, two, other = (LISTS.fit(digits, random_state=seed).encode(digits).save() for seed in (0, 0, 1))
    assert one == two
    assert one["index.lists"] != other["index.lists"]


def test_parts_that_do_not_divide_the_columns_change_no_inner_product(digits):
    recipe = Recipe(code="pq24x4", rescore="int8", depth=10, lists=8, probe=8)
    fitted = recipe.fit(digits).encode(digits)
    assert (fitted.search(digits[:50], 1)[1][:, 0] == np.arange(50)).mean() > 0.9  # int8 may prefer a near twin
    spread = fitted.index._pad(digits[:50])
    assert spread.shape == (50, 72)
    np.testing.assert_allclose(spread @ spread.T, digits[:50] @ digits[:50].T, atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rescore": "none"}, {"rescore": "f32"}, {"project": "pca", "width": 8}, {"code": "pq8x8"}, {"code": "int8"},
        {"probe": 0}, {"probe": 25}, {"lists": 0}, {"lists": 1, "probe": 1}, {"lists": 2**16}, {"lists": -1},
    ],
)  # fmt: skip
def test_an_impossible_recipe_is_refused(wrong):
    with pytest.raises(UserError, match="No such recipe"):
        Recipe(**{**LISTS.to_dict(), **wrong})


def test_too_few_rows_for_the_lists_and_wrong_queries_are_refused(fitted, digits):
    with pytest.raises(UserError, match="at least 24 rows and got 20"):
        LISTS.fit(digits[:20])
    with pytest.raises(UserError, match="65 columns"):
        fitted.search(np.ones((1, 65)))
    with pytest.raises(UserError, match="k=1798"):
        fitted.search(digits[:1], 1798)


def test_another_or_a_broken_file_is_refused(fitted):
    with pytest.raises(UserError, match="no file of 'codomain lists"):
        Lists.from_bytes(b"something else")
    whole = fitted.save()["index.lists"]
    for kept in (len(Lists.magic), 5000, len(whole) - 1):
        with pytest.raises(UserError, match="cut short"):
            Lists.from_bytes(whole[:kept])


def test_it_works_where_numba_is_not_installed(fitted, digits, tmp_path):
    """In an interpreter that cannot find numba, from the saved files."""
    files = fitted.save()
    (tmp_path / "index.lists").write_bytes(files["index.lists"])
    (tmp_path / "recipe.json").write_text(json.dumps(files["recipe.json"]))
    np.save(tmp_path / "q.npy", digits[:40])
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np; from pathlib import Path; from codomain.shrink import FittedRecipe\n"
        "f = FittedRecipe.load({n: Path(n) for n in ('index.lists', 'recipe.json')})\n"
        "np.save('rows.npy', f.search(np.load('q.npy'))[1])"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    expected = FittedRecipe.load(files).search(digits[:40])[1]
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)


def test_a_space_keeps_the_recipe_when_rows_are_added_and_refuses_a_damaged_index(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "LISTED", 1000)
    X = load_digits().data.astype(np.float32) - 4
    for name, rows in (("some", range(1500)), ("more", range(1500, len(X)))):
        table = pa.table({"id": [str(row) for row in rows], "vector": list(X[rows])})
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    path = study(tmp_path / "some.parquet", space=tmp_path / "s.space").space.path
    chosen = shrink_space(path, recall=0.8, fewest="scan_bytes")
    assert chosen.front.winner.recipe.lists == 64
    grown = add(path, tmp_path / "more.parquet").space.parts.shrink
    fitted = FittedRecipe.load(grown.fitted)
    assert fitted.recipe == chosen.front.winner.recipe
    assert len(fitted) == len(X)
    assert (fitted.search(X[:200], 3)[1] == np.arange(200)[:, None]).any(axis=1).mean() > 0.95
    file = grown.path("index.lists")
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    with pytest.raises(DamagedError, match=r"index\.lists"):
        codomain.open(path)
