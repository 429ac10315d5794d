import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from codomain.core import UserError
from codomain.shrink import FittedRecipe, Recipe, certify, cheapest
from codomain.shrink.index.waterfill import BITS, PER_LANE, Coder, Waterfill, lanes_of

FILL = Recipe(code="fill16")


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data.astype(np.float32)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def decoded(fitted):
    """Every row as the code stands for it, in the space that it came from."""
    return np.hstack([part for _, part in fitted.index.decoded()]).T @ fitted.index.turn


def naive_decode(shares, states, words, n):
    """The coder's definition, one symbol at a time, with plain numbers and lists."""
    states, words = [int(x) for x in states], [int(word) for word in words]
    rows = [[] for _ in range(n)]
    for start in range(0, n, max(len(states), 1)):
        for share in shares:
            for row in range(start, min(start + len(states), n)):
                x, place, before, symbol = states[row - start], states[row - start] % 2**BITS, 0, 0
                while place >= before + share[symbol]:
                    before += int(share[symbol])
                    symbol += 1
                states[row - start] = int(share[symbol]) * (x >> BITS) + place - before
                rows[row].append(symbol)
            for lane in range(min(len(states), n - start)):
                if states[lane] < 2**16:
                    states[lane] = states[lane] * 2**16 + words.pop(0)
    assert not words
    return np.array(rows).reshape(n, len(shares))


@settings(max_examples=40)
@given(n=st.integers(1, 70), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), seed=st.integers(0, 2**16))
def test_what_was_packed_is_unpacked_as_by_a_plain_loop(n, sizes, seed):
    rng = np.random.default_rng(seed)
    symbols = np.stack([rng.integers(0, size, n) for size in sizes], axis=1).astype(np.uint16)
    coder = Coder([rng.integers(0, 5, size) ** 4 for size in sizes])  # likely, unlikely and never seen ones
    states, words = coder.encode(symbols)
    assert len(states) == lanes_of(n)
    np.testing.assert_array_equal(naive_decode(coder.shares, states, words, n), symbols)
    numbers = [np.arange(size, dtype=np.uint16) for size in sizes]
    np.testing.assert_array_equal(np.hstack(list(coder.decode(states, words, n, numbers))).T, symbols)


def test_shares_fill_the_scale_and_leave_no_symbol_out():
    for count in ([0], [0, 0, 7], [10**6, 0, 1], [3] * 1023):
        (shares,) = Coder([np.array(count)]).shares
        assert shares.sum() == 2**BITS
        assert shares.min() >= 1


def test_the_stream_is_as_long_as_the_entropy():
    rng = np.random.default_rng(0)
    chances = np.array([0.9, 0.06, 0.03, 0.01])
    symbols = rng.choice(4, (20_000, 12), p=chances).astype(np.uint16)
    states, words = Coder([np.bincount(column, minlength=4) for column in symbols.T]).encode(symbols)
    bits = 8 * (states.nbytes + words.nbytes) / len(symbols)
    entropy = -12 * (chances * np.log2(chances)).sum()
    assert entropy - 0.2 < bits < 1.02 * entropy + 32 / PER_LANE


@pytest.mark.parametrize("size", [12, 20, 32])
def test_the_error_is_near_the_least_that_any_code_of_this_length_can_have(size):
    """A known Gaussian: error at most 1.8 times Shannon's bound (equal steps alone: 1.42), lengths aside."""
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((12_000, 48)) * np.linspace(1.2, 0.8, 48)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)  # a hair less than Gaussian, all of nearly the same length
    fitted = Recipe(code=f"fill{size}").fit(X, train=np.arange(6000)).encode(X)
    Y = decoded(fitted)
    error = (1 - (X * Y).sum(axis=1) ** 2 / (Y**2).sum(axis=1)).mean()
    power = np.sort((X**2).mean(axis=0))[::-1]
    bits = 8 * sum(part.nbytes for pair in fitted.index._all_chunks() for part in pair) / len(X)
    levels = np.geomspace(1e-9, power[0], 20_000)
    rates = (0.5 * np.log2(np.maximum(power / levels[:, None], 1))).sum(axis=1)
    bound = np.minimum(power, levels[np.searchsorted(-rates, -bits)]).sum()
    assert 0.9 * bound < error < 1.8 * bound, error / bound


def test_search_is_brute_force_over_the_decoded_vectors(digits):
    fitted = FILL.fit(digits).encode(digits)
    scores, rows = fitted.search(digits[:200], 12)
    S = digits[:200] @ decoded(fitted).T
    np.testing.assert_allclose(scores, -np.sort(-S, axis=1)[:, :12], atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(S, rows, axis=1), scores, atol=1e-5)


def test_every_row_meets_itself_with_cosine_one(digits):
    fitted = FILL.fit(digits).encode(digits)
    np.testing.assert_allclose((digits * decoded(fitted)).sum(axis=1), 1, atol=2e-3)


def test_more_bytes_are_nearer(digits):
    errors = []
    for size in (6, 12, 24, 40):
        fitted = Recipe(code=f"fill{size}").fit(digits).encode(digits)
        assert abs(fitted.scan_bytes - size) <= 2
        errors.append(((digits - decoded(fitted)) ** 2).sum())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 20


