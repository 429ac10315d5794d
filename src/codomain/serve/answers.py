"""What can be asked of a space: an opened space in, plain dicts out. Nothing here knows of the web."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codomain.core import UserError, plain
from codomain.search import Results, query_language, search, tokens
from codomain.serve.spaces import Opened
from codomain.space import FLAGS, LabelsPart
from codomain.workbench.facts import facts_of

PAGE = 50  # rows on a page of a list
MOST_HITS = 200
LONGEST_QUESTION = 10_000  # characters
_LONGEST_TEXT = 1_000  # characters of a text in a list; a row's own page has it whole
_SHARED = 8  # words that two rows share, at most

Mode = Literal["both", "meaning", "words"]
Record = dict[str, Any]


class MissingError(UserError):
    """What was named is not there."""


@dataclass(frozen=True)
class Asked:
    """A question to one space.

    Parameters
    ----------
    q : str, default=""
        Words or a sentence.
    like, unlike : sequence of str
        Ids of rows to be near to, and far from.
    where : str, optional
        A condition on columns.
    k : int, default=10
        Rows to return, from 1 to 200.
    mode : {"both", "meaning", "words"}, default="both"
        How to look.
    show : sequence of str
        Columns to return; all of the table's when there are none.
    """

    q: str = ""
    like: Sequence[str] = ()
    unlike: Sequence[str] = ()
    where: str | None = None
    k: int = 10
    mode: Mode = "both"
    show: Sequence[str] = ()


def find(opened: Opened, asked: Asked) -> Record:
    """Search a space.

    Parameters
    ----------
    opened : Opened
        The space.
    asked : Asked
        The question.

    Returns
    -------
    dict
        `hits`, best first, with their scores and why; `nothing_close`, and `notes` for a person.

    Raises
    ------
    UserError
        When the question, an id, a column or a condition does not fit.
    """
    if len(asked.q) > LONGEST_QUESTION:
        raise UserError(
            f"The question has {len(asked.q):,} characters.", needed=f"at most {LONGEST_QUESTION:,} characters"
        )
    if not 1 <= asked.k <= MOST_HITS:
        raise UserError(f"k={asked.k} hits were asked for.", needed=f"from 1 to {MOST_HITS}")
    for id in (*asked.like, *asked.unlike):
        row_of(opened, id)
    encoder, mode, notes = None, asked.mode, list(opened.notes)
    if asked.q and mode != "words":
        try:
            encoder = opened.encoder()
        except UserError as error:
            if mode == "meaning" or opened.keywords is None:
                raise
            mode = "words"
            notes.append(f"The question is compared by its words only, as its encoder cannot be used. {error}")
    found = search(
        opened.space, asked.q or None, like=asked.like, unlike=asked.unlike, encoder=encoder, index=opened.index,
        keywords=opened.keywords, null=opened.null, k=asked.k, mode=mode, where=asked.where or None, show=asked.show,
        found=opened.found if asked.where or asked.show else None,
    )  # fmt: skip
    return {
        "space": opened.name, "generation": opened.space.generation, "q": asked.q, "mode": mode,
        "nothing_close": found.nothing_close, "notes": [*notes, *found.notes], "hits": _hits(opened, found, asked.show),
    }  # fmt: skip


def _hits(opened: Opened, found: Results, show: Sequence[str]) -> list[Record]:
    text, id = opened.space.roles.text, opened.space.columns[0]
    return [
        {
            "row": hit.row, "id": str(hit.id), "score": hit.score, "percentile": hit.percentile,
            "text": cut(hit.columns.get(text) if text else None), "matched": list(hit.why.words), "why": str(hit.why),
            **_group_of(opened, hit.row), "flags": flags_of(opened, hit.row),
            "columns": _cells({
                name: value for name, value in hit.columns.items()
                if (name in show if show else name not in (text, id))
            }),
            "url": row_url(hit.id),
        }
        for hit in found
    ]  # fmt: skip


def answer_beside(spaces: Sequence[Opened], asked: Asked) -> Record:
    """Answer one question in several spaces; of each hit, which others found the row with its id too.

    Parameters
    ----------
    spaces : sequence of Opened
        From 2 to 4 spaces.
    asked : Asked
        The question.

    Returns
    -------
    dict
        `spaces` has the answer of each, `both` the ids that all of them found.
    """
    if not 2 <= len({one.name for one in spaces}) == len(spaces) <= 4:
        raise UserError("A question is answered side by side in several spaces.", needed="2 to 4 different spaces")
    answers = [find(one, asked) for one in spaces]
    ids = [{hit["id"] for hit in answer["hits"]} for answer in answers]
    for answer in answers:
        for hit in answer["hits"]:
            hit["also_in"] = [
                one.name for one, found in zip(spaces, ids, strict=True)
                if one.name != answer["space"] and hit["id"] in found
            ]  # fmt: skip
    common = set.intersection(*ids)
    first = [hit["id"] for hit in answers[0]["hits"] if hit["id"] in common]
    return {"q": asked.q, "mode": asked.mode, "spaces": answers, "both": first}


def describe(opened: Opened) -> Record:
    """Return what the study found of the space as a whole."""
    facts: Record = {"space": opened.name, "when": opened.when, **facts_of(opened.space, opened.notes)}
    return facts


def row_of(opened: Opened, id: str) -> int:
    """Return the number of the row with an id; MissingError when there is none."""
    try:
        return opened.space.row_of(id)
    except (UserError, pa.ArrowException, OverflowError) as error:
        came = error.came if isinstance(error, UserError) else f"{id[:80]!r} is no id of {opened.name}: {error}"
        raise MissingError(came, needed=getattr(error, "needed", "")) from None


def show_row(opened: Opened, id: str) -> Record:
    """Return all about one row.

    Parameters
    ----------
    opened : Opened
        The space.
    id : str
        Of the row.

    Returns
    -------
    dict
        Its whole text, its columns, its group and flags, its place on the map, and its nearest rows, each with its
        cosine and the words that both hold.
    """
    space, row = opened.space, row_of(opened, id)
    values = space.take([row]).to_pylist()[0]
    text = values.pop(space.roles.text, None) if space.roles.text else None
    lists, drawn = space.parts.neighbors, space.parts.map
    near = np.array(lists.indices[row], np.int64)
    scores = np.array(lists.scores[row], np.float64)[near >= 0]
    there = near[near >= 0]
    neighbors = [
        {**one, "score": float(score), "why": shared_words(text, one["text"])}
        for one, score in zip(list_rows(opened, there, whole=True), scores, strict=True)
    ]
    for one in neighbors:
        one["text"] = cut(one["text"])
    return {
        "space": opened.name, "generation": space.generation, "row": row, "id": str(values.pop(space.columns[0])),
        "text": None if text is None else str(text), "columns": plain(values), **_group_of(opened, row),
        "flags": flags_of(opened, row),
        "found": plain({name: column[row].as_py() for name, column in opened.found.items()}),
        "map": {"x": float(drawn.xy[row, 0]), "y": float(drawn.xy[row, 1]), "kept": _number(drawn.kept[row])},
        "neighbors": neighbors, "url": row_url(id),
    }  # fmt: skip


def shared_words(one: str | None, other: str | None) -> list[str]:
    """Return words that two texts share, longest first; none of those that say nothing of a subject."""
    mine, theirs = ({*tokens(text[:LONGEST_QUESTION])} if text else set() for text in (one, other))
    telling = (mine & theirs) - set(query_language()["stop_words"])  # type: ignore[call-overload]
    return sorted(telling, key=lambda word: (-len(word), word))[:_SHARED]


def list_groups(opened: Opened) -> Record:
    """Return the groups, the largest first."""
    groups = [
        {**{key: plain(group.get(key)) for key in ("id", "name", "words", "size", "stability")},
         "url": f"groups/{group['id']}"}
        for group in opened.group_records
    ]  # fmt: skip
    outside = int(np.sum(opened.groups < 0))
    return {"space": opened.name, "generation": opened.space.generation, "groups": groups, "in_no_group": outside}


def rows_of_group(opened: Opened, number: int, page: int = 1) -> Record:
    """Return a page of the rows of a group, -1 being those in none."""
    if number not in opened.group_names and number != -1:
        raise MissingError(f"{opened.name} has no group {number}.", needed=f"one of {_few(opened.group_names)}")
    title = opened.group_names.get(number, "in no group")
    return _rows_page(opened, title, np.flatnonzero(opened.groups == number), page, f"groups/{number}")


def rows_of_label(opened: Opened, name: str, page: int = 1) -> Record:
    """Return a page of the rows with a label: one that `codomain label` gave, or that of the table's own column."""
    part = opened.space.parts.find(LabelsPart)
    column = next((one for one in ("codomain_label", "label") if part and part.fresh and one in opened.found), None)
    role = opened.space.roles.label or ""
    if not (column or role):
        raise MissingError(f"{opened.name} has no labels.", todo=f"codomain label {opened.space.path}")
    labels = opened.found[column] if column else opened.space.rows([role]).column(0)
    labels = pc.cast(labels, pa.string())
    rows = np.flatnonzero(pc.fill_null(pc.equal(labels, name), False).to_numpy(zero_copy_only=False))
    if not len(rows):
        known = pc.unique(labels).drop_null().to_pylist()
        raise MissingError(f"No row of {opened.name} has the label {name[:80]!r}.", needed=f"one of {_few(known)}")
    return _rows_page(opened, name, rows, page, f"labels/{quote(name, safe='')}")


