"""Search a space by meaning, by words, by example or by a vector, and say when nothing is close."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from codomain.core import EncoderIdentity, UserError, unit_rows
from codomain.search.filters import _parse
from codomain.search.keywords import Keywords, Query
from codomain.search.null import Asked, Null

Rows = NDArray[np.int64]


class Encoder(Protocol):
    """What turns a question into a vector."""

    @property
    def identity(self) -> EncoderIdentity:
        """Which encoder it is."""

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n_texts, dim)."""


class Index(Protocol):
    """What finds near rows faster than comparing with all of them."""

    def search(self, Q: NDArray[np.float32], k: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return scores and row numbers, both of shape (n_queries, k); -1 where there is none."""


@dataclass(frozen=True)
class Why:
    """Why a row is a hit.

    Attributes
    ----------
    words : tuple of str
        Words of the query that its text holds.
    by_meaning, by_words : int or None
        Its place on each list, from 1; None where it is not on it.
    """

    words: tuple[str, ...] = ()
    by_meaning: int | None = None
    by_words: int | None = None

    def __str__(self) -> str:
        places = [
            f"{place}. by {road}" for road, place in (("meaning", self.by_meaning), ("words", self.by_words)) if place
        ]
        return ", ".join(places) + (f" ({', '.join(self.words)})" if self.words else "")


@dataclass(frozen=True)
class Hit:
    """One row that was found.

    Attributes
    ----------
    row : int
        Its number in the space.
    id : object
        Its id.
    score : float
        Cosine with the query; BM25 when only words were looked up.
    percentile : float or None
        Share of unrelated pairs that score lower, 0 to 1; None when only words were looked up.
    why : Why
        The words it shares with the query and its place on each list.
    columns : dict
        The row, by column.
    """

    row: int
    id: Any
    score: float
    percentile: float | None
    why: Why
    columns: dict[str, Any]


@dataclass(frozen=True)
class Results:
    """Hits, best first.

    Attributes
    ----------
    hits : list of Hit
        Shorter than asked when there are no more rows.
    nothing_close : bool
        The best hit is no better than one gets by asking about nothing: the hits are the least bad, not answers.
    notes : list of str
        What a person should know, for example that a condition left no row.
    text : str or None
        Column that is printed.
    """

    hits: list[Hit]
    nothing_close: bool
    notes: list[str] = field(default_factory=list)
    text: str | None = None

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Any:
        return iter(self.hits)

    def __getitem__(self, place: int) -> Hit:
        return self.hits[place]

    def to_records(self) -> list[dict[str, Any]]:
        """Return one dict per hit: id, score, percentile, why and the row's columns."""
        return [
            {"id": hit.id, "score": hit.score, "percentile": hit.percentile, "why": str(hit.why), **hit.columns}
            for hit in self.hits
        ]

    def _lines(self) -> list[tuple[str, str, str, str, str]]:
        lines = []
        for place, hit in enumerate(self.hits, 1):
            others = ", ".join(f"{name}: {value}" for name, value in hit.columns.items() if value != hit.id)
            shown = hit.columns.get(self.text) if self.text else others
            text = " ".join(str(shown or "").split())
            lines.append(
                (str(place), str(hit.id), f"{hit.score:.3f}", _above(hit.percentile), f"{text[:90]} [{hit.why}]")
            )
        return lines

    def _heads(self) -> list[str]:
        close = ["Nothing close: no hit is better than one gets by asking about nothing."] if self.nothing_close else []
        return [*self.notes, *close] or ([] if self.hits else ["No row was found."])

    def __repr__(self) -> str:
        lines = self._lines()
        widths = [max((len(line[i]) for line in lines), default=0) for i in range(4)]
        table = ["  ".join([*(cell.rjust(w) if i != 1 else cell.ljust(w) for i, (cell, w) in
                               enumerate(zip(line[:4], widths, strict=True))), line[4]]) for line in lines]  # fmt: skip
        known = any(hit.percentile is not None for hit in self.hits)
        legend = ["score: cosine. 1 in N: share of unrelated pairs of these rows that are as close."] if known else []
        return "\n".join([*self._heads(), *table, *legend])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("", "id", "score", "unrelated pairs as close", "row"))
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in self._lines()
        )
        notes = "".join(f"<p>{escape(line)}</p>" for line in self._heads())
        return f"{notes}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _above(percentile: float | None) -> str:
    """Say how rare such a score is among unrelated pairs, to two digits, or how many of them it beats."""
    if percentile is None:
        return ""
    rest = 1 - percentile
    return f"1 in {round(1 / rest, 2 - len(str(int(1 / rest)))):,.0f}" if rest < 0.1 else f"above {percentile:.0%}"


