"""The report: one HTML file that opens from disk, with the network off, and can be searched."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.search import query_language
from codomain.space import FLAGS
from codomain.workbench.report import pack
from codomain.workbench.report.columns import fit_columns
from codomain.workbench.report.figures import front_plot
from codomain.workbench.report.html import page_html, write_page

__all__ = ["ReportData", "page_html", "render", "render_page", "write_page"]

_TEMPLATE, _STYLES = "report.html.jinja", ("report.css", "filters.css", "actions.css")
_SCRIPTS = (
    "data.js", "theme.js", "search.js", "regex.js", "columns.js", "filters.js", "where.js", "scales.js", "map.js",
    "areas.js", "rows.js", "findings.js", "selection.js", "server.js", "facets.js", "address.js", "report.js",
)  # fmt: skip
_PAGE = 400_000  # bytes of the page without its rows, at most


@dataclass
class ReportData:
    """Everything that a report shows; what a study has not worked out yet is left at its default.

    Parameters
    ----------
    title, source : str
        Heading of the report, and the file that was studied.
    n, d : int
        Rows, and numbers in a vector.
    encoder : str
        What made the vectors.
    generated : str
        Date.
    partial : str, optional
        "2,000 of 9,812 rows" when the report is of a part.
    versions : mapping of str to str
        What ran.
    health : sequence of dict
        Measures, as `Measure.to_dict` gives them.
    certificate : dict, optional
        The sealed certificate.json.
    groups : dict, optional
        The sealed groups.json.
    labels : ndarray of shape (n,), optional
        Each row's group, -1 for none.
    xy : ndarray of shape (n, 2), optional
        Places on the map.
    kept : ndarray of shape (n,), optional
        Share of each row's neighbours that are neighbours on the map too, 0 to 1.
    map_info : dict, optional
        The sealed map.json.
    audit : dict, optional
        The sealed audit.json.
    flags : ndarray of shape (n,), optional
        Sum of the audit's bits for each row: 1 duplicate, 2 near duplicate, 4 outlier, 8 doubtful label, 16 vector of
        another text, 32 text unknown, 64 text cut.
    neighbors, scores : ndarray of shape (n, k), optional
        Each row's nearest rows, nearest first, and their cosines.
    texts : sequence of str, optional
        One a row, or empty when the rows have no words.
    ids : sequence of str
        One a row; row numbers when empty.
    columns : mapping of str to sequence or pyarrow.ChunkedArray
        Columns of the user's table to show, to filter by and to hand back, as many as fit into the file.
    user_labels : sequence of str, optional
        The user's own labels.
    labelled : dict, optional
        The sealed labels.json: what `codomain label` has found.
    search_command : str, optional
        Command that searches by meaning; a person's query replaces "{query}" or a quoted text at its end, or goes last.
        Empty when nothing can encode a new sentence.
    commands : mapping of str to str
        Other commands to offer, by what they do.
    space : str, optional
        Where the space lies, as a shell takes it, for commands that the page makes up.
    id_column : str, optional
        Name of the column of ids.
    numeric_ids : bool, optional
        Whether the ids are numbers, and so are written without quotes in a condition.
    sent_to : str, optional
        The server that the texts were sent to for encoding; empty when nothing left the machine.
    """

    title: str
    source: str
    n: int
    d: int
    encoder: str
    generated: str
    partial: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    health: Sequence[dict[str, Any]] = ()
    certificate: Mapping[str, Any] | None = None
    groups: Mapping[str, Any] | None = None
    labels: NDArray[Any] | None = None
    xy: NDArray[Any] | None = None
    kept: NDArray[Any] | None = None
    map_info: Mapping[str, Any] | None = None
    audit: Mapping[str, Any] | None = None
    flags: NDArray[Any] | None = None
    neighbors: NDArray[Any] | None = None
    scores: NDArray[Any] | None = None
    texts: Sequence[str] | None = ()
    ids: Sequence[str] = ()
    columns: Mapping[str, Sequence[Any] | pa.ChunkedArray] = field(default_factory=dict)
    user_labels: Sequence[str] | None = None
    labelled: Mapping[str, Any] | None = None
    search_command: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)
    space: str = ""
    id_column: str = "id"
    numeric_ids: bool = False
    sent_to: str = ""

    def check(self) -> None:
        """Refuse when a field does not have one entry a row."""
        by_row = {name: getattr(self, name) for name in ("labels", "xy", "kept", "flags", "neighbors", "scores")}
        by_row |= {"texts": self.texts or None, "ids": self.ids or None, "user_labels": self.user_labels}
        by_row |= {f"columns[{name!r}]": column for name, column in self.columns.items()}
        wrong = [
            f"{name} has {len(value)}" for name, value in by_row.items() if value is not None and len(value) != self.n
        ]
        if self.n < 1 or wrong:
            raise UserError(f"The report is of {self.n} rows, but {', '.join(wrong) or 'none can be shown'}.",
                            needed="one entry a row, and at least one row")  # fmt: skip


def render(report: ReportData, path: str | Path) -> Path:
    """Write the report.

    Parameters
    ----------
    report : ReportData
        What to show.
    path : str or Path
        The HTML file to write.

    Returns
    -------
    Path
        The file: UTF-8, self-contained, without any address to fetch from.

    Raises
    ------
    UserError
        When a field does not have one entry a row.
    """
    return write_page(path, _TEMPLATE, _STYLES, _SCRIPTS, **_values(report, None))


def render_page(report: ReportData, server: Mapping[str, Any]) -> str:
    """Return the page that a server gives out: the report, which may ask that server and nobody else.

    Parameters
    ----------
    report : ReportData
        What to show.
    server : mapping
        Where the page is: "space" is its name, "spaces" those of all, "notes" tells whether notes can be written,
        "encodes" whether a question can be compared by its meaning.

    Returns
    -------
    str
        The HTML.
    """
    return page_html(_TEMPLATE, _STYLES, _SCRIPTS, **_values(report, server))


def _values(report: ReportData, server: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the template prints."""
    report.check()
    blocks, facts = _blocks(report, server)
    plot = front_plot(report.certificate) if report.certificate else None
    return {"r": report, "facts": facts, "blocks": blocks, "plot": plot, "server": server}


