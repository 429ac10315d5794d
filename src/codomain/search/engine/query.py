"""What is looked for: the question, the examples and the vectors, as one direction and a set of rows allowed."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core import EncoderIdentity, UserError, unit_rows
from codomain.search.engine.keywords import Keywords
from codomain.search.engine.language import Query
from codomain.space import Space

Rows = NDArray[np.int64]


class Encoder(Protocol):
    """What turns a question into a vector."""

    @property
    def identity(self) -> EncoderIdentity:
        """Which encoder it is."""

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n_texts, dim)."""


def check(
    query: str | ArrayLike | None, like: Sequence[Any] | None, unlike: Sequence[Any] | None, k: int, mode: str
) -> None:
    """Refuse what is no question."""
    if mode not in ("both", "meaning", "words"):
        raise UserError(f"mode={mode!r} is not known.", needed="'both', 'meaning' or 'words'")
    if not isinstance(k, Integral) or k < 1:
        raise UserError(f"k={k!r} hits were asked for.", needed="a whole number k of 1 or more")
    for ids, name in ((like, "like"), (unlike, "unlike")):
        if ids is not None and (isinstance(ids, str) or not hasattr(ids, "__len__")):
            raise UserError(f"{name}={ids!r} is no list.", needed="a list of ids", todo=f"{name}=[{ids!r}]")
    if like is not None and len(like):
        return
    empty = query is None or (isinstance(query, str) and not any(c.isalnum() for c in query))
    if empty:
        raise UserError("There is nothing to look for.", needed="a question, a vector, or ids of rows to resemble")
    if isinstance(query, str) and not any(c.isalnum() for c in Query.parse(query).wanted):
        raise UserError(f"{query[:80]!r} says only what is not wanted.", needed="also what is: files -zip")


def direction(
    space: Space, query: str | ArrayLike | None, text: str, like: Sequence[Any] | None, unlike: Sequence[Any] | None,
    encoder: Encoder | None, mode: str, keywords: Keywords | None, notes: list[str],
) -> tuple[NDArray[np.float32] | None, Rows]:  # fmt: skip
    """Return the direction to look in, of length 1, and the rows it was made from."""
    liked, disliked = (
        np.array([space.row_of(i) for i in (() if ids is None else ids)], np.int64) for ids in (like, unlike)
    )
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


def _given(space: Space, query: ArrayLike) -> NDArray[np.float64]:
    """Return a person's own vector, scaled to length 1."""
    try:
        vector = np.asarray(query)
    except ValueError:  # lists of unequal lengths
        vector = np.empty(0, object)
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


def allowed_by(space: Space, where: str, found: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return a mask of the rows that meet a condition on columns of the space or on others, which come as arrays."""
    import pyarrow as pa

    from codomain.search.engine.filters import _parse

    schema = space.take([0]).schema
    for name, values in found.items():
        schema = schema.append(pa.field(name, values.type))
    condition, columns = _parse(where, schema)
    rows = pa.table({name: found[name] if name in found else space.rows([name]).column(name) for name in columns})
    kept = rows.append_column("\0row", pa.array(np.arange(len(space)))).filter(condition).column("\0row")
    allowed = np.zeros(len(space), bool)
    allowed[kept.to_numpy()] = True
    return allowed


def without(
    parts: Sequence[str], keywords: Keywords | None, allowed: NDArray[np.bool_], notes: list[str]
) -> NDArray[np.bool_]:
    """Return the mask less the rows whose text holds an unwanted word or phrase, whichever road leads to them."""
    if keywords is None:
        raise UserError(
            f"Rows that hold {', '.join(parts)} cannot be left out without an index of words.",
            needed="a space with texts that was studied", todo=f"leave out -{parts[0]}",
        )  # fmt: skip
    held = keywords.holding(parts)
    allowed[held[held < len(allowed)]] = False
    notes.append(f"Rows that hold {' or '.join(parts)} are left out.")
    return allowed