def search(
    space: Any, query: str | ArrayLike | None = None, *, like: Sequence[Any] | None = None,
    unlike: Sequence[Any] | None = None, encoder: Encoder | None = None, index: Index | None = None,
    keywords: Keywords | None = None, null: Null | None = None, k: int = 10,
    mode: Literal["both", "meaning", "words"] = "both", where: str | None = None, exact: bool = False,
) -> Results:  # fmt: skip
    """Find the rows of a space that answer a question, resemble some rows, or lie near a vector.

    Parameters
    ----------
    space : Space
        Where to look.
    query : str or array-like of shape (n_features,), optional
        A question in words, or a vector made by the space's encoder.
    like, unlike : sequence of ids, optional
        Rows to resemble, and rows not to resemble; they are not returned themselves.
    encoder : Encoder, optional
        The space's encoder: needed to compare a question by its meaning.
    index : object with ``search(Q, k) -> (scores, rows)``, optional
        Proposes near rows; their cosines are then computed exactly. Without it, or with a condition, or with
        ``exact=True``, the query is compared with every row.
    keywords, null : Keywords and Null, optional
        The part "index" of the space when missing; without that, no words, and a null fitted now, which takes
        seconds.
    k : int, default=10
        Most hits to return.
    mode : {"both", "meaning", "words"}, default="both"
        How to compare a question. "both" joins the two lists by reciprocal ranks.
    where : str, optional
        A condition on columns, see `parse_filter`. Rows that break it are never candidates.
    exact : bool, default=False
        Use no index.

    Returns
    -------
    Results
        At most k hits, best first.

    Raises
    ------
    UserError
        When there is nothing to look for, a width or an id or a condition does not fit, or words were asked of a
        space without an index of words.
    EncoderMismatch
        When `encoder` is not the one that made the space.
    """
    _check(query, like, unlike, k, mode)
    notes: list[str] = []
    keywords, null = _parts(space, keywords, null)
    text = query if isinstance(query, str) and query.strip() else None
    if text and mode == "words" and keywords is None:
        raise UserError(f"{space.path} has no index of words.", todo=f"codomain study {space.path}")
    q, own = _vector(space, query, text, like, unlike, encoder, mode, keywords, notes)

    allowed: NDArray[np.bool_] | None = None
    if where is not None:
        allowed = _allowed(space, where)
        if not allowed.any():
            return Results([], True, [f"No row meets the condition: {where}"], space.roles.text)
    if len(own) and (allowed is not None or index is None or exact):
        allowed = np.ones(len(space), bool) if allowed is None else allowed
        allowed[own] = False

    deep = max(3 * k, 50)
    by_meaning, cosines = _by_meaning(space, q, deep, allowed, None if exact else index, own)
    by_words, bm25 = np.empty(0, np.int64), np.empty(0, np.float32)
    if text and mode != "meaning" and keywords is not None:
        by_words, bm25 = keywords.search(text, deep + len(own), among=allowed)
        seen = (by_words < len(space)) & ~np.isin(by_words, own)
        by_words, bm25 = by_words[seen], bm25[seen]
    rows = fuse([by_meaning, by_words])[:k]

    asked: Asked = "question" if text else "row"
    percentiles: list[float | None] = [None] * len(rows)
    if q is None:
        scores = dict(zip(by_words.tolist(), bm25.tolist(), strict=True))
        nothing_close = not len(rows)
    else:
        scores = dict(zip(rows.tolist(), _cosines(space, q, rows).tolist(), strict=True))
        if null is None and len(space) > 1:
            texts = space.rows([space.roles.text]).column(space.roles.text).to_pylist() if space.roles.text else None
            null = Null.fit(space.vectors, texts=texts, encoder=encoder if asked == "question" else None)
        if null is not None:
            percentiles = null.percentile([scores[row] for row in rows.tolist()], asked=asked).tolist()
        best = float(cosines[0]) if len(cosines) else -1.0
        nothing_close = not len(rows) or (null is not None and null.nothing_close(best, asked=asked))
        if nothing_close and len(by_words) and text and keywords is not None and keywords.together(text):
            nothing_close = False  # a row that holds all the words is close, whatever the encoder makes of them
    return Results(
        _hits(space, rows, scores, percentiles, by_meaning, by_words, text), nothing_close, notes, space.roles.text
    )


