import numpy as np
import pytest
from scipy.stats import beta
from sklearn.datasets import load_digits

from codomain.core import UserError
from codomain.shrink import Certificate, Judge, Recipe, bounds, certify


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data.astype(np.float32)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def recall_by_definition(X, found, k):
    """Every row is a query; a row counts when its float64 cosine reaches the k-th best minus the tie."""
    S = X.astype(np.float64) @ X.T.astype(np.float64)
    np.fill_diagonal(S, -np.inf)
    least = np.sort(S, axis=1)[:, -k] - 1e-6
    hits = np.take_along_axis(S, found, axis=1) >= least[:, None]
    return np.minimum(hits.sum(axis=1), k) / k


def found_by(fitted, X, k):
    rows = fitted.search(X, k + 1)[1]
    return np.array([[row for row in some if row != me][:k] for me, some in enumerate(rows)])


@pytest.mark.parametrize("successes, n", [(50, 50), (49, 50), (297, 300), (150, 300), (0, 20)])
def test_the_bound_on_yes_or_no_is_that_of_clopper_and_pearson(successes, n):
    lower, upper = bounds([1.0] * successes + [0.0] * (n - successes))
    assert lower == pytest.approx(beta.ppf(0.025, successes, n - successes + 1) if successes else 0, abs=2e-3)
    assert upper == pytest.approx(beta.ppf(0.975, successes + 1, n - successes) if successes < n else 1, abs=2e-3)


def test_no_error_at_all_proves_less_than_everything():
    assert bounds(np.ones(50))[0] == pytest.approx(0.025 ** (1 / 50), abs=2e-3)
    assert bounds(np.ones(50))[1] == 1.0


def test_bounds_are_ordered_and_mirrored():
    values = np.random.default_rng(0).beta(9, 1, 200)
    low, high = bounds(values)
    assert low < values.mean() < high
    assert bounds(1 - values) == pytest.approx((1 - high, 1 - low), abs=1e-3)
    wide = bounds(values, confidence=0.99)
    assert wide[0] < low and wide[1] > high


def test_recalls_outside_0_to_1_are_refused():
    for wrong in ([], [1.2], [-0.1]):
        with pytest.raises(UserError, match="recalls"):
            bounds(wrong)


RECIPES = [
    Recipe(code="int8"),
    Recipe(code="int6"),
    Recipe(code="int4"),
    Recipe(code="binary"),
    Recipe("pca", 24, "int8"),
    Recipe(code="pq16x4", rescore="int8"),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("n_queries", [60, 300])
def test_the_bound_is_below_the_true_recall_in_95_of_100_resamples(digits, recipe, n_queries):
    rows = np.random.default_rng(1).permutation(len(digits))
    fitted = recipe.fit(digits, train=rows[:400]).encode(digits)
    truth = recall_by_definition(digits, found_by(fitted, digits, 10), 10)
    held = within = 0
    for seed in range(100):
        queries = np.random.default_rng(seed).choice(rows[400:], n_queries, replace=False)
        certificate = certify(fitted, digits, queries=queries, random_state=seed) if seed < 2 else None
        lower, upper = bounds(truth[queries], random_state=seed)
        if certificate:  # the certificate is made of exactly these recalls
            assert certificate.recall == pytest.approx(truth[queries].mean(), abs=1e-9)
            assert (certificate.lower, certificate.upper) == pytest.approx((lower, upper), abs=1e-9)
        held += lower <= truth.mean()
        within += lower <= truth.mean() <= upper
    assert held >= 95
    assert within >= 90


@pytest.mark.parametrize(
    "recipe",
    [Recipe(code="int4"), Recipe("pca", 16, "int8"), Recipe("truncate", 40, "pq10x4"),
     Recipe("pca", 16, "binary", rescore="int8", depth=5)],
    ids=lambda recipe: recipe.name,
)  # fmt: skip
def test_losses_add_up_to_what_is_missing(digits, recipe):
    certificate = certify(recipe.fit(digits, train=np.arange(600)).encode(digits), digits, n_queries=200)
    assert sum(certificate.losses.values()) == pytest.approx(1 - certificate.recall, abs=1e-9)
    assert set(certificate.losses) == {"project", "code", "index"}
    if recipe.project == "none":
        assert certificate.losses["project"] == 0
    if recipe.rescore == "none":
        assert certificate.losses["index"] == 0


def test_what_the_projection_loses_is_what_projected_floats_lose(digits):
    fitted = Recipe("pca", 16, "binary").fit(digits, train=np.arange(600)).encode(digits)
    certificate = certify(fitted, digits, queries=np.arange(600, 800))
    Z = fitted.project(digits).astype(np.float64)
    S = Z @ Z.T
    np.fill_diagonal(S, -np.inf)
    projected = recall_by_definition(digits, np.argsort(-S, axis=1)[:, :10], 10)[600:800].mean()
    assert certificate.losses["project"] == pytest.approx(1 - projected, abs=2e-3)
    assert certificate.losses["code"] > 0.1


def test_a_row_that_equals_the_tenth_may_stand_in_for_it():
    X = np.repeat(np.eye(4, dtype=np.float32), 30, axis=0)  # every row has 29 equals
    fitted = Recipe(code="f32").fit(X, train=np.arange(20)).encode(X)
    assert certify(fitted, X).recall == 1.0


def test_known_neighbour_scores_give_the_same_judgement(digits):
    S = digits @ digits.T
    np.fill_diagonal(S, -np.inf)
    scores = -np.sort(-S, axis=1)[:, :15]
    rows = np.arange(0, 1797, 9)
    found = np.argsort(-S, axis=1)[rows][:, 3:13]
    one, two = Judge(digits, rows, 10), Judge(digits, rows, 10, scores=scores)
    np.testing.assert_array_equal(one.recalls(found), two.recalls(found))
    np.testing.assert_allclose(one.recalls(found), 0.7, atol=0.1)


def test_rows_that_taught_the_recipe_are_not_its_judges(digits):
    fitted = Recipe().fit(digits, train=np.arange(1700)).encode(digits)
    assert certify(fitted, digits, n_queries=500).n_queries == 97
    with pytest.raises(UserError, match="No row was held out"):
        certify(Recipe().fit(digits).encode(digits), digits)
    with pytest.raises(UserError, match="not known"):
        certify(type(fitted).load(fitted.save()), digits)
    with pytest.raises(UserError, match="1797 rows are encoded"):
        certify(fitted, digits[:100])


def test_a_certificate_is_plain_json_and_reads_as_a_sentence(digits):
    certificate = certify(Recipe("pca", 32, "int8").fit(digits, train=np.arange(900)).encode(digits), digits)
    record = certificate.to_dict()
    assert record["recipe"] == "pca 32 -> int8"
    assert Recipe.from_dict(record["made"]) == certificate.recipe
    assert {"bytes", "recall", "lower", "upper", "n_queries", "k", "losses", "front"} <= set(record)
    assert "recall@10" in str(certificate)
    assert Certificate.whole(64, 10).recall == 1
