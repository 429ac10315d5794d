"""Name groups in the corpus' own words and say how well each name finds its group."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from codomain.cluster.engine.words import STOP, word_table
from codomain.core import UserError, unit_rows

WORDS = 3
EXAMPLES = 4
CANDIDATES = 60
HELD = 0.2  # least share of a group's rows that hold each word of its name: rarer words say what few of them are about
LIFT = 2.0  # least times more often than in the other rows: words of most rows, such as headers, name nothing
STOP_WEIGHT = 0.05  # a stop word names a group only where nothing else comes near: rows that all say "same as"


@dataclass(frozen=True)
class Name:
    """What a group is called, and how well that name finds it.

    Parameters
    ----------
    words : list of str
        Words and two-word phrases of the name, the most telling first; empty when there were no texts.
    name : str
        The words joined, or what the user's labels say, or "group 7".
    score : float
        F1 of using the name as a query for the group's rows, 0 to 1: the harmonic mean of precision and recall.
    precision, recall : float
        Share of the rows found that are in the group, and share of the group that is found, 0 to 1.
    needs : int
        How many of the words a row must hold to count as found; 0 when the name is not made of words.
    examples : list of int
        Rows in the middle of the group that are not copies of each other.
    shares : list of float
        Share of the group's rows that hold each word, at least 0.2.
    """

    words: list[str]
    name: str
    score: float
    precision: float
    recall: float
    needs: int
    examples: list[int]
    shares: list[float] = field(default_factory=list)

    @property
    def says(self) -> str:
        """How well the name finds the group, in one sentence."""
        if not self.score:
            return "Nothing in the data names this group."
        if not self.words:
            return (
                f"{self.precision:.0%} of the group has this label, and {self.recall:.0%} of the label is in the group."
            )
        how_many = "any of these words" if self.needs == 1 else f"at least {self.needs} of these words"
        each = ", ".join(f"{word} {share:.0%}" for word, share in zip(self.words, self.shares, strict=True))
        return (
            f"Of the rows with {how_many}, {self.precision:.0%} are in the group; "
            f"they are {self.recall:.0%} of the group. Share of the group that holds each: {each}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and the sentence as JSON can hold them."""
        return asdict(self) | {"says": self.says}


def name_groups(
    texts: Sequence[str] | None,
    labels: ArrayLike,
    *,
    X: Any = None,
    user_labels: Sequence[Any] | None = None,
) -> list[Name]:
    """Name each group by words that are common in it and rare outside.

    Parameters
    ----------
    texts : sequence of str, of length n_samples, or None
        The rows' texts; None when there are only vectors.
    labels : array-like of shape (n_samples,)
        Group of each row from 0 without gaps; -1 for a row in no group.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Vectors, any slicing by row numbers will do; they decide which rows are examples.
    user_labels : sequence of length n_samples or None, default=None
        The user's own labels; they name the groups when there are no texts.

    Returns
    -------
    list of Name
        One per group, in order of the group number; no two names are equal.

    Raises
    ------
    UserError
        When lengths differ or group numbers have gaps.

    Notes
    -----
    Words are ranked by their log-odds against the other rows, with the corpus as prior (Monroe, Colaresi and Quinn
    2008), times the F1 of each as a query. Each is held by at least a fifth of the group, and at least twice as often
    as by the other rows. Lines that stand word for word in three texts or more, such as signatures and headers, are
    left out of texts that say something else too. Two or three make the name, whichever finds the group better, unless
    one phrase does it best. A row is found when it holds enough of them. No language model is asked.

    Examples
    --------
    >>> texts = ["red apple pie", "apple cake", "apple", "blue whale", "whale song", "the whale"]
    >>> [name.words[0] for name in name_groups(texts, [0, 0, 0, 1, 1, 1])]
    ['apple', 'whale']
    """
    group = np.asarray(labels, dtype=np.int64)
    n, n_groups = len(group), int(group.max(initial=-1)) + 1
    for what, rows in (("texts", texts), ("user_labels", user_labels), ("X", X)):
        if rows is not None and len(rows) != n:
            raise UserError(f"{what} has {len(rows)} rows and labels {n}.", needed="one of each per row")
    sizes = np.bincount(group[group >= 0], minlength=n_groups)
    if not sizes.all():
        raise UserError(f"Group {int(np.argmin(sizes))} has no row.", needed="group numbers from 0 without gaps")
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group + 1, minlength=n_groups + 1)))[
        1:-1
    ]
    if texts is not None:
        words, has = word_table(texts, sizes)
        entries = _choose(words, has, group, sizes)
    elif user_labels is not None:
        return _from_labels(user_labels, members, [_examples(rows, X, None, None) for rows in members])
    else:
        entries, words, has = [[] for _ in members], [], sparse.csc_array((n, 0))
    place_of = {word: column for column, word in enumerate(words)}
    named: dict[int, Name] = {}
    taken: set[str] = set()
    # The largest group has the first word.
    for number in np.argsort(-sizes, kind="stable").tolist():
        rows = members[number]
        found = _pick(words, has, rows, entries[number], taken) or Name([], f"group {number}", 0.0, 0.0, 0.0, 0, [])
        taken.add(found.name)
        table = has[:, [place_of[word] for word in found.words]][rows]
        held = np.asarray(table.sum(axis=1)).ravel()
        shares = np.diff(sparse.csc_array(table).indptr) / len(rows)
        named[number] = replace(found, examples=_examples(rows, X, texts, held), shares=shares.tolist())
    return [named[number] for number in range(n_groups)]