def fuse(lists: Sequence[ArrayLike], *, constant: int = 60) -> Rows:
    r"""Join ranked lists by reciprocal ranks.

    A row at place :math:`r` of a list earns :math:`1 / (c + r)`; rows are ordered by what they earn in all.

    Parameters
    ----------
    lists : sequence of array-like of int
        Row numbers, best first, each list without repeats.
    constant : int, default=60
        The c above: the larger, the less the first places weigh.

    Returns
    -------
    ndarray of int64
        Every row of any list, best first, ties by lower number.

    Examples
    --------
    >>> fuse([[7, 3], [3, 5]]).tolist()
    [3, 7, 5]
    """
    earned: dict[int, float] = {}
    for ranked in lists:
        for place, row in enumerate(np.asarray(ranked, np.int64).tolist(), 1):
            earned[row] = earned.get(row, 0.0) + 1 / (constant + place)
    return np.array(sorted(earned, key=lambda row: (-earned[row], row)), np.int64)


def _check(query: Any, like: Any, unlike: Any, k: int, mode: str) -> None:
    if mode not in ("both", "meaning", "words"):
        raise UserError(f"mode={mode!r} is not known.", needed="'both', 'meaning' or 'words'")
    if k < 1:
        raise UserError(f"k={k} hits were asked for.", needed="k of 1 or more")
    for ids, name in ((like, "like"), (unlike, "unlike")):
        if isinstance(ids, str):
            raise UserError(f"{name}={ids!r} is one text.", needed="a list of ids", todo=f"{name}=[{ids!r}]")
    empty = query is None or (isinstance(query, str) and not any(c.isalnum() for c in query))
    if empty and not (like is not None and len(like)):
        raise UserError("There is nothing to look for.", needed="a question, a vector, or ids of rows to resemble")


def _parts(space: Any, keywords: Keywords | None, null: Null | None) -> tuple[Keywords | None, Null | None]:
    """Take from the space's index what was not given."""
    part = space.parts.get("index")
    if part is not None and keywords is None and "keywords.sqlite" in part.names:
        keywords = Keywords(part.path("keywords.sqlite"))
    if part is not None and null is None and "null.json" in part.names:
        null = Null.from_dict(part["null.json"])
    return keywords, null


def _vector(
    space: Any, query: Any, text: str | None, like: Sequence[Any] | None, unlike: Sequence[Any] | None,
    encoder: Encoder | None, mode: str, keywords: Keywords | None, notes: list[str],
) -> tuple[NDArray[np.float32] | None, Rows]:  # fmt: skip
    """Return the direction to look in, of length 1, and the rows it was made from."""
    liked, disliked = (np.array([space.row_of(i) for i in ids or ()], np.int64) for ids in (like, unlike))
    toward = [unit_rows(np.asarray(space.vectors[liked], np.float64))] if len(liked) else []
    if text and mode != "words":
        if encoder is not None:
            space.encoder.check_same(
                encoder.identity, todo=f"codomain search {space.path}, which finds the space's own encoder"
            )
            toward.append(unit_rows(np.asarray(encoder.encode([text], query=True), np.float64)))
        elif space.encoder.encodes:
            raise UserError(
                "A question is compared by meaning with the encoder that made the space, and none was given.",
                todo=f"search(..., encoder=codomain.encode.resolve({space.encoder.uri!r})), or mode='words'",
            )
        elif mode == "meaning" or (keywords is None and not len(liked)):
            raise UserError(
                f"The vectors of {space.path} came without an encoder, so a question has no meaning to compare.",
                needed="a vector, ids of rows to resemble" + (", or mode='words'" if keywords else ""),
                todo=f"codomain search {space.path} --like ID",
            )
        else:
            notes.append("The vectors came without an encoder: the question is compared by its words only.")
    elif query is not None and not isinstance(query, str):
        toward.append(_given(space, query))
    if not toward:
        return None, np.concatenate([liked, disliked])
    q = np.concatenate([part.mean(axis=0, keepdims=True) for part in toward]).mean(axis=0)
    if len(disliked):
        q = q - unit_rows(np.asarray(space.vectors[disliked], np.float64)).mean(axis=0)
    length = float(np.linalg.norm(q))
    if length < 1e-9:
        if text and not len(liked):
            notes.append("The encoder makes nothing of this question: it is compared by its words only.")
            return None, np.concatenate([liked, disliked])
        raise UserError("The query has no direction: its parts cancel out, or it is all zeros.", needed="another query")
    return (q / length).astype(np.float32), np.concatenate([liked, disliked])


