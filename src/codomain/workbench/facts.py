"""What a study found, as one record for programs: what the first screen of its report says."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from codomain.space import AuditPart, GroupsPart, HealthPart, MapPart, ShrinkPart, Space

_OF_GROUP = ("id", "name", "size", "stability", "name_score", "words")


def facts_of(space: Space, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the parts of a space say about it as a whole.

    Parameters
    ----------
    space : Space
        A studied space; what a part that is missing would say is None.
    notes : sequence of str, default=()
        What was guessed or left out while the rows were read.

    Returns
    -------
    dict
        `rows` and `dimensions` are counts; `columns` have a name and an Arrow type; `tokens` counts texts that are cut
        or hold unknown tokens; `health` has a record for each measure; `smallest` is the recipe with its bytes a row
        and its recall, 0 to 1; `groups` are the largest first, `in_no_group` counts rows; `flags` counts rows by check;
        `warnings` are the sentences of what is bad or could not be done.
    """
    n, d = space.shape
    parts = space.parts
    audit, health, shrunk = parts.find(AuditPart), parts.find(HealthPart), parts.find(ShrinkPart)
    grouped, drawn = parts.find(GroupsPart), parts.find(MapPart)
    measures = health.measures if health else []
    certificate = shrunk.certificate if shrunk else {}
    winner = certificate.get("winner")
    groups = sorted(grouped.groups, key=lambda one: -one["size"]) if grouped else []
    warnings = [measure["says"] for measure in measures if measure.get("verdict") == "bad"]
    return {
        "rows": n, "dimensions": d, "generation": space.generation, "encoder": space.encoder.to_dict(),
        "roles": {"id": space.roles.id, "text": space.roles.text, "label": space.roles.label},
        "columns": [{"name": field.name, "type": str(field.type)} for field in space.take([0]).schema],
        "tokens": audit.record.get("tokens") if audit else None,
        "health": measures,
        "bytes_as_given": 4 * d, "recall_target": certificate.get("target"),
        "smallest": None if winner is None else certificate["rows"][winner],
        "groups": [{key: one.get(key) for key in _OF_GROUP} for one in groups],
        "in_no_group": int(np.sum(np.asarray(grouped.labels) < 0)) if grouped else None,
        "map": {"layout": drawn.record["layout"], "kept": drawn.record["kept"]} if drawn else None,
        "flags": {check["kind"]: check["count"] for check in audit.checks} if audit else None,
        "notes": list(notes),
        "warnings": warnings + ([certificate["refusal"]] if certificate.get("refusal") else []),
    }  # fmt: skip