def rows_with_flag(opened: Opened, kind: str, page: int = 1) -> Record:
    """Return a page of the rows that a check of the audit picked."""
    bits = {flag.kind: flag.bit for flag in FLAGS}
    if kind not in bits:
        raise MissingError(f"There is no flag {kind[:80]!r}.", needed=f"one of {', '.join(bits)}")
    checks = {check["kind"]: check for check in opened.space.parts.audit.checks}
    title = checks[kind]["title"] if kind in checks else kind
    return _rows_page(opened, title, np.flatnonzero(opened.flags & bits[kind]), page, f"flags/{kind}")


def _rows_page(opened: Opened, title: str, rows: NDArray[np.int64], page: int, url: str) -> Record:
    return {
        "space": opened.name, "generation": opened.space.generation, "title": title, "url": url,
        **pages_of(len(rows), page), "rows": list_rows(opened, cut_page(rows, page)),
    }  # fmt: skip


def pages_of(count: int, page: int) -> Record:
    """Return how many rows and pages there are; MissingError behind the last page."""
    pages = max(1, -(-count // PAGE))
    if not 1 <= page <= pages:
        raise MissingError(f"There is no page {page}.", needed=f"a page from 1 to {pages}")
    return {"count": count, "page": page, "pages": pages}


def cut_page(rows: NDArray[np.int64], page: int) -> NDArray[np.int64]:
    """Return the rows of one page."""
    return rows[(page - 1) * PAGE : page * PAGE]


def list_rows(opened: Opened, rows: NDArray[np.int64], *, whole: bool = False) -> list[Record]:
    """Return rows as they stand in a list: their id, their text (cut unless `whole`), group and flags."""
    space = opened.space
    id, text = space.columns[0], space.roles.text
    table = space.take(rows, [id, text] if text and text != id else [id])
    texts: Iterable[Any] = table.column(text).to_pylist() if text else [None] * len(rows)
    return [
        {
            "row": row, "id": str(name), "text": ("" if said is None else str(said)) if whole else cut(said),
            **_group_of(opened, row), "flags": flags_of(opened, row), "url": row_url(name),
        }
        for row, name, said in zip(rows.tolist(), table.column(id).to_pylist(), texts, strict=True)
    ]  # fmt: skip


def flags_of(opened: Opened, row: int) -> list[str]:
    """Return the kinds of the checks that picked a row."""
    return [flag.kind for flag in FLAGS if opened.flags[row] & flag.bit]


def row_url(id: object) -> str:
    """Return where a row is, relative to its space."""
    return f"rows/{quote(str(id), safe='')}"


def cut(text: object) -> str:
    """Return the beginning of a text, for a list."""
    whole = "" if text is None else str(text)
    return whole if len(whole) <= _LONGEST_TEXT else whole[: _LONGEST_TEXT - 1] + "…"


def _group_of(opened: Opened, row: int) -> Record:
    number = int(opened.groups[row])
    return {"group": number, "group_name": opened.group_names.get(number)}


def _cells(columns: Record) -> Record:
    return {name: cut(value) if isinstance(value, str) else plain(value) for name, value in columns.items()}


def _number(value: Any) -> float | None:
    return plain(float(value))


def _few(names: Iterable[object]) -> str:
    some = list(names)
    return ", ".join(str(name)[:80] for name in some[:20]) + (f" and {len(some) - 20:,} more" if len(some) > 20 else "")