def _choose(words: list[str], has: sparse.csc_array, group: NDArray[Any], sizes: NDArray[Any]) -> list[list[int]]:
    """Columns of `has` that tell each group from the other rows, best first, none saying the same twice."""
    n, n_groups = len(group), len(sizes)
    inside = group >= 0
    member = sparse.csr_array(
        (np.ones(inside.sum(), dtype=np.float32), (group[inside], np.flatnonzero(inside))), shape=(n_groups, n)
    )
    counts = sparse.csr_array(member @ has)
    total = np.diff(has.indptr).astype(np.float64)
    weight = np.array([STOP_WEIGHT if word in STOP else 1.0 for word in words])
    prior_rows = n / max(n_groups, 1)
    chosen = []
    for number, size in enumerate(sizes):
        span = slice(counts.indptr[number], counts.indptr[number + 1])
        column, count = counts.indices[span], counts.data[span].astype(np.float64)
        rest = total[column] - count
        prior = total[column] * prior_rows / n + 0.5
        here = np.log((count + prior) / (size + prior_rows + 1 - count - prior))
        there = np.log((rest + prior) / (n - size + prior_rows + 1 - rest - prior))
        surprise = (here - there) / np.sqrt(1 / (count + prior) + 1 / (rest + prior))
        sets_apart = (count >= HELD * size) & (count * (n - size) >= LIFT * rest * size)
        if size == n:  # nothing to differ from: common words are all there is to say
            surprise, sets_apart = np.ones(len(count)), count >= HELD * size
        alone = 2 * count / (total[column] + size)  # F1 of the word as a query
        value = np.where((count >= 2) & sets_apart, surprise * alone * weight[column], 0)
        order = np.lexsort((column, -value))[:CANDIDATES]
        chosen.append(_without_repeats(words, [(int(column[i]), float(count[i])) for i in order if value[i] > 0]))
    return chosen


def _without_repeats(words: list[str], ranked: list[tuple[int, float]]) -> list[int]:
    """Walk down the ranking and keep what says something new; a phrase may take the place of its word."""
    name: list[int] = []
    count_of = dict(ranked)
    for column, count in ranked:
        parts = words[column].split()
        if len(parts) == 2 and _same_word(*parts):
            continue
        clash = [old for old in name if _same(words[old], words[column])]
        if not clash:
            name.append(column)
        elif len(parts) == 2 and all(" " not in words[old] and count >= 0.5 * count_of[old] for old in clash):
            # Half of the rows with these words use them in this phrase, so the phrase is what is meant.
            name[name.index(clash[0])] = column
            name = [old for old in name if old not in clash]
    return name


