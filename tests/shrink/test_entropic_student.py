"""What is true of a bottleneck trained for rate and distortion and of nothing else."""

import numpy as np
import pytest
from scipy.stats import logistic

from codomain.shrink import EntropicStudent

torch = pytest.importorskip("torch")


def hidden_causes(seed=0, n=1500):
    """Ten columns, of which the teacher looks at two curved mixtures; the rest is noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 10)).astype(np.float32)
    return X, np.column_stack([np.tanh(2 * X[:, 0]) + X[:, 1], np.abs(X[:, 1]), X[:, 0] * X[:, 1]]).astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    return EntropicStudent(6, weight_of_rate=0.01, epochs=60, random_state=0).fit(*hidden_causes())


def test_the_bytes_of_unseen_rows_are_the_bits_of_the_prior(fitted):
    X = hidden_causes(1, 5000)[0]
    (block,) = fitted.compress(X, len(X))
    bits = fitted.bits(X).sum()
    assert bits <= 8 * len(block) <= 1.01 * bits + 200


def test_the_tables_are_cells_of_a_mixture_of_logistic_curves(fitted):
    middles, sizes, weights = (part.astype(float) for part in fitted._prior)
    for low, share, middle, size, weight in zip(fitted.lowest_, fitted.shares_, middles, sizes, weights, strict=True):
        numbers = low + np.arange(len(share) - 1)[:, None]
        curves = logistic(loc=middle, scale=np.exp(size))
        cells = curves.cdf(numbers + 0.5) - curves.cdf(numbers - 0.5)
        wanted = cells @ (np.exp(weight) / np.exp(weight).sum())
        np.testing.assert_allclose(share[:-1], wanted / wanted.sum(), atol=1e-5)
        assert share.sum() == pytest.approx(1, abs=1e-5)


def test_the_prior_learned_where_the_codes_are(fitted):
    Z = fitted.transform(hidden_causes(1, 5000)[0])
    for low, share, column in zip(fitted.lowest_, fitted.shares_, Z.T, strict=True):
        count = np.bincount((column - low).astype(int), minlength=len(share)) / len(Z)
        entropy = -(count[count > 0] * np.log2(count[count > 0])).sum()
        assert (count[count > 0] * -np.log2(share[count > 0])).sum() < entropy + 0.15


def test_what_is_received_is_decoded_from_whole_numbers_and_is_like_the_teachers(fitted):
    X, features = hidden_causes(1)
    Z = fitted.transform(X)
    np.testing.assert_array_equal(Z, np.rint(Z))
    back = fitted.decompress(fitted.compress(X, 400))
    np.testing.assert_allclose(back, fitted.inverse_transform(Z), atol=1e-5)
    assert ((back - features) ** 2).mean() < 0.15 * ((features - features.mean(axis=0)) ** 2).mean()


def test_dearer_bits_make_shorter_codes_and_larger_errors():
    X, features = hidden_causes()
    Q, wanted = hidden_causes(1)
    bits, errors = [], []
    for weight in (0.003, 0.03, 0.3):
        student = EntropicStudent(6, weight_of_rate=weight, epochs=40, random_state=0).fit(X, features)
        bits.append(student.bits(Q).mean())
        errors.append(((student.inverse_transform(student.transform(Q)) - wanted) ** 2).mean())
    assert bits[0] > 1.3 * bits[1] > 1.6 * bits[2] and errors == sorted(errors)


def test_columns_that_the_teacher_does_not_see_are_hardly_sent(fitted):
    X, other = hidden_causes(1)[0], hidden_causes(2)[0]
    back = fitted.inverse_transform(fitted.transform(X))

    def moved(columns):
        changed = X.copy()
        changed[:, columns] = other[:, columns]
        return np.mean((fitted.inverse_transform(fitted.transform(changed)) - back) ** 2)

    assert moved(slice(2, None)) < moved(slice(2)) / 5


def test_labels_become_columns_whose_highest_is_the_class():
    X, features = hidden_causes()
    y = np.where(features[:, 0] > 0, "high", "low")
    student = EntropicStudent(4, weight_of_rate=0.03, epochs=40, random_state=0).fit(X, y)
    found = student.classes_[student.decompress(student.compress(X)).argmax(axis=1)]
    assert np.mean(found == y) > 0.9 and student.bits(X).mean() < 6


def test_without_a_teacher_the_rows_themselves_come_back():
    X = hidden_causes()[0][:, :3]
    back = EntropicStudent(3, weight_of_rate=0.002, epochs=60, random_state=0).fit(X)
    error = ((back.inverse_transform(back.transform(X)) - X) ** 2).mean()
    assert error < 0.1


def test_a_code_out_of_reach_is_kept_as_it_is(fitted):
    far = np.full((2, 10), 50, dtype=np.float32)
    assert fitted._raw(fitted._symbols(fitted.transform(far))).any()
    np.testing.assert_allclose(
        fitted.decompress(fitted.compress(far)), fitted.inverse_transform(fitted.transform(far)), rtol=1e-5
    )


def test_a_damaged_block_is_refused(fitted):
    (block,) = fitted.compress(hidden_causes(1, 300)[0])
    with pytest.raises(ValueError, match="damaged"):
        fitted.decompress([block[:-40]])


def test_the_seed_of_torch_is_left_as_it_was():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    EntropicStudent(2, n_hidden=4, epochs=1, random_state=0).fit(*hidden_causes(n=50))
    assert torch.equal(torch.rand(3), wanted)
