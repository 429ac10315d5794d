"""Search a space by meaning, by words, by example or by a vector, and say when nothing is close."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core import UserError
from codomain.search.engine.fusion import earned, fuse
from codomain.search.engine.keywords import Keywords
from codomain.search.engine.language import MOST_WORDS, Query
from codomain.search.engine.nearest import Index, cosines_of, mean_and_spread, nearest
from codomain.search.engine.null import Asked, Null
from codomain.search.engine.query import Encoder, allowed_by, check, direction, without
from codomain.search.engine.results import Results, hits
from codomain.space import IndexPart, Space


def search(
    space: Space, query: str | ArrayLike | None = None, *, like: Sequence[Any] | None = None,
    unlike: Sequence[Any] | None = None, encoder: Encoder | None = None, index: Index | None = None,
    keywords: Keywords | None = None, null: Null | None = None, k: int = 10,
    mode: Literal["both", "meaning", "words"] = "both", where: str | None = None, exact: bool = False,
    found: Mapping[str, Any] | None = None, show: Sequence[str] = (),
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
        Proposes near rows; their cosines are then computed exactly. Without it, or with a condition or an
        unwanted word, or with ``exact=True``, the query is compared with every row.
    keywords, null : Keywords and Null, optional
        The part "index" of the space when missing; without that, no words, and a null fitted now, which takes
        seconds.
    k : int, default=10
        Most hits to return.
    mode : {"both", "meaning", "words"}, default="both"
        How to compare a question. "both" joins the two lists by their scores, see `fuse`.
    where : str, optional
        A condition on columns, see `parse_filter`. Rows that break it are never candidates.
    exact : bool, default=False
        Use no index.
    found : mapping of str to pyarrow.Array, optional
        Columns besides those of the space, one value a row, which `where` and `show` may name.
    show : sequence of str, default=()
        Columns to print beside each hit.

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
    check(query, like, unlike, k, mode)
    if strange := [name for name in show if name not in (*space.columns, *(found or {}))]:
        known = ", ".join((*space.columns, *(found or {})))
        raise UserError(f"There is no column {strange[0]!r} to show.", needed=f"one of {known}")
    more = {name: values for name, values in (found or {}).items() if name in show}
    notes: list[str] = []
    keywords, null = _parts(space, keywords, null)
    parsed = Query.parse(query if isinstance(query, str) else "")
    said = parsed.wanted if any(letter.isalnum() for letter in parsed.wanted) else ""
    text = query if isinstance(query, str) and said else None
    if len(parsed.words) == MOST_WORDS and mode != "meaning":
        notes.append(f"The question is long: {MOST_WORDS} of its words are looked up.")
    if text and mode == "words" and keywords is None:
        raise UserError(f"{space.path} has no index of words.", todo=f"codomain study {space.path}")
    q, own = direction(space, query, said, like, unlike, encoder, mode, keywords, notes)

    allowed: NDArray[np.bool_] | None = None
    if where is not None:
        allowed = allowed_by(space, where, found or {})
        if not allowed.any():
            none = np.empty(0, np.int64)
            return Results([], True, [f"No row meets the condition: {where}"], space.roles.text, rows=space.take(none))
    if parsed.without:
        allowed = without(parsed.without, keywords, np.ones(len(space), bool) if allowed is None else allowed, notes)
    if len(own) and (allowed is not None or index is None or exact):
        allowed = np.ones(len(space), bool) if allowed is None else allowed
        allowed[own] = False

    deep = max(3 * k, 50)
    by_meaning, cosines = nearest(space, q, deep, allowed, None if exact else index, own)
    by_words, bm25 = np.empty(0, np.int64), np.empty(0, np.float32)
    if text and mode != "meaning" and keywords is not None:
        by_words, bm25 = keywords.search(text, deep + len(own), among=allowed)
        seen = (by_words < len(space)) & ~np.isin(by_words, own)
        by_words, bm25 = by_words[seen], bm25[seen]
    # A row that holds none of the words has BM25 0: where the list has room, that is where it ends.
    end_of_words = float(bm25[-1]) if len(bm25) >= deep else 0.0
    lists = [(by_meaning, cosines, float(cosines[-1:].sum())), (by_words, bm25, end_of_words)]
    shares = earned(lists) if len(by_meaning) and len(by_words) else {}
    rows = fuse(lists)[:k]

    asked: Asked = "question" if text and encoder is not None else "row"
    percentiles: list[float | None] = [None] * len(rows)
    if q is None:
        scores = dict(zip(by_words.tolist(), bm25.tolist(), strict=True))
        nothing_close = not len(rows)
    else:
        scores = dict(zip(rows.tolist(), cosines_of(space, q, rows).tolist(), strict=True))
        if null is None and len(space) > 1:
            texts = space.rows([space.roles.text]).column(space.roles.text).to_pylist() if space.roles.text else None
            null = Null.fit(space.vectors, texts=texts, encoder=encoder if asked == "question" else None)
        if null is not None:
            percentiles = _percentiles(space, q, [scores[row] for row in rows.tolist()], null, asked)
        best = float(cosines[0]) if len(cosines) else -1.0
        nothing_close = not len(rows) or (null is not None and null.nothing_close(best, asked=asked))
        if nothing_close and len(by_words) and text and keywords is not None and keywords.together(text):
            nothing_close = False  # a row that holds all the words is close, whatever the encoder makes of them
    listed, table = hits(space, rows, scores, percentiles, by_meaning, by_words, text, shares, more)
    return Results(listed, nothing_close, notes, space.roles.text, asked, show, table)


def _percentiles(
    space: Any, q: NDArray[np.float32], scores: list[float], null: Null, asked: Asked
) -> list[float | None]:
    """Say how rare scores are; nothing of a question where the null is of a version that could not tell."""
    if asked == "row":
        return list(null.percentile(scores).tolist())
    if not null.standing:
        return [None] * len(scores)
    return list(null.percentile_of_question(scores, *mean_and_spread(space, q)).tolist())


def _parts(space: Space, keywords: Keywords | None, null: Null | None) -> tuple[Keywords | None, Null | None]:
    """Take from the space's index what was not given."""
    part = space.parts.find(IndexPart)
    if part and keywords is None and IndexPart.keywords in part:
        keywords = Keywords(part.keywords)
    if part and null is None and IndexPart.null in part:
        null = Null.from_dict(part.null)
    return keywords, null