def _pick(
    words: list[str], has: sparse.csc_array, rows: NDArray[Any], entries: list[int], taken: set[str]
) -> Name | None:
    """Best name made of the first entries that no other group has: two or three, or one phrase."""
    best: Name | None = None
    for length in range(1, len(entries) + 1):
        own = [words[column] for column in entries[:length]]
        name = " · ".join(own)
        short = length == 1 and " " not in own[0] and len(entries) > 1
        if short or name in taken:
            continue
        if best is not None and length > WORDS:
            break
        held = np.asarray(has[:, entries[:length]].sum(axis=1)).ravel()
        precision, recall, needs = _as_query(held, rows)
        score = 2 * precision * recall / (precision + recall)
        if best is None or score >= best.score:
            best = Name(own, name, score, precision, recall, needs, [])
    return best


def _same(one: str, two: str) -> bool:
    """Whether two entries of a name share a word, up to its ending."""
    return any(_same_word(a, b) for a in one.split() for b in two.split())


def _same_word(one: str, two: str) -> bool:
    """Whether two words are one word with two endings, or one is a part of the other."""
    short, long = sorted((one, two), key=len)
    if short == long or (len(short) >= 3 and long.startswith(short)) or (len(short) >= 4 and short in long):
        return True
    common = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return common >= 4 and common >= len(long) - 3


def _as_query(held: NDArray[Any], rows: NDArray[Any]) -> tuple[float, float, int]:
    """Precision and recall of asking for rows with at least so many of the words, at the best such number."""
    found = held[rows]
    best = (0.0, 0.0, 1)
    for needs in range(1, int(held.max()) + 1):
        right = float((found >= needs).sum())
        precision, recall = right / max(float((held >= needs).sum()), 1.0), right / len(rows)
        if right and precision * recall * (best[0] + best[1]) >= best[0] * best[1] * (precision + recall):
            best = (precision, recall, needs)
    return best


def _from_labels(given: Sequence[Any], members: Iterable[NDArray[Any]], examples: list[list[int]]) -> list[Name]:
    known, code = np.unique(np.asarray([str(label) for label in given]), return_inverse=True)
    total = np.bincount(code, minlength=len(known))
    named: list[Name] = []
    for number, rows in enumerate(members):
        count = np.bincount(code[rows], minlength=len(known))
        top = int(count.argmax())
        precision, recall = float(count[top] / len(rows)), float(count[top] / total[top])
        name = f"mostly {known[top]} ({precision:.0%})"
        name += f", group {number}" if any(name == other.name for other in named) else ""
        score = 2 * precision * recall / (precision + recall)
        named.append(Name([], name, score, precision, recall, 0, examples[number]))
    return named


def _examples(rows: NDArray[Any], X: Any, texts: Sequence[str] | None, held: NDArray[Any] | None) -> list[int]:
    """Rows in the middle of the group; without vectors, those with most words of the name."""
    if X is not None:
        # 5,000 rows place the middle of a group as well as a million do.
        sample = rows[:: max(1, len(rows) // 5000)]
        part = unit_rows(np.asarray(X[sample]))
        closeness = part @ part.mean(axis=0)
        order = np.argsort(-closeness, kind="stable")[:40]
        pool, close = sample[order], part[order] @ part[order].T
    else:
        order = np.argsort(-held, kind="stable")[:40] if held is not None else np.arange(len(rows))[:40]
        pool, close = rows[order], np.eye(len(order))
    # Halfway between the usual likeness in the middle of the group and a copy.
    alike = (1 + np.median(close)) / 2
    picked: list[int] = []
    for place in range(len(pool)):
        new = all(
            close[place, old] < alike
            and (texts is None or " ".join(str(texts[pool[place]]).split()) != " ".join(str(texts[pool[old]]).split()))
            for old in picked
        )
        if new:
            picked.append(place)
        if len(picked) == EXAMPLES:
            break
    return [int(pool[place]) for place in picked]
