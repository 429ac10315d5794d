import json

import faiss
import numpy as np
import pytest
from sklearn.datasets import load_digits

from codomain.core import UserError
from codomain.shrink import FittedRecipe, Recipe
from codomain.shrink.index.learn import axes_of

EVERY_KIND = [
    Recipe(code="f32"),
    Recipe(code="f16"),
    Recipe(code="int8"),
    Recipe(code="int6"),
    Recipe(code="int4"),
    Recipe(code="binary"),
    Recipe(code="rabitq1"),
    Recipe(code="rabitq4"),
    Recipe(code="pq16x4"),
    Recipe(code="pq8x8"),
    Recipe("pca", 32, "int8"),
    Recipe("pca", 30, "pq7x4"),
    Recipe("pca", 32, "rabitq2"),
    Recipe("pca", 32, "binary"),
    Recipe("opq", 64, "pq16x4"),
    Recipe("opq", 40, "pq12x4", rescore="int8"),
    Recipe("itq", 48, "binary"),
    Recipe("truncate", 48, "int8"),
    Recipe("truncate", 45, "pq8x4"),
    Recipe(code="binary", rescore="int8", depth=20),
    Recipe("pca", 16, "pq8x4", rescore="f32"),
]
each = pytest.mark.parametrize("recipe", EVERY_KIND, ids=lambda recipe: recipe.name)


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data.astype(np.float32)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def by_definition(X, Q, k):
    return np.argsort(-(Q @ X.T), axis=1, kind="stable")[:, :k]


@each
def test_a_recipe_finds_far_more_than_chance_and_its_scores_fall(digits, recipe):
    fitted = recipe.fit(digits).encode(digits)
    scores, rows = fitted.search(digits[:100], 10)
    truth = by_definition(digits, digits[:100], 10)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(rows, truth, strict=True)]) > 0.25
    assert np.all(np.diff(scores, axis=1) <= 1e-6)
    assert len(fitted) == len(digits)


@each
def test_a_saved_recipe_answers_as_before(digits, recipe, tmp_path):
    fitted = recipe.fit(digits).encode(digits)
    files = fitted.save()
    (tmp_path / "index.faiss").write_bytes(files["index.faiss"])
    (tmp_path / "recipe.json").write_text(json.dumps(files["recipe.json"]))
    for again in (files, {name: tmp_path / name for name in files}):
        loaded = FittedRecipe.load(again)
        assert loaded.recipe == recipe
        for before, after in zip(fitted.search(digits[:50]), loaded.search(digits[:50]), strict=True):
            np.testing.assert_array_equal(before, after)


@each
def test_the_bytes_counted_are_the_bytes_saved(digits, recipe):
    fitted = recipe.fit(digits).encode(digits)
    assert fitted.bytes_per_vector == pytest.approx(len(fitted.save()["index.faiss"]) / len(digits))
    assert fitted.bytes_per_vector >= fitted.scan_bytes


@each
def test_blocks_of_a_memory_map_give_the_same_bytes_as_an_array(digits, recipe, tmp_path):
    np.save(tmp_path / "x.npy", digits)
    stored = np.load(tmp_path / "x.npy", mmap_mode="r")
    one, two = (recipe.fit(X).encode(X).save()["index.faiss"] for X in (digits, stored))
    assert one == two


def test_scores_are_cosines(digits):
    truth = digits[:20] @ digits.T
    for code, close in (("f32", 1e-6), ("f16", 1e-3), ("int8", 0.02), ("rabitq4", 0.05), ("binary", 0.35)):
        fitted = Recipe(code=code).fit(digits).encode(digits)
        scores, rows = fitted.search(digits[:20], 5)
        assert np.abs(scores - np.take_along_axis(truth, rows, axis=1)).max() < close, code


def test_the_length_of_a_vector_does_not_count(digits):
    lengths = np.random.default_rng(0).uniform(0.1, 10, (len(digits), 1)).astype(np.float32)
    one = Recipe().fit(digits).encode(digits).search(digits[:50])[1]
    two = Recipe().fit(digits * lengths).encode(digits * lengths).search(digits[:50] * 3)[1]
    assert np.mean(one == two) > 0.99


