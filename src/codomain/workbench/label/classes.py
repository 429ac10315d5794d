"""Read a column of labels as classes: blanks are none, whole numbers are some, spellings of one word are a question."""

import sys
import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa

from codomain.core import UserError, say
from codomain.space import is_string, list_rows

_SHOWN = 5  # spellings of so many classes are listed


def spelling_key(word: str) -> str:
    """Return what spellings of one class have in common: no capitals, blanks or invisible signs, one Unicode form."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
    return " ".join("".join(sign for sign in plain if unicodedata.category(sign) != "Cf").split())


def classes_of(column: pa.ChunkedArray, name: str, merge: bool | None = None) -> tuple[list[str], list[str]]:
    """Return the class of each row, empty where there is none, and what is to be said about them.

    Parameters
    ----------
    column : ChunkedArray
        Words, whole numbers of any type, truth values or dates.
    name : str
        Its name.
    merge : bool, optional
        Whether labels that differ only in capitals, blanks or Unicode form are one class. When left out, a person at a
        terminal is asked once; elsewhere they are kept apart, and that is said.

    Returns
    -------
    words, notes : list of str
        One word a row; sentences.

    Raises
    ------
    UserError
        When the column holds measurements or another type.
    """
    kind, notes = column.type, list[str]()
    if pa.types.is_floating(kind):
        column = _whole(column, name)
        values = sorted(set(column.drop_null().to_pylist()))
        shown = ", ".join(map(str, values[:_SHOWN])) + (", ..." if len(values) > _SHOWN else "")
        notes.append(f"{name!r} holds numbers, taken as {len(values):,} classes: {shown}")
    elif not (is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind)):
        raise UserError(f"{name!r} is of type {kind}.", needed="classes: words, whole numbers or yes and no")
    raw = ["" if value is None else str(value) for value in column.to_pylist()]
    keys = {word: spelling_key(word) for word in set(raw)}
    if blank := [row for row, word in enumerate(raw) if not keys[word]]:
        notes.append(f"{list_rows(blank)} of {len(raw):,} without {name!r}: to be predicted")
    counts = Counter(word for word in raw if keys[word])
    by_key: dict[str, list[str]] = {}
    for word in sorted(counts, key=lambda word: (-counts[word], word)):
        by_key.setdefault(keys[word], []).append(word)
    several = [spellings for spellings in by_key.values() if len(spellings) > 1]
    merged, more = _settle(several, counts, merge)
    kept = {word for spellings in several for word in spellings} if not merged else set()
    written = {word: word if word in kept else " ".join(by_key[keys[word]][0].split()) for word in counts}
    return [written.get(word, "") for word in raw], notes + more


def whole_floats(table: pa.Table) -> pa.Table:
    """Return a table whose columns of floats without fractions are whole numbers, so that a label may be guessed."""
    for place, name in enumerate(table.column_names):
        if pa.types.is_floating(table[name].type) and not len(_broken(table[name])):
            table = table.set_column(place, name, _whole(table[name], name))
    return table


def _settle(several: list[list[str]], counts: Counter[str], merge: bool | None) -> tuple[bool, list[str]]:
    """Return whether spellings are one class each, asked where a person can answer, and what is to be said."""
    if not several:
        return False, []
    listed = "; ".join(" and ".join(f"{word!r} ({counts[word]:,})" for word in words) for words in several[:_SHOWN])
    listed += f"; and {len(several) - _SHOWN:,} more" if len(several) > _SHOWN else ""
    what = f"labels that differ only in capitals, blanks or Unicode form: {listed}"
    if merge is None and sys.stdin.isatty() and sys.stderr.isatty():
        say(f"{what}\nis each of these one class? [y/n] ")
        merge = sys.stdin.readline().strip().casefold() in ("y", "yes")
    if merge is None:
        return False, [f"{what}: kept apart; one class each: --merge-spellings"]
    return merge, [f"{what}: {'one class each, spelt as most are' if merge else 'kept apart'}"]


def _broken(column: pa.ChunkedArray) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    values = column.to_numpy()
    return np.flatnonzero(~np.isnan(values) & ((values != np.floor(values)) | (np.abs(values) >= 2**53)))


def _whole(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return floats as whole numbers, or say which are none."""
    if len(broken := _broken(column)):
        raise UserError(
            f"{name!r} holds numbers with fractions ({list_rows(broken)}: {column[int(broken[0])].as_py()}).",
            needed="classes: words, whole numbers or yes and no",
            todo="cut the measurements into classes first, or name another column with --column",
        )
    empty = np.isnan(column.to_numpy())
    return pa.chunked_array([pa.array(np.where(empty, 0, column.to_numpy()).astype(np.int64), mask=empty)])
