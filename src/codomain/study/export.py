"""Give people their own table back, with what the study found in new columns."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from codomain.core import UserError
from codomain.space import Space
from codomain.study.opened import check_studied

FLAGS = {1: "duplicate", 2: "near_duplicate", 4: "outlier", 8: "label_in_doubt"}


def export(space: Space, out: Path) -> Path:
    """Write the rows with their group, place on the map and flags.

    Parameters
    ----------
    space : Space
        A studied space.
    out : Path
        A file ending in .parquet or .csv.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        When the ending is another, or the space has not been studied.
    """
    writers = {".parquet": parquet.write_table, ".csv": csv.write_csv}
    if out.suffix not in writers:
        raise UserError(f"{out} ends in {out.suffix!r}.", needed="a file that ends in .parquet or .csv")
    check_studied(space)
    table = space.rows()
    labels = np.asarray(space.part("groups")["labels.npy"])
    names = [group["name"] for group in space.part("groups")["groups.json"]["groups"]]
    xy, flags = np.asarray(space.part("map")["xy.npy"]), np.asarray(space.part("audit")["flags.npy"])
    new = {
        "group": labels,
        "group_name": [names[label] if label >= 0 else None for label in labels],
        "map_x": xy[:, 0],
        "map_y": xy[:, 1],
        "kept": np.asarray(space.part("map")["kept.npy"]),
    } | {f"is_{name}": (flags & bit) > 0 for bit, name in FLAGS.items()}
    for name, values in new.items():
        taken = f"codomain_{name}" if name in table.column_names else name
        table = table.append_column(taken, pa.array(values))
    writers[out.suffix](table, out)
    return out
