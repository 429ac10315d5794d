"""Which column is the text, which a label, which an id: guessed by name and content, and said."""

import math
import re
from collections.abc import Container

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codomain.space.checks import blank_rows, is_string
from codomain.space.manifest import Roles

_TEXT = {
    "text": 2.0, "texts": 2.0, "body": 2.0, "content": 2.0, "abstract": 2.0, "document": 2.0, "sentence": 2.0,
    "passage": 2.0, "review": 2.0, "description": 1.5, "message": 1.5, "comment": 1.5, "utterance": 1.5,
    "question": 1.0, "prompt": 1.0, "summary": 1.0, "caption": 1.0, "query": 1.0, "title": 0.5, "headline": 0.5,
}  # fmt: skip
_LABEL = {"label", "labels", "class", "category", "categories", "target", "topic", "intent", "genre", "section", "y"}
_ID = re.compile(r"^(_?id|uid|uuid|guid|key|doi|pmid|file|filename|path|index|.*[_ .-](id|uuid|key))$", re.I)
_SAMPLE = 1000
_BROKEN = r"\.\d*[1-9]|[eE]-"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"


def guess_roles(table: pa.Table, asked: Roles, not_text: Container[str] = ()) -> tuple[Roles, list[str]]:
    """Fill in the roles that were not asked for.

    Parameters
    ----------
    table : Table
        The rows, without their vectors.
    asked : Roles
        What the person named; an empty name means that there is no such column.
    not_text : container of str, default=()
        Columns that are not taken for the text unasked.

    Returns
    -------
    tuple of (Roles, list of str)
        The roles, and one sentence for each guess.
    """
    notes: list[str] = []
    taken = {name for name in vars(asked).values() if name}
    free = [name for name in table.column_names if name not in taken]
    id = asked.id if asked.id is not None else _guess_id(table, free, notes)
    free = [name for name in free if name != id]
    readable = [name for name in free if name not in not_text]
    text = asked.text if asked.text is not None else _guess_text(table, readable, notes)
    free = [name for name in free if name != text]
    label = asked.label if asked.label is not None else _guess_label(table, free, notes)
    return Roles(text or None, label or None, id or None), notes


def _guess_id(table: pa.Table, names: list[str], notes: list[str]) -> str | None:
    hinted = sorted((n for n in names if _ID.match(n)), key=lambda n: (n.lower() != "id", names.index(n)))
    for name in hinted:
        column = table[name]
        if not (is_string(column.type) or pa.types.is_integer(column.type)):
            continue
        # A column called just "id" means to be one: what is wrong with it is then said, not worked around.
        if name.lower() == "id" or (len(pc.unique(column)) == len(column) and not len(blank_rows(column))):
            notes.append(f"id column: '{name}'; another: --id NAME, row numbers: --id ''")
            return name
    notes.append("id: row numbers from 0; a column: --id NAME")
    return None


def _guess_text(table: pa.Table, names: list[str], notes: list[str]) -> str | None:
    scores, lengths = {}, {}
    for name in names:
        column = table[name]
        if not is_string(column.type):
            continue
        spaced = np.linspace(0, len(column) - 1, min(_SAMPLE, len(column))).astype(int)
        sample = column.take(pa.array(spaced)).drop_null()
        if not len(sample):
            continue
        lengths[name] = length = pc.mean(pc.utf8_length(sample)).as_py()
        unique = len(pc.unique(sample)) / len(sample)
        wordy = pc.mean(pc.match_substring_regex(sample, r"\S\s+\S").cast(pa.float64())).as_py()
        hint = max((_TEXT.get(word, 0.0) for word in _words(name)), default=0.0)
        if hint < 1 and (wordy < 0.5 or (unique < 0.2 and len(sample) >= 20)):
            continue  # addresses, codes and categories
        scores[name] = (math.log1p(length) * (0.2 + unique) * (0.3 + wordy) + hint, unique)
    if not scores:
        return None
    best = max(scores, key=lambda name: scores[name][0])
    longest = len(lengths) > 1 and lengths[best] == max(lengths.values())
    why = "longest strings" if longest else f"{lengths[best]:.0f} characters on average"
    notes.append(f"text column: '{best}' ({why}, {100 * scores[best][1]:.0f} % distinct); another: --text NAME")
    return best


def _guess_label(table: pa.Table, names: list[str], notes: list[str]) -> str | None:
    found = []
    for name in names:
        column, hint = table[name], any(word in _LABEL for word in _words(name))
        kind = column.type
        if not (is_string(kind) or pa.types.is_boolean(kind) or (hint and pa.types.is_integer(kind))):
            if hint and pa.types.is_floating(kind) and _has_fractions(column):
                notes.append(_numbers(name))
            continue
        distinct = len(pc.unique(column.drop_null()))
        most = min(1000, len(column) / 2) if hint else min(50, len(column) / 10)
        if not 2 <= distinct <= most:
            continue
        if is_string(kind) and _has_fractions(column):  # csv keeps numbers as they were typed
            notes += [_numbers(name)] if hint else []
            continue
        found.append((not hint, distinct, name))
    if not found:
        return None
    _, distinct, name = min(found)
    notes.append(f"label column: '{name}' ({distinct} values); another: --label NAME, none: --label ''")
    return name


def _has_fractions(column: pa.ChunkedArray) -> bool:
    """Whether all values are numbers, or blanks, and some of them are not whole: measurements, and no classes."""
    if is_string(column.type):
        texts = pc.utf8_trim_whitespace(column.drop_null())
        texts = texts.filter(pc.not_equal(texts, ""))
        numbers, broken = (pc.match_substring_regex(texts, pattern) for pattern in (_NUMBER, _BROKEN))
        return bool(len(texts) and pc.all(numbers).as_py() and pc.any(broken).as_py())
    values = column.drop_null().cast(pa.float64()).to_numpy()
    values = values[np.isfinite(values)]
    return bool(np.any(values != np.floor(values)))


def _numbers(name: str) -> str:
    what = f"{name!r} is named like labels and holds numbers with fractions"
    return f"{what}: no classes; to take each as one: --label {name}"


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