def test_the_bytes_counted_are_the_bytes_saved(digits):
    fitted = FILL.fit(digits).encode(digits)
    files = fitted.save()
    assert set(files) == {"index.fill", "recipe.json"}
    assert fitted.bytes_per_vector == len(files["index.fill"]) / len(digits)
    assert fitted.bytes_per_vector > fitted.scan_bytes


def test_a_saved_index_answers_as_before_and_goes_on_growing(digits, tmp_path):
    fitted = FILL.fit(digits).encode(digits[:1500])
    files = fitted.save()
    (tmp_path / "index.fill").write_bytes(files["index.fill"])
    (tmp_path / "recipe.json").write_text(json.dumps(files["recipe.json"]))
    whole = FILL.fit(digits).encode(digits)
    for again in (files, {name: tmp_path / name for name in files}):
        loaded = FittedRecipe.load(again)
        assert loaded.recipe == FILL
        for before, after in zip(fitted.search(digits[:50]), loaded.search(digits[:50]), strict=True):
            np.testing.assert_array_equal(before, after)
        assert loaded.save()["index.fill"] == files["index.fill"]
    assert fitted.encode(digits[1500:]).save() == loaded.encode(digits[1500:]).save()
    assert len(loaded) == len(digits)
    np.testing.assert_array_equal(FILL.fit(digits).index.turn, whole.index.turn)


def test_many_chunks_are_as_good_as_one(digits, monkeypatch):
    whole = FILL.fit(digits).encode(digits)
    expected, found = decoded(whole), whole.search(digits[:20])[1]
    monkeypatch.setattr("codomain.shrink.index.waterfill.CHUNK", 400)
    cut = FILL.fit(digits).encode(digits)
    assert len(cut.index.chunks) == 4
    np.testing.assert_array_equal(decoded(cut), expected)
    loaded = FittedRecipe.load(cut.save())
    np.testing.assert_array_equal(loaded.search(digits[:20])[1], found)
    assert loaded.encode(digits[:300]).save() == cut.encode(digits[:300]).save()


def test_the_same_rows_give_the_same_bytes_however_they_come(digits, tmp_path):
    np.save(tmp_path / "x.npy", digits)
    one, two = (FILL.fit(X).encode(X) for X in (digits, np.load(tmp_path / "x.npy", mmap_mode="r")))
    three = FILL.fit(digits).encode(digits[:7]).encode(digits[7:1000]).encode(digits[1000:])
    assert one.save() == two.save()
    np.testing.assert_array_equal(one.search(digits[:50])[1], three.search(digits[:50])[1])


def test_rows_unlike_the_sample_are_coded_all_the_same(digits):
    fitted = FILL.fit(digits[:300]).encode(-digits)
    assert np.isfinite(fitted.search(digits[:5], 3)[0]).all()


def test_equal_rows_take_hardly_a_byte():
    X = np.ones((500, 16), dtype=np.float32)
    fitted = Recipe(code="fill4").fit(X).encode(X)
    assert fitted.scan_bytes <= 4
    np.testing.assert_array_equal(np.sort(fitted.search(X[:1], 500)[1])[0], np.arange(500))


def test_cheapest_tries_it_proves_it_and_returns_it(digits):
    X = np.repeat(digits, 12, axis=0)  # so many rows that the turn, which does not grow with them, weighs little
    X += np.random.default_rng(0).standard_normal(X.shape).astype(np.float32) * 0.01
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    front = cheapest(X, target=0.7)
    assert front.winner.recipe.code.startswith("fill")
    fitted = front.build(X)
    assert fitted.bytes_per_vector == front.winner.bytes
    assert certify(fitted, X, queries=np.arange(1000)).recall > 0.7


@pytest.mark.parametrize("size", [2, 49])
def test_a_size_out_of_reach_is_refused(digits, size):
    with pytest.raises(UserError, match="from fill3 to fill48"):
        Recipe(code=f"fill{size}").fit(digits)


@pytest.mark.parametrize("wrong", [{"project": "pca", "width": 8}, {"rescore": "int8"}])
def test_it_stands_alone(wrong):
    with pytest.raises(UserError, match="No such recipe"):
        Recipe(code="fill16", **wrong)


def test_another_file_is_refused():
    with pytest.raises(UserError, match="no file of 'codomain waterfill"):
        Waterfill.from_bytes(b"something else")


def test_machine_code_decodes_and_finds_the_same(digits, monkeypatch):
    pytest.importorskip("numba")
    fitted = FILL.fit(digits).encode(digits)
    plain, expected = decoded(fitted), fitted.search(digits[:60], 15)
    monkeypatch.setattr("codomain.shrink.index.waterfill.FEW", 0)
    np.testing.assert_array_equal(decoded(fitted), plain)
    for before, after in zip(expected, fitted.search(digits[:60], 15), strict=True):
        np.testing.assert_array_equal(before, after)


def test_machine_code_keeps_lower_rows_of_equal_ones(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr("codomain.shrink.index.waterfill.FEW", 0)
    X = np.repeat(np.eye(16, dtype=np.float32), 30, axis=0)
    rows = Recipe(code="fill4").fit(X).encode(X).search(X[35:36], 20)[1]
    np.testing.assert_array_equal(rows[0], np.arange(30, 50))
