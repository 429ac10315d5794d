import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from codomain.core import UserError
from codomain.shrink import FittedRecipe, Recipe, certify
from codomain.shrink.index import signs
from codomain.shrink.index.signs import Signs

PLAIN = Recipe(code="signs", rescore="int8", depth=10)


def unit(X):
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    return unit(load_digits().data - 4.0)


def in_numpy(fitted, Q, k):
    """The same search with the kernels out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signs, "compiled_kernels", lambda: None)
        return fitted.search(Q, k)


def in_machine_code(fitted, Q, k):
    pytest.importorskip("numba")
    fitted.index._asked = signs.FEW
    return fitted.search(Q, k)


def by_definition(index, q, k):
    """One query, one row at a time, with Python's whole numbers: no sample, so for at most 127 blocks in all."""
    signs_of_q = q > index.mean
    away = np.abs(q - index.mean)
    weight = np.rint(away * (7 / away.max())).astype(int)
    bits = np.unpackbits(index.signs, axis=1, count=index.d, bitorder="little").astype(bool)
    rows = range(index.ntotal)
    differ = {row: int((bits[row] != signs_of_q).sum()) for row in rows}
    wide, deep = min(4 * index.depth * k, index.ntotal), min(index.depth * k, index.ntotal)
    limit = sorted(differ.values())[min(wide, len(rows)) - 1]
    rows = [row for row in rows if differ[row] <= limit]
    heavy = {row: int(weight[bits[row] != signs_of_q].sum()) for row in rows}
    limit = sorted(heavy.values())[min(deep, len(rows)) - 1]
    rows = [row for row in rows if heavy[row] <= limit]
    step = np.abs(q).max() / min(32767, (2**31 - 1) // (127 * index.d))
    whole = np.rint(q / step).astype(int)
    score = {row: int(index.store[row].astype(int) @ whole) * float(index.scale[row]) for row in rows}
    best = sorted(rows, key=lambda row: (-score[row], row))[:k]
    return [score[row] * step for row in best], best


@pytest.mark.parametrize("road", [in_numpy, in_machine_code])
def test_every_stage_is_as_defined(digits, road):
    fitted = PLAIN.fit(digits[:1500]).encode(digits[:1500])
    scores, rows = road(fitted, digits[1500:1520], 3)
    for q, score, row in zip(digits[1500:1520], scores, rows, strict=True):
        expected, best = by_definition(fitted.index, q, 3)
        assert row.tolist() == best
        np.testing.assert_allclose(score, expected, rtol=1e-6)


@settings(max_examples=25)
@given(
    n=st.integers(3, 400), d=st.integers(1, 150), k=st.integers(1, 9), depth=st.integers(1, 6),
    seed=st.integers(0, 2**16),
)  # fmt: skip
def test_machine_code_and_numpy_give_the_same_numbers(n, d, k, depth, seed):
    rng = np.random.default_rng(seed)
    X = np.rint(rng.standard_normal((n, d)) * 2).astype(np.float32)  # whole numbers: many ties, some rows of zeros
    recipe = Recipe(code="signs", rescore="int8", depth=depth)
    fitted = recipe.fit(X).encode(X)
    Q, k = rng.standard_normal((5, d)), min(k, n)
    for one, two in zip(in_numpy(fitted, Q, k), in_machine_code(fitted, Q, k), strict=True):
        np.testing.assert_array_equal(one, two)


def test_many_queries_on_many_threads_are_answered_as_one_by_one(digits):
    fitted = PLAIN.fit(digits).encode(digits)
    together = fitted.search(digits[:300])
    alone = [np.concatenate(part) for part in zip(*(fitted.search(q[None]) for q in digits[:300]), strict=True)]
    np.testing.assert_array_equal(together[1], alone[1])
    np.testing.assert_array_equal(together[0], alone[0])


def test_with_every_row_let_through_only_int8_is_lost(digits):
    fitted = Recipe(code="signs", rescore="int8", depth=200).fit(digits).encode(digits)
    truth = np.sort(digits[:200] @ digits.T, axis=1)[:, ::-1][:, :10]
    np.testing.assert_allclose(fitted.search(digits[:200])[0], truth, atol=0.01)


def test_a_limit_from_a_sample_lets_about_the_wanted_share_through():
    rng = np.random.default_rng(0)
    X = unit(rng.standard_normal((30_000, 64)))
    fitted = Recipe(code="signs", rescore="int8", depth=20).fit(X).encode(X)
    kept = certify(fitted, X, queries=np.arange(300))  # which counts the first two stages without a sample
    assert abs(kept.losses["index"]) < 0.03 < 0.1 < kept.losses["code"]


def test_more_depth_loses_less(digits):
    recalls = [
        certify(Recipe(code="signs", rescore="int8", depth=depth).fit(digits).encode(digits),
                digits, queries=np.arange(400)).recall
        for depth in (1, 2, 20)
    ]  # fmt: skip
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.7 < 0.97 < recalls[-1]


def test_a_saved_index_answers_as_before_and_goes_on_growing(digits, tmp_path):
    fitted = PLAIN.fit(digits).encode(digits[:1000])
    files = fitted.save()
    assert set(files) == {"index.signs", "recipe.json"}
    (tmp_path / "index.signs").write_bytes(files["index.signs"])
    (tmp_path / "recipe.json").write_text(json.dumps(files["recipe.json"]))
    for again in (files, {name: tmp_path / name for name in files}):
        loaded = FittedRecipe.load(again)
        assert loaded.recipe == PLAIN
        for before, after in zip(fitted.search(digits[:50]), loaded.search(digits[:50]), strict=True):
            np.testing.assert_array_equal(before, after)
    whole = PLAIN.fit(digits).encode(digits)
    assert loaded.encode(digits[1000:]).save() == whole.save()
    np.testing.assert_array_equal(loaded.search(digits[:50])[1], whole.search(digits[:50])[1])


def test_the_bytes_counted_are_the_bytes_saved(digits):
    fitted = PLAIN.fit(digits).encode(digits)
    saved = len(fitted.save()["index.signs"])
    assert fitted.bytes_per_vector == saved / len(digits)
    expected = len(digits) * (8 + 64 + 2) + 64 * 4
    assert expected < saved < expected + 2000
    assert fitted.scan_bytes == 8


def test_equal_rows_come_by_lower_number():
    X = np.ones((300, 24), dtype=np.float32)
    fitted = PLAIN.fit(X).encode(X)
    np.testing.assert_array_equal(in_numpy(fitted, X[:1], 300)[1][0], np.arange(300))
    np.testing.assert_array_equal(in_machine_code(fitted, X[:1], 300)[1][0], np.arange(300))


def test_a_column_that_outweighs_the_others_cannot_overflow():
    X = np.zeros((200, 1500), dtype=np.float32)
    X[:, 0] = 1
    X[np.arange(200), np.arange(200) + 1] = np.linspace(0, 1, 200)
    ones = np.ones((1, 1500), dtype=np.float32)  # the greatest sum that whole numbers of this width can have
    fitted = Recipe(code="signs", rescore="int8", depth=200).fit(X).encode(np.concatenate([X, ones]))
    for road in (in_numpy, in_machine_code):
        scores, rows = road(fitted, ones, 1)
        assert rows[0, 0] == 200
        assert scores[0, 0] == pytest.approx(1, abs=1e-3)


def test_rows_and_queries_of_zeros_meet_with_cosine_zero(digits):
    X = np.concatenate([digits[:200], np.zeros((3, 64), np.float32)])
    fitted = Recipe(code="signs", rescore="int8", depth=300).fit(X).encode(X)
    scores, rows = fitted.search(np.concatenate([X[:1], X[-1:]]), 203)
    assert np.all(scores[1] == 0)
    assert np.all(scores[0][rows[0] >= 200] == 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rescore": "none"}, {"rescore": "f32"}, {"project": "pca", "width": 8}, {"lists": 4, "probe": 4}, {"probe": 4},
    ],
)  # fmt: skip
def test_an_impossible_recipe_is_refused(wrong):
    with pytest.raises(UserError, match="No such recipe"):
        Recipe(**{"code": "signs", "rescore": "int8", **wrong})


def test_wrong_queries_are_refused(digits):
    fitted = PLAIN.fit(digits).encode(digits)
    with pytest.raises(UserError, match="65 columns"):
        fitted.search(np.ones((1, 65)))
    with pytest.raises(UserError, match="k=1798"):
        fitted.search(digits[:1], 1798)


def test_another_file_is_refused():
    with pytest.raises(UserError, match="no file of 'codomain signs"):
        Signs.from_bytes(b"something else")


def test_it_works_where_numba_is_not_installed(digits, tmp_path):
    """In an interpreter that cannot find numba, from the saved files."""
    files = PLAIN.fit(digits).encode(digits).save()
    (tmp_path / "index.signs").write_bytes(files["index.signs"])
    (tmp_path / "recipe.json").write_text(json.dumps(files["recipe.json"]))
    np.save(tmp_path / "q.npy", digits[:40])
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np; from pathlib import Path; from codomain.shrink import FittedRecipe\n"
        "f = FittedRecipe.load({n: Path(n) for n in ('index.signs', 'recipe.json')})\n"
        "np.save('rows.npy', f.search(np.load('q.npy'))[1])"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    expected = FittedRecipe.load(files).search(digits[:40])[1]
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)
