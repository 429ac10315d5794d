"""What a study and `label` found of each row, as columns beside those of the table."""

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from codomain.space import AuditPart, GroupsPart, LabelsPart, MapPart, Space


def found_columns(space: Space) -> dict[str, pa.Array]:
    """Return what the study and `label` found of each row, under the names that an export gives it.

    Parameters
    ----------
    space : Space
        An open space.

    Returns
    -------
    dict
        One array of n values a column; the parts that are missing or about other rows give none.
    """
    parts = space.parts
    new: dict[str, Any] = {}
    if groups := parts.find(GroupsPart):
        names = pa.array([*groups.names, None], pa.string())  # -1, the last, is a row in no group
        new |= {"group": groups.labels, "group_name": names.take(pa.array(np.asarray(groups.labels) % len(names)))}
    if drawn := parts.find(MapPart):
        new |= {"map_x": drawn.xy[:, 0], "map_y": drawn.xy[:, 1], "kept": drawn.kept}
    if audit := parts.find(AuditPart):
        new |= audit.flagged
    if (labels := parts.find(LabelsPart)) and labels.fresh:
        new |= label_columns(space)
    return {f"codomain_{name}" if name in space.columns else name: pa.array(values) for name, values in new.items()}


def label_columns(space: Space) -> dict[str, Any]:
    """Return the label of every row, whether a person gave it, its probability, and whether it was rejected.

    Parameters
    ----------
    space : Space
        A labelled space.

    Returns
    -------
    dict
        Columns of length n. The probability is that of the predicted class; of a given label it is that of the label.
    """
    part = space.parts.labels
    classes = np.array([one["name"] for one in part.classes])
    code, share = np.array(part.predicted), part.probabilities
    given = np.zeros(len(code), bool)
    if LabelsPart.given in part:
        table = parquet.read_table(part.given)
        rows = table["row"].to_numpy()
        given[rows] = True
        code[rows] = np.searchsorted(classes, table["label"].to_numpy().astype(str))
    columns = {"label": classes[code], "label_given": given, "label_probability": share[np.arange(len(code)), code]}
    return columns | ({"label_rejected": part.rejected} if LabelsPart.rejected in part else {})
