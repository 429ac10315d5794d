"""The page of a comparison: both maps side by side, in one HTML file that fetches nothing."""

from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes

from codomain.core import say
from codomain.shrink import kept_neighbors, layout
from codomain.space import MapPart
from codomain.workbench.compare.join import Side
from codomain.workbench.compare.result import Found
from codomain.workbench.compare.verdict import BEYOND_CHANCE, SAME_DISTANCE, SAME_OVERLAP
from codomain.workbench.report import pack
from codomain.workbench.report.html import write_page

_FEW = 200
_SCRIPTS = ("data.js", "theme.js", "map.js", "rows.js", "compare.js")


def write(found: Found, path: str | Path) -> Path:
    """Write the page of a comparison.

    Parameters
    ----------
    found : Found
        What was found.
    path : str or Path
        The HTML file to write.

    Returns
    -------
    Path
        The file: UTF-8, self-contained, without any address to fetch from.
    """
    k = found.lists[0].shape[1]
    (labels_a, names_a), (labels_b, names_b) = found.groups
    xy, kept, how = _maps(found)
    changes = found.group_changes
    integers = {
        "overlap": np.rint(found.changes.overlap * k), "order": found.changes.order, "a_labels": labels_a,
        "b_labels": labels_b, "a_lists": found.lists[0], "b_lists": found.lists[1],
    }  # fmt: skip
    reals = {
        f"{side}_{axis}": places[:, i] for side, places in zip("ab", xy, strict=True) for i, axis in enumerate("xy")
    }
    blocks, scales = [], {}
    for name, values in integers.items():
        kind, content = pack.pack_integers(values.astype(np.int64))
        blocks.append({"id": name, "kind": kind, "content": content})
    for name, values in (reals | {"drift": found.changes.drift}).items():
        kind, content, low, step = pack.pack_reals(values)
        blocks.append({"id": name, "kind": kind, "content": content})
        scales[name] = (low, step)
    head = {
        "n": len(found.rows), "k": k, "names": {"a": found.A.name, "b": found.B.name}, "reals": scales,
        "groups": {"a": _list_groups(labels_a, names_a), "b": _list_groups(labels_b, names_b)},
    }  # fmt: skip
    words, _, _ = pack.pack_words([text[:300] for text in found.texts], {})
    for name, content in (("head", pack.pack_json(head)), ("ids", pack.pack_json(found.ids)), ("texts", words)):
        blocks.append({"id": name, "kind": "json", "content": content})
    return write_page(
        path, "compare.html.jinja", ("report.css", "compare.css"), _SCRIPTS, c=found, k=k, m=len(found.rows),
        kept=float(found.changes.overlap.mean()), blocks=blocks, groups=[vars(change) for change in changes],
        histogram=np.bincount(integers["overlap"].astype(int), minlength=k + 1).tolist(),
        fates=Counter(change.fate for change in changes).most_common(), map_kept=kept, map_how=how,
        found=[measure.to_dict() for measure in found.measures],
        rule={"distance": SAME_DISTANCE, "overlap": SAME_OVERLAP, "beyond": BEYOND_CHANCE},
        generated=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        versions={name: version(name) for name in ("codomain", "numpy", "scikit-learn", "faiss-cpu")},
    )  # fmt: skip


def _list_groups(labels: NDArray[Any], names: dict[int, str]) -> list[dict[str, Any]]:
    """Return the groups that the compared rows are in, largest first."""
    numbers, sizes = np.unique(labels[labels >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    return [{"id": int(numbers[i]), "name": names[int(numbers[i])], "size": int(sizes[i])} for i in order]


def _maps(found: Found) -> tuple[list[NDArray[Any]], list[float], str]:
    """Return the places of the rows on both maps, what each keeps of the lists, and how they were drawn."""
    places, ways = [], set()
    sides = ((found.A, found.pairing.rows_a), (found.B, found.pairing.rows_b))
    for (side, chosen), X, lists in zip(sides, found.vectors(), found.lists, strict=True):
        drawn, way = _map(side, chosen[found.rows], X, lists, found.random_state)
        places.append(drawn)
        ways.add(way)
    centred = [xy - xy.mean(axis=0) for xy in places]
    turn, _ = orthogonal_procrustes(centred[1], centred[0])
    kept = [float(kept_neighbors(xy, lists).mean()) for xy, lists in zip(places, found.lists, strict=True)]
    return [centred[0], centred[1] @ turn], kept, " ".join(sorted(ways))


def _map(side: Side, rows: NDArray[Any], X: NDArray[Any], lists: NDArray[Any], seed: int) -> tuple[NDArray[Any], str]:
    if part := side.parts.find(MapPart):
        return np.asarray(part.xy, np.float64)[rows], f"The map of {side.name} is that of its study."
    say(f"map of {side.name}")
    # Few points fly far apart under the forces, whose grid then takes minutes.
    method = "forces" if len(X) >= _FEW else "pca"
    drawn = layout(X, lists, method=method, random_state=seed, progress=True)
    return np.asarray(drawn.xy, np.float64), f"The map of {side.name} was drawn for this page: {drawn.method}."