def _given(space: Any, query: ArrayLike) -> NDArray[np.float64]:
    vector = np.asarray(query)
    if vector.ndim == 2 and len(vector) == 1:
        vector = vector[0]
    if vector.ndim != 1 or vector.dtype.kind not in "fiu" or len(vector) != space.shape[1]:
        raise UserError(
            f"The query is an array of shape {vector.shape} and dtype {vector.dtype}.",
            needed=f"{space.shape[1]} numbers, made by {space.encoder.describe()}",
        )
    if not np.isfinite(vector).all():
        raise UserError("The query holds a value that is not finite.", needed="finite numbers")
    return unit_rows(vector[None].astype(np.float64))


def _allowed(space: Any, where: str) -> NDArray[np.bool_]:
    condition, columns = _parse(where, space.take([0]).schema)
    rows = pa.table({name: space.rows([name]).column(name) for name in columns})
    kept = rows.append_column("\0row", pa.array(np.arange(len(space)))).filter(condition).column("\0row")
    allowed = np.zeros(len(space), bool)
    allowed[kept.to_numpy()] = True
    return allowed


def _by_meaning(
    space: Any,
    q: NDArray[np.float32] | None,
    deep: int,
    allowed: NDArray[np.bool_] | None,
    index: Index | None,
    own: Rows,
) -> tuple[Rows, NDArray[np.float32]]:
    """Return the nearest allowed rows, best first, with their cosines."""
    if q is None:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    if index is not None and allowed is None:
        rows = np.asarray(index.search(q[None], min(deep + len(own), len(space)))[1][0], np.int64)
        rows = np.setdiff1d(rows[rows >= 0], own)
    elif allowed is not None and np.count_nonzero(allowed) * 8 < len(space):
        rows = np.flatnonzero(allowed)
    else:
        scores = np.concatenate([_dots(block, q) for _, block in space.vectors.blocks()])
        if allowed is not None:
            scores[~allowed] = -np.inf
        most = min(deep, len(scores) if allowed is None else int(np.count_nonzero(allowed)))
        if not most:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        # All rows within rounding of the last place, so that the exact cosines decide.
        rows = np.flatnonzero(scores >= np.partition(scores, -most)[-most] - np.float32(1e-5))
    cosines = _cosines(space, q, rows)
    best = np.lexsort((rows, -cosines))[:deep]
    return rows[best], cosines[best]


def _dots(block: NDArray[np.float32], q: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines of a block of rows with a vector of length 1."""
    lengths = np.sqrt(np.einsum("ij,ij->i", block, block))
    if not (1e-15 < lengths.min() and lengths.max() < 1e15):  # squares left float32's range
        return np.asarray(unit_rows(np.asarray(block)) @ q, np.float32)
    return np.asarray((block @ q) / lengths, np.float32)


def _cosines(space: Any, q: NDArray[np.float32], rows: Rows) -> NDArray[np.float32]:
    """Exact cosines, the same for equal rows wherever they lie."""
    scores = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), 8192):
        part = unit_rows(np.asarray(space.vectors[rows[start : start + 8192]], np.float64))
        scores[start : start + 8192] = np.round(np.einsum("ij,j->i", part, q.astype(np.float64)), 12)
    return np.clip(scores, -1, 1)


def _hits(
    space: Any, rows: Rows, scores: dict[int, float], percentiles: Sequence[float | None], by_meaning: Rows,
    by_words: Rows, text: str | None,
) -> list[Hit]:  # fmt: skip
    table = space.take(rows)
    places = [{row: place for place, row in enumerate(ranked.tolist(), 1)} for ranked in (by_meaning, by_words)]
    parsed = Query.parse(text) if text else None
    asked = [*parsed.words, *parsed.phrases] if parsed else []
    hits = []
    for row, percentile, columns in zip(rows.tolist(), percentiles, table.to_pylist(), strict=True):
        shown = columns.get(space.roles.text) if space.roles.text else None
        why = Why(_shared(asked, str(shown or "")), places[0].get(row), places[1].get(row))
        hits.append(Hit(row, columns[table.column_names[0]], float(scores[row]), percentile, why, columns))
    return hits


def _shared(asked: Sequence[str], text: str) -> tuple[str, ...]:
    """Words of the query that the text holds, compared without case and accents as the index does."""
    folded = f" {' '.join(_folded(text))} "
    return tuple(part for part in asked if (plain := " ".join(_folded(part))) and f" {plain} " in folded)


def _folded(text: str) -> list[str]:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", bare)
