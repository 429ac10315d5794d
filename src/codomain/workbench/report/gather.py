"""Gather what the stages found into one report."""

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from codomain.core import EncoderIdentity
from codomain.space import Group, LabelsPart, Roles, ShrinkPart, is_string
from codomain.workbench.report import ReportData, render
from codomain.workbench.stages import Inputs

_TEXT_CHARACTERS = 300
_PACKAGES = ("codomain", "numpy", "scikit-learn", "faiss-cpu", "pyarrow")


def write_report(
    path: Path,
    inputs: Inputs,
    rows: pa.Table,
    roles: Roles,
    encoder: EncoderIdentity,
    title: str,
    *,
    space: Path | None = None,
    partial: str | None = None,
) -> Path:
    """Write the report of the parts that are there.

    Parameters
    ----------
    path : Path
        Where to write it.
    inputs : Inputs
        Vectors, texts, labels and the parts of the stages that ran.
    rows : pyarrow.Table
        The person's columns.
    roles : Roles
        Which column is what.
    encoder : EncoderIdentity
        What made the vectors.
    title : str
        Name of the data.
    space : Path, optional
        Where the space lies, for the commands to copy.
    partial : str, optional
        How much of the data this is about, when not all of it.

    Returns
    -------
    Path
        The file.
    """
    return render(gather(inputs, rows, roles, encoder, title, space=space, partial=partial), path)


def gather(
    inputs: Inputs, rows: pa.Table, roles: Roles, encoder: EncoderIdentity, title: str, *, space: Path | None = None,
    partial: str | None = None,
) -> ReportData:  # fmt: skip
    """Return what a report shows of the parts that are there.

    Parameters
    ----------
    inputs, rows, roles, encoder, title, space, partial
        As `write_report` takes them.

    Returns
    -------
    ReportData
        For `render`.
    """
    parts = inputs.parts
    count, dims = inputs.X.shape
    form, labelled = parts.find(ShrinkPart), parts.find(LabelsPart)
    name = shlex.quote(str(space))
    return ReportData(
        title=title,
        source=title,
        n=count,
        d=dims,
        encoder=encoder.describe(),
        generated=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        partial=partial,
        versions=_versions(),
        health=parts.health.measures,
        certificate=form.certificate if form else None,
        groups=parts.groups.record,
        labels=parts.groups.labels,
        xy=parts.map.xy,
        kept=parts.map.kept,
        map_info=parts.map.record,
        audit=parts.audit.record,
        flags=parts.audit.flags,
        neighbors=parts.neighbors.indices,
        scores=parts.neighbors.scores,
        texts=[text[:_TEXT_CHARACTERS] for text in inputs.texts or ()],
        ids=[str(value) for value in rows[roles.id].to_pylist()] if roles.id else [],
        columns=_columns(rows, roles),
        user_labels=inputs.labels,
        labelled=labelled.record if labelled and labelled.fresh else None,
        search_command=f'codomain search {name} "{{query}}"' if space and encoder.encodes else "",
        commands=_commands(name, rows, roles) if space else {},
        space=name if space else "",
        id_column=roles.id or "id",
        numeric_ids=not (roles.id and is_string(rows.schema.field(roles.id).type)),
        sent_to=urlsplit(encoder.uri.partition(":")[2]).netloc if encoder.uri.startswith("openai:") else "",
    )


def suggestion(groups: Sequence[Group]) -> str:
    """Return words worth searching for: those that name the largest group."""
    words = groups[0]["words"][:2] if groups else []
    return " ".join(words) or "your words here"


def _columns(rows: pa.Table, roles: Roles) -> dict[str, pa.ChunkedArray]:
    """Return all columns but those that have a place of their own."""
    return {name: rows[name] for name in rows.column_names if name not in (roles.id, roles.text)}


def _commands(name: str, rows: pa.Table, roles: Roles) -> dict[str, str]:
    first = shlex.quote(str(rows[roles.id][0].as_py())) if roles.id else "0"
    return {
        "More like a row, here the first; put another id in its place": f"codomain search {name} --like {first}",
        "Add new rows": f"codomain add {name} new-rows.csv",
        "Take your table with the new columns": f"codomain export {name} table.parquet",
        "What was written when": f"codomain log {name}",
    }


def _versions() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    return found | {name: version(name) for name in _PACKAGES}