def test_a_projection_to_every_direction_changes_no_inner_product(digits):
    fitted = Recipe("pca", 64, "f32").fit(digits).encode(digits)
    Z = fitted.project(digits[:200])
    np.testing.assert_allclose(Z @ Z.T, digits[:200] @ digits[:200].T, atol=1e-5)


def test_pca_keeps_more_of_the_inner_products_than_the_first_columns(digits):
    truth = digits[:300] @ digits[:300].T
    lost = {}
    for project in ("pca", "truncate"):
        Z = Recipe(project, 20, "f32").fit(digits).project(digits[:300])
        lost[project] = np.abs(Z @ Z.T - truth).mean()
    assert lost["pca"] < lost["truncate"] / 3


def test_opq_learns_a_turn_that_product_codes_lose_less_after(digits):
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((64, 64)))[0].astype(np.float32)
    X = digits @ turn  # pixels next to each other are now spread over all columns
    lost = {}
    for recipe in (Recipe(code="pq16x4"), Recipe("opq", 64, "pq16x4")):
        fitted = recipe.fit(X).encode(X)
        Z = fitted.project(X)
        np.testing.assert_allclose(Z @ Z[:50].T, X @ X[:50].T, atol=1e-4)  # a turn alone changes nothing
        lost[recipe.project] = np.mean((Z - fitted.index._code().reconstruct_n(0, len(X))) ** 2)
    assert lost["opq"] < 0.9 * lost["none"]


def test_itq_finds_a_turn_whose_signs_lie_nearer_to_the_rows(digits):
    """The iteration's aim by definition: mean cosine of a turned row with its signs, against turns drawn at random."""
    Z = Recipe("itq", 32, "binary").fit(digits).project(digits)

    def nearness(Z):
        return (np.abs(Z).sum(axis=1) / np.linalg.norm(Z, axis=1)).mean() / np.sqrt(Z.shape[1])

    rng = np.random.default_rng(0)
    others = [nearness(Z @ np.linalg.qr(rng.standard_normal((32, 32)))[0]) for _ in range(5)]
    assert nearness(Z) > max(others) + 0.01


def test_a_width_that_the_parts_do_not_divide_is_padded_inside_every_part():
    X = np.random.default_rng(0).standard_normal((200, 64)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    padded = Recipe(code="pq24x4").fit(X).project(X)  # 64 columns in 24 parts: 16 parts of 3, 8 of 2
    assert padded.shape == (200, 72)
    filled = (padded != 0).all(axis=0).reshape(24, 3).sum(axis=1)
    assert sorted(filled) == [2] * 8 + [3] * 16
    np.testing.assert_allclose(padded @ padded.T, X @ X.T, atol=1e-6)


def test_a_saved_index_works_in_plain_faiss(digits):
    fitted = Recipe("pca", 32, "int8", rescore="f32").fit(digits).encode(digits)
    plain = faiss.deserialize_index(np.frombuffer(fitted.save()["index.faiss"], dtype=np.uint8))
    np.testing.assert_array_equal(plain.search(digits[:5], 3)[1], fitted.search(digits[:5], 3)[1])


def test_training_leaves_faiss_its_threads(digits):
    before = faiss.omp_get_max_threads()
    Recipe(code="pq16x4").fit(digits)
    assert faiss.omp_get_max_threads() == before


def test_a_recipe_survives_json():
    for recipe in EVERY_KIND:
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_names_are_readable():
    assert Recipe("pca", 192, "int8").name == "pca 192 -> int8"
    assert Recipe(code="binary", rescore="int8", depth=40).name == "binary -> best 40k by int8"


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "int7"}, {"code": "pq8x5"}, {"code": "pq0x4"}, {"code": "rabitq9"}, {"project": "umap", "width": 2},
        {"project": "pca"}, {"width": 8}, {"project": "opq", "width": 8}, {"project": "opq", "code": "pq8x4"},
        {"project": "opq", "width": 32, "code": "pq8x8"}, {"project": "itq", "width": 8},
        {"rescore": "int4"}, {"depth": 0},
    ],
)  # fmt: skip
def test_an_impossible_recipe_is_refused(wrong):
    with pytest.raises(UserError, match="No such recipe"):
        Recipe(**wrong)


