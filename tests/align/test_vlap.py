"""What is true of a bridge learned by assignment to words and of nothing else."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from codomain.align import VLAP
from codomain.core import sinkhorn, unit_rows


def rotated_pair(seed=0, n=300, d=6):
    rng = np.random.default_rng(seed)
    A = unit_rows(rng.normal(size=(n, d)))
    return A, A @ ortho_group.rvs(d, random_state=seed)


def test_a_case_by_hand():
    """Four items that are their own words, and partners that are the items in another order."""
    A = np.eye(4)
    mapped = VLAP(epochs=300, random_state=0).fit(A, A[[2, 3, 1, 0]], words=A).transform(A)
    assert mapped.argmax(axis=1).tolist() == [2, 3, 1, 0]
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1)


def test_rows_that_it_has_not_seen_find_their_partners():
    A, B = rotated_pair()
    mapped = VLAP(epochs=100, random_state=0).fit(A[:200], B[:200]).transform(A[200:])
    assert np.mean((mapped @ B[200:].T).argmax(axis=1) == np.arange(100)) > 0.9
    assert np.mean((A[200:] @ B[200:].T).argmax(axis=1) == np.arange(100)) < 0.2  # as they are they do not


def test_the_loss_is_the_cross_entropy_between_assignments_and_predictions():
    A, B = rotated_pair(n=40)
    often = np.arange(1.0, 9.0)
    fitted = VLAP(epochs=1, learning_rate=1e-6, random_state=3).fit(A, B, words=B[:8], frequencies=10 * often)
    shares = sinkhorn(B @ B[:8].T, columns=often / often.sum(), temperature=0.01, n_iter=3)
    logits = fitted.transform(A) @ B[:8].T / 0.01
    log_shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    by_hand = -np.mean((shares / shares.sum(axis=1, keepdims=True) * log_shares).sum(axis=1))
    assert fitted.losses_[0] == pytest.approx(by_hand, rel=1e-3)


def test_read_names_the_words_nearest_to_a_row():
    A, B = rotated_pair()
    fitted = VLAP(epochs=100, random_state=0).fit(A, B, words=B[:50])
    assert np.mean(fitted.read(A[:50], 3)[:, 0] == np.arange(50)) > 0.9


def test_words_of_another_width_are_refused():
    A, B = rotated_pair(n=20)
    with pytest.raises(ValueError, match="words are 5 wide"):
        VLAP(epochs=1).fit(A, B, words=B[:, :5])


def test_it_leaves_torchs_own_random_numbers_alone():
    torch = pytest.importorskip("torch")

    torch.manual_seed(7)
    before = torch.get_rng_state()
    VLAP(epochs=1, random_state=0).fit(*rotated_pair(n=20))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("often", "words"), [([1.0] * 19 + [0.0], "not above 0"), ([1.0] * 19, "inconsistent")])
def test_frequencies_that_do_not_fit_the_words_are_refused(often, words):
    A, B = rotated_pair(n=20)
    with pytest.raises(ValueError, match=words):
        VLAP(epochs=1).fit(A, B, words=B, frequencies=often)