Block = dict[str, str]  # id, kind and content of a script element that holds data


def _blocks(report: ReportData, server: Mapping[str, Any] | None) -> tuple[list[Block], dict[str, Any]]:
    """Pack the rows; return the blocks and what the template says about them."""
    groups = sorted((report.groups or {}).get("groups", []), key=lambda group: -group["size"])
    checks = (report.audit or {}).get("checks", [])
    label_names, user_labels = _number_labels(report.user_labels)
    blocks, reals = _real_blocks(report)
    blocks += _integer_blocks(report, user_labels)
    ids = [str(name) for name in report.ids]
    packed_ids = pack.pack_json(ids)
    room = pack.FILE_BUDGET - _PAGE - len(packed_ids) - sum(len(block["content"]) for block in blocks)
    columns, kinds, left_out = fit_columns(report.columns, min(pack.COLUMN_BUDGET, room // 2), pack.packed_size)
    words, table, length = pack.pack_words(report.texts or (), columns, min(pack.TEXT_BUDGET, room * 3 // 4))
    k = 0 if report.neighbors is None else report.neighbors.shape[1]
    shared = {"groups": groups, "checks": checks, "label_names": label_names, "text_length": length, "k": k}
    shared |= {"space": report.space, "id_column": report.id_column, "numeric_ids": report.numeric_ids}
    head = shared | {
        "title": report.title, "n": report.n, "reals": reals, "search_command": report.search_command,
        "language": query_language(), "kinds": kinds, "left_out": left_out, "found": _found_names(report),
        "server": server,
        "bits": {flag.kind: flag.bit for flag in FLAGS} if report.flags is not None else {},
    }  # fmt: skip
    for name, content in (
        ("head", pack.pack_json(head)), ("ids", packed_ids), ("texts", words), ("columns", table),
    ):  # fmt: skip
        blocks.append({"id": name, "kind": "json", "content": content})
    in_none = report.labels is not None and groups
    facts = shared | {
        "left_out": left_out,
        "outside": int(np.sum(np.asarray(report.labels) < 0)) if in_none else 0,
        "kept": None if report.kept is None else float(np.nanmean(report.kept)),
        "verdicts": Counter(measure.get("verdict") for measure in report.health),
        "winner": _winner(report.certificate),
        "command": _example(report.search_command, groups),
        "texts": [pack.cut(text, length) for text in report.texts or ()],
        "ids": ids or [str(row) for row in range(report.n)],
    }
    return blocks, facts


def _found_names(report: ReportData) -> dict[str, str]:
    """Return under which names a condition on the command line knows what the study found."""
    names = {"group": "group", "kept": "kept"} | {flag.kind: flag.column for flag in FLAGS}
    return {key: f"codomain_{name}" if name in report.columns else name for key, name in names.items()}


def _number_labels(labels: Sequence[str] | None) -> tuple[list[str], NDArray[np.intp] | None]:
    """Return the names of the labels, most frequent first, and each row's number among them."""
    if labels is None:
        return [], None
    names = [name for name, _ in Counter(map(str, labels)).most_common()]
    number = {name: i for i, name in enumerate(names)}
    return names, np.array([number[str(label)] for label in labels], dtype=np.intp)


def _real_blocks(report: ReportData) -> tuple[list[Block], dict[str, tuple[float, float]]]:
    """Pack what is measured; return the blocks, and the lowest value and the step of each."""
    values = {"kept": report.kept, "scores": report.scores}
    if report.xy is not None:
        values |= {"x": report.xy[:, 0], "y": report.xy[:, 1]}
    blocks, reals = [], {}
    for name, column in values.items():
        if column is not None:
            kind, content, low, step = pack.pack_reals(column)
            blocks.append({"id": name, "kind": kind, "content": content})
            reals[name] = (low, step)
    return blocks, reals


def _integer_blocks(report: ReportData, user_labels: NDArray[np.intp] | None) -> list[Block]:
    neighbors = pack.fill_missing(report.neighbors, report.n)
    columns = {"labels": report.labels, "flags": report.flags, "user_labels": user_labels, "neighbors": neighbors}
    packed = {name: pack.pack_integers(column) for name, column in columns.items() if column is not None}
    return [{"id": name, "kind": kind, "content": content} for name, (kind, content) in packed.items()]


def _example(command: str, groups: Sequence[Mapping[str, Any]]) -> str:
    """Put words worth searching for, those that name the largest group, where a command has its question."""
    words = " ".join(groups[0].get("words", [])[:2]) if groups else ""
    return command.replace('"{query}"', shlex.quote(words or "your words here"))


def _winner(certificate: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not certificate or certificate.get("winner") is None:
        return None
    return certificate["rows"][certificate["winner"]]
