"""Answers as Markdown, for people at a terminal and for language models; nothing in a text becomes markup."""

import re
from collections.abc import Iterator
from typing import Any

from codomain.core import visible

Record = dict[str, Any]


def markdown(kind: str, value: Record, base: str) -> str:
    """Return an answer as Markdown.

    Parameters
    ----------
    kind : str
        Which answer it is: the name of its template.
    value : dict
        The answer.
    base : str
        Address of the space, with a slash at its end; "" for what is about several.

    Returns
    -------
    str
        With a line end.
    """
    return "\n".join(_WRITERS[kind](value, base)) + "\n"


def safe(value: object) -> str:
    """Return text on one line in which no sign is markup."""
    text = " ".join(visible(str(value)).split())
    return re.sub(r"([\\`*_{}\[\]()<>#+\-!|&~:=.])", r"\\\1", text)


def _spaces(value: Record, base: str) -> Iterator[str]:
    yield "# Spaces\n"
    for one in value["spaces"]:
        yield f"- [{safe(one['space'])}]({base}{one['url']}) {safe(one['error'] or str(one['rows']) + ' rows')}"


def _facts(value: Record, base: str) -> Iterator[str]:
    yield f"# {safe(value['space'])}\n"
    yield f"{value['rows']:,} rows of {value['dimensions']} numbers\n"
    yield from (f"- {safe(note)}" for note in (*value["notes"], *value["warnings"]))
    yield "\n## Groups\n"
    for one in value["groups"]:
        yield f"- [{safe(one['name'])}]({base}groups/{one['id']}) {one['size']:,} rows"
    yield "\n## Suspicious rows\n"
    for kind, count in (value["flags"] or {}).items():
        yield f"- [{safe(kind)}]({base}flags/{kind}) {count:,} rows"
    yield "\n## Health\n"
    yield from (f"- {safe(one['title'])}: {safe(one['says'])}" for one in value["health"])


def _search(value: Record, base: str) -> Iterator[str]:
    yield f"# {safe(value['q'] or 'Rows like these')}\n"
    if value["nothing_close"]:
        yield "Nothing close: no hit is better than one gets by asking about nothing.\n"
    yield from (f"> {safe(note)}\n" for note in value["notes"])
    for place, hit in enumerate(value["hits"], 1):
        also = f" also in {safe(', '.join(hit['also_in']))}" if hit.get("also_in") else ""
        yield f"{place}. [{safe(hit['id'])}]({base}{hit['url']}) {hit['score']:.3f} {safe(hit['why'])}{also}"
        yield f"   {safe(hit['text'])}"


def _side_by_side(value: Record, base: str) -> Iterator[str]:
    yield f"Found in all: {safe(', '.join(value['both']) or 'no row')}\n"
    for answer in value["spaces"]:
        yield f"## {safe(answer['space'])}\n"
        yield from _search(answer, f"{base}{answer['space']}/")


def _rows(value: Record, base: str) -> Iterator[str]:
    yield f"# {safe(value['title'])}\n"
    yield f"{value['count']:,} rows, page {value['page']} of {value['pages']}\n"
    for one in value["rows"]:
        yield f"- [{safe(one['id'])}]({base}{one['url']}) {safe(one['text'])}"


def _row(value: Record, base: str) -> Iterator[str]:
    yield f"# {safe(value['id'])}\n"
    yield f"{safe(value['text'] or '')}\n"
    yield f"- group: {safe(value['group_name'] or 'none')}"
    yield f"- flags: {safe(', '.join(value['flags']) or 'none')}"
    yield from (f"- {safe(name)}: {safe(cell)}" for name, cell in value["columns"].items())
    yield "\n## Nearest rows\n"
    for one in value["neighbors"]:
        shared = f", both say {safe(', '.join(one['why']))}" if one["why"] else ""
        yield f"- [{safe(one['id'])}]({base}{one['url']}) {one['score']:.3f}{shared}: {safe(one['text'])}"


def _groups(value: Record, base: str) -> Iterator[str]:
    yield f"# Groups of {safe(value['space'])}\n"
    for one in value["groups"]:
        yield f"- [{safe(one['name'])}]({base}{one['url']}) {one['size']:,} rows: {safe(', '.join(one['words'][:8]))}"
    yield f"- in no group: {value['in_no_group']:,} rows"


def _dates(value: Record, base: str) -> Iterator[str]:
    yield f"# {safe(value['space'])} by {safe(value['column'])}\n"
    yield f"{value['new']['count']:,} rows since {safe(value['new']['since'])}\n"
    yield "## Groups that rise\n"
    for one in value["rising"]:
        yield (
            f"- [{safe(one['name'])}]({base}{one['url']}) {one['share']:.1%} of the last period, "
            f"{one['share_before']:.1%} before; difference {one['low']:+.1%} to {one['high']:+.1%}"
        )
    yield f"\n{safe(value['how'])}\n\n## Rows, newest first\n"
    for one in value["rows"]:
        yield f"- {one['date']} [{safe(one['id'])}]({base}{one['url']}) {safe(one['text'])}"


def _notes(value: Record, base: str) -> Iterator[str]:
    yield f"# Notes on {safe(value['space'])}\n"
    for one in value["notes"]:
        yield f"- {'★ ' if one['star'] else ''}[{safe(one['id'])}]({base}{one['url']}) {safe(one['note'])}"


def _error(value: Record, base: str) -> Iterator[str]:
    yield f"# {safe(value['error'])}\n"
    yield from (f"- {name}: {safe(value[name])}" for name in ("needed", "todo") if value[name])


_WRITERS = {
    "spaces": _spaces, "facts": _facts, "search": _search, "beside": _side_by_side, "rows": _rows, "row": _row,
    "groups": _groups, "dates": _dates, "notes": _notes, "error": _error,
}  # fmt: skip