def test_too_few_rows_or_columns_are_refused_in_words(digits):
    with pytest.raises(UserError, match="at least 16 rows and got 10"):
        Recipe(code="pq8x4").fit(digits[:10])
    with pytest.raises(UserError, match="at least 32 rows"):
        Recipe("pca", 32, "int8").fit(digits[:20])
    for recipe in (Recipe("itq", 32, "binary"), Recipe("opq", 64, "pq16x4")):
        with pytest.raises(UserError, match="at least 64 rows"):
            recipe.fit(digits[:63])
        recipe.fit(digits[:64])
    with pytest.raises(UserError, match="at least 100 columns"):
        Recipe("truncate", 100, "int8").fit(digits)
    with pytest.raises(UserError, match="at least 65 columns"):
        Recipe(code="pq65x4").fit(digits)


def test_wrong_queries_are_refused(digits):
    fitted = Recipe().fit(digits).encode(digits)
    with pytest.raises(UserError, match="3 columns"):
        fitted.search(np.ones((1, 3)))
    with pytest.raises(UserError, match="k=0"):
        fitted.search(digits[:1], 0)
    with pytest.raises(UserError, match="NaN"):
        fitted.search(np.full((1, 64), np.nan))
    with pytest.raises(UserError, match="NaN"):
        fitted.encode(np.full((2, 64), np.inf, dtype=np.float32))


def test_more_candidates_than_rows_is_no_trouble(digits):
    few = digits[:30]
    fitted = Recipe(code="binary", rescore="f32", depth=40).fit(few).encode(few)
    _, rows = fitted.search(few, 30)
    np.testing.assert_array_equal(np.sort(rows, axis=1), np.tile(np.arange(30), (30, 1)))
    np.testing.assert_array_equal(rows[:, 0], np.arange(30))


@each
def test_vectors_of_zeros_have_no_direction_and_break_nothing(digits, recipe):
    X = np.concatenate([digits[:300], np.zeros((2, 64), dtype=np.float32)])
    fitted = recipe.fit(X).encode(X)
    scores, rows = fitted.search(np.concatenate([X[:20], X[-1:]]), 5)
    assert np.isfinite(scores).all()
    assert ((rows >= 0) & (rows < 302)).all()
    assert np.all(scores[-1] == 0)
    if recipe.code in ("f32", "f16"):
        assert not np.isin(rows[:20], (300, 301)).any()


@each
def test_queries_of_another_width_and_too_many_hits_are_refused(digits, recipe):
    fitted = recipe.fit(digits[:300]).encode(digits[:300])
    with pytest.raises(UserError, match="65 columns"):
        fitted.search(np.ones((1, 65)))
    with pytest.raises(UserError, match="k=301 hits of 300 rows"):
        fitted.search(digits[:1], 301)
    assert fitted.search(digits[:1], 300)[1].shape == (1, 300)


def test_any_width_goes_into_any_number_of_parts():
    """7 to 23 columns in 5 parts: every inner product is that of the vectors themselves before coding."""
    for width in (7, 11, 23):
        X = np.random.default_rng(width).standard_normal((400, width)).astype(np.float32)
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        fitted = Recipe(code="pq5x4").fit(X).encode(X)
        np.testing.assert_allclose(fitted.project(X) @ fitted.project(X).T, X @ X.T, atol=1e-5)
        assert (fitted.search(X[:50], 1)[1][:, 0] >= 0).all()


def test_axes_of_fewer_rows_than_columns_are_the_singular_vectors_and_stand_upright():
    sample = np.random.default_rng(0).standard_normal((9, 400)).astype(np.float32)
    sample[7:] = sample[:2]  # copies leave two directions open
    weight, directions = axes_of(sample)
    _, sizes, rows = np.linalg.svd(sample.astype(np.float64), full_matrices=False)
    assert weight == pytest.approx(sizes**2, abs=1e-6 * sizes[0] ** 2)
    assert np.abs(np.sum(directions[:7] * rows[:7], axis=1)) == pytest.approx(1, abs=1e-6)
    assert directions @ directions.T == pytest.approx(np.eye(9), abs=1e-6)
