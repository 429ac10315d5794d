"""What a cosine is worth in this space: how rarely unrelated things score as high."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core import UserError, unit_rows
from codomain.core.maths.blocks import slices
from codomain.search.engine.everyday import QUESTIONS

Asked = Literal["row", "question"]

# Probabilities at which a null is kept: even steps of log-odds, so that the tails are as fine as the middle.
_LEVELS = 1 / (1 + np.exp(-np.linspace(-13, 13, 401)))
# Shares above which a tail is no longer counted but continued: 20 of 200,000 pairs of rows; of questions 1 in 100,
# because all pairs of one question go together.
_ROWS_COUNTED, _QUESTIONS_COUNTED = 1e-4, 1e-2
_NARROWEST = 1e-6  # spread of one question's cosines, where all rows are alike
_ONE_IN_A_HUNDRED = 2.326  # normal deviate that 1 in 100 exceeds


class _Encodes(Protocol):
    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Null:
    """Scores of things that have nothing to do with each other.

    Two questions are answered. *Is this pair closer than chance?* For two rows, `percentile` compares their cosine with
    those of random pairs of rows. Questions differ too much for that: a question in the collection's own words is
    nearer to all of its rows than an everyday one, and a long one than a short one. `percentile_of_question` therefore
    takes off the question's own mean cosine with the rows and divides by its own spread, and compares that with
    everyday questions treated alike. *Is there anything here at all?* `nothing_close`
    compares the best hit with the best hits of questions about nothing: everyday questions on a hundred subjects,
    few of which any collection treats, and made-up words spelt with the letters of its own texts. Their median and
    the spread of their lower half decide, so a collection that does answer up to half of them does not move the bar.
    Without an encoder the bar is what 99 of 100 rows reach with their own nearest row.

    Attributes
    ----------
    rows, questions : tuple of float
        Cosines of random pairs of rows, and of everyday questions with rows, at 401 levels; empty when not fitted.
    n_rows, n_questions : int
        Pairs behind them.
    standing : tuple of float
        The cosines of everyday questions less each question's mean, in units of its spread, at 401 levels.
    nothing : tuple of (float, float)
        Median and spread of the best hit of everyday questions, then of made-up words; empty without an encoder.
    least : float
        The cosine that 99 of 100 rows reach with their nearest row.
    """

    rows: tuple[float, ...]
    n_rows: int
    least: float
    questions: tuple[float, ...] = ()
    n_questions: int = 0
    nothing: tuple[tuple[float, float], ...] = ()
    standing: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls, X: Any, *, texts: Sequence[str | None] | None = None, encoder: _Encodes | None = None,
        random_state: int = 0, n_pairs: int = 200_000,
    ) -> Self:  # fmt: skip
        """Draw pairs of rows, and ask questions about nothing when there is an encoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The space, read in blocks.
        texts : sequence of str, optional
            Texts of the rows, whose letters spell the made-up words; plain a to z when missing.
        encoder : Encoder, optional
            The space's own encoder.
        random_state : int, default=0
            Seed of the draws.
        n_pairs : int, default=200_000
            Pairs of rows to draw.

        Returns
        -------
        Null

        Raises
        ------
        UserError
            When there are fewer than two rows.
        """
        n = X.shape[0]
        if n < 2:
            raise UserError(f"{n} row has no pairs to compare.", needed="two rows or more")
        rng = np.random.default_rng(random_state)
        drawn = np.sort(rng.choice(n, min(n, 4096), replace=False))
        some = unit_rows(np.asarray(X[drawn], np.float32))
        left = rng.integers(len(some), size=n_pairs)
        right = (left + rng.integers(1, len(some), size=n_pairs)) % len(some)  # never itself
        if len(some) ** 2 <= n_pairs:  # then every pair is drawn more than once
            pairs = (some @ some.T)[left, right]
        else:
            parts = slices(n_pairs, 16_384)
            pairs = np.concatenate([np.einsum("ij,ij->i", some[left[part]], some[right[part]]) for part in parts])
        few = rng.choice(len(some), min(len(some), 500), replace=False)
        least = float(np.quantile(_best_hits(X, some[few], own=drawn[few]), 0.01))
        if encoder is None:
            return cls(_at_levels(pairs), n_pairs, least)
        everyday = unit_rows(encoder.encode(QUESTIONS, query=True))
        made_up = unit_rows(encoder.encode(_made_up(texts, 100, rng), query=True))
        asked = everyday @ some.T
        stand = (asked - asked.mean(axis=1, keepdims=True)) / np.maximum(asked.std(axis=1, keepdims=True), _NARROWEST)
        nothing = tuple(_middle_and_spread(_best_hits(X, Q)) for Q in (everyday, made_up))
        return cls(_at_levels(pairs), n_pairs, least, _at_levels(asked), asked.size, nothing, _at_levels(stand))

    @property
    def bar(self) -> float | None:
        """The best hit that only 1 in 100 questions about nothing exceeds; None without an encoder."""
        return max((middle + _ONE_IN_A_HUNDRED * spread for middle, spread in self.nothing), default=None)

    def percentile(self, scores: ArrayLike, *, asked: Asked = "row") -> NDArray[np.float64]:
        """Share of unrelated pairs that score lower, from 0 to 1.

        Parameters
        ----------
        scores : array-like
            Cosines.
        asked : {"row", "question"}, default="row"
            Pairs of rows, or of everyday questions and rows.

        Returns
        -------
        ndarray of the shape of `scores`
            Never falling with the score. Above 9,999 of 10,000 pairs the tail is continued: each further step as long
            as that from 1 in 1,000 to 1 in 10,000 makes a score ten times as rare.
        """
        kept = self.questions if asked == "question" and self.questions else self.rows
        return _share_below(scores, kept, _ROWS_COUNTED)

    def percentile_of_question(self, scores: ArrayLike, mean: float, spread: float) -> NDArray[np.float64]:
        """Share of rows that score lower with a question they have nothing to do with, from 0 to 1.

        Parameters
        ----------
        scores : array-like
            Cosines of one question with rows.
        mean, spread : float
            Mean and standard deviation of this question's cosines with the rows of the space, or many of them.

        Returns
        -------
        ndarray of the shape of `scores`
            Never falling with the score. Above 99 of 100 pairs the tail is continued as that of `percentile` is, by
            steps as long as that from 1 in 10 to 1 in 100.

        Raises
        ------
        UserError
            When the null was fitted without an encoder, or by a version that did not ask this.
        """
        if not self.standing:
            raise UserError("This null knows no questions.", needed="one fitted with the space's encoder")
        standing = (np.asarray(scores, np.float64) - mean) / max(spread, _NARROWEST)
        return _share_below(standing, self.standing, _QUESTIONS_COUNTED)

    def nothing_close(self, best: float, *, asked: Asked = "row") -> bool:
        """Whether a best hit with this cosine is no better than one gets by asking about nothing."""
        bar = self.bar if asked == "question" else None
        return best <= self.least - 1e-6 if bar is None else best <= bar

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return {**asdict(self), "rows": list(self.rows), "questions": list(self.questions),
                "nothing": [list(pair) for pair in self.nothing], "standing": list(self.standing)}  # fmt: skip

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        nothing = tuple((float(middle), float(spread)) for middle, spread in record["nothing"])
        return cls(**{**record, "rows": tuple(record["rows"]), "questions": tuple(record["questions"]),
                      "nothing": nothing, "standing": tuple(record.get("standing", ()))})  # fmt: skip


def _at_levels(scores: NDArray[Any]) -> tuple[float, ...]:
    return tuple(round(float(value), 7) for value in np.quantile(scores.astype(np.float64), _LEVELS))


def _share_below(scores: ArrayLike, kept: tuple[float, ...], counted: float) -> NDArray[np.float64]:
    """Share of a null below some scores: counted while `counted` of it lies above, then continued as it ended."""
    # Levels are kept to seven digits; a score equal to a level beats only what is below that level.
    exact = np.asarray(scores, np.float64) - 1e-6
    share = np.interp(exact, kept, _LEVELS)
    before, last = np.interp([1 - 10 * counted, 1 - counted], _LEVELS, kept)
    steps = np.maximum(exact - last, 0) / max(last - before, 1e-3)
    return np.where(exact > last, 1 - counted * 10.0 ** -np.minimum(steps, 10), share)


def _middle_and_spread(best: NDArray[Any]) -> tuple[float, float]:
    """Median, and the standard deviation that the lower half alone would have if it were normal."""
    low, middle = np.quantile(best.astype(np.float64), [0.1587, 0.5])
    return round(float(middle), 7), round(float(middle - low), 7)


def _best_hits(X: Any, Q: NDArray[np.float32], *, own: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Highest cosine of each query with the rows of X, a row's own left out."""
    best = np.full(len(Q), -1, np.float32)
    for rows in slices(X.shape[0]):
        scores = Q @ unit_rows(np.asarray(X[rows], np.float32)).T
        if own is not None:
            inside = np.flatnonzero((own >= rows.start) & (own < rows.stop))
            scores[inside, own[inside] - rows.start] = -1
        best = np.maximum(best, scores.max(axis=1))
    return best


def _made_up(texts: Sequence[str | None] | None, count: int, rng: "np.random.Generator") -> list[str]:
    """Two or three words each, of 4 to 9 letters drawn as often as the texts use them."""
    some = [texts[i] for i in rng.integers(len(texts), size=300)] if texts is not None and len(texts) else []
    letters = "".join(re.findall(r"[^\W\d_]", " ".join((text or "")[:500] for text in some).lower()))
    pool = np.array(list(letters if len(set(letters)) > 1 else "abcdefghijklmnopqrstuvwxyz"))
    return [
        " ".join("".join(rng.choice(pool, rng.integers(4, 10))) for _ in range(rng.integers(2, 4)))
        for _ in range(count)
    ]
