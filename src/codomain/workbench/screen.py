"""The first screen of a studied space as a notebook shows it: a few lines and the map as a picture, without scripts."""

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import visible
from codomain.space import AuditPart, GroupsPart, MapPart, Space
from codomain.workbench.facts import facts_of

COLORS = (
    "#0a6b5a", "#c98a2b", "#6f6fa8", "#b0553a", "#3f8fc4", "#8aa63b", "#a4508b", "#5b6b73", "#d0785d", "#2f9e8f",
    "#8a5600", "#4a5fb0",
)  # fmt: skip
GREY = "#9aa8a3"
DOTS = 3000  # rows that the picture shows at most, about 60 kB
_NAMED, _LISTED, _LONG = 8, 6, 30  # groups named on the map and in the line; characters of a name on the map
_WIDTH, _HEIGHT = 560, 380


def screen(space: Space) -> str:
    """Return what a person should see first, as HTML.

    Parameters
    ----------
    space : Space
        Studied or not.

    Returns
    -------
    str
        Facts, groups, what the audit says, the smallest form, warnings, and the map where there is one.
    """
    facts = facts_of(space)
    lines = {
        "rows": f"{facts['rows']:,} x {facts['dimensions']:,}, {space.bytes / 1e6:,.1f} MB",
        "encoder": space.encoder.describe(),
        "columns": ", ".join(space.columns),
    }
    if facts["groups"]:
        named = [f"{one['name']} ({one['size']:,})" for one in facts["groups"][:_LISTED]]
        rest = len(facts["groups"]) - _LISTED
        lines["groups"] = "; ".join(named) + (f"; and {rest} more" if rest > 0 else "")
    if audit := space.parts.find(AuditPart):
        found = [f"{check['title'].lower()} {check['count']:,}" for check in audit.checks if check["count"]]
        lines["second look"] = ", ".join(found) or "nothing"
    if smallest := facts["smallest"]:
        lines["smallest form"] = (
            f"{smallest['bytes']:,.0f} of {facts['bytes_as_given']:,} bytes a row, recall {smallest['recall']:.3f}"
        )
    lines |= {f"warning {number}": warning for number, warning in enumerate(facts["warnings"], 1)}
    if not space.studied:
        lines["study"] = f"not finished: codomain.study({str(space.path)!r})"
    left = "style='text-align:left'"
    body = "".join(
        f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(visible(line))}</td></tr>"
        for name, line in lines.items()
    )
    table = f"<table><caption>{escape(visible(str(space.path)))}</caption>{body}</table>"
    return f"<div>{table}{map_svg(space)}</div>"


def map_svg(space: Space) -> str:
    """Return the map as an SVG, a dot a row and a color a group; nothing where there is no map.

    Parameters
    ----------
    space : Space
        Of more than 3,000 rows so many are drawn with a fixed seed.
    """
    drawn, grouped = space.parts.find(MapPart), space.parts.find(GroupsPart)
    if drawn is None or not drawn.fresh or not len(space):
        return ""
    xy = np.asarray(drawn.xy, np.float64)
    groups = np.asarray(grouped.labels) if grouped is not None and grouped.fresh else np.full(len(xy), -1)
    rows = np.arange(len(xy))
    if len(rows) > DOTS:
        rows = np.sort(np.random.default_rng(0).choice(len(rows), DOTS, replace=False))
    low, high = xy.min(axis=0), xy.max(axis=0)
    step = min((_WIDTH - 40) / max(high[0] - low[0], 1e-12), (_HEIGHT - 40) / max(high[1] - low[1], 1e-12))
    place = np.array([_WIDTH, _HEIGHT]) / 2 + (xy - (low + high) / 2) * step * np.array([1, -1])
    marks = [_dots(place[rows[groups[rows] == number]], color_of(number)) for number in np.unique(groups[rows])]
    names = [_name(*middle, name) for name, middle in names_on(space, place, _NAMED)]
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}' role='img' "
        f"aria-label='map of {len(xy):,} rows' style='background:#fbfcfc;max-width:100%'>{''.join(marks + names)}</svg>"
    )


def color_of(group: int) -> str:
    """Return the color of a group, by its number; grey for rows in none."""
    return GREY if group < 0 else COLORS[int(group) % len(COLORS)]


def names_on(space: Space, xy: NDArray[np.float64], most: int) -> list[tuple[str, tuple[float, float]]]:
    """Return the names of the largest groups and the middles of their rows, none so near another that it hides it.

    Parameters
    ----------
    space : Space
        A studied space.
    xy : ndarray of shape (n, 2)
        Where each row is drawn.
    most : int
        Groups to name.
    """
    grouped = space.parts.find(GroupsPart)
    if grouped is None or not grouped.fresh:
        return []
    labels, near = np.asarray(grouped.labels), np.ptp(xy, axis=0) * (0.22, 0.045)
    found: list[tuple[str, tuple[float, float]]] = []
    for one in sorted(grouped.groups, key=lambda one: -one["size"])[:most]:
        x, y = map(float, np.median(xy[labels == one["id"]], axis=0))
        if not any(abs(x - a) < near[0] and abs(y - b) < near[1] for _, (a, b) in found):
            name = one["name"] if len(one["name"]) <= _LONG else one["name"][: _LONG - 1] + "…"
            found.append((visible(name), (x, y)))
    return found


def _dots(places: Any, color: str) -> str:
    """Return dots as one path: a line of no length with a round end is a dot."""
    path = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in places.tolist())
    return f"<path d='{path}' stroke='{color}' stroke-width='3.4' stroke-linecap='round' opacity='.55' fill='none'/>"


def _name(x: float, y: float, name: str) -> str:
    return (
        f"<text x='{x:.0f}' y='{y:.0f}' text-anchor='middle' font-family='sans-serif' font-size='11' fill='#13201d' "
        f"stroke='#fbfcfc' stroke-width='3' paint-order='stroke'>{escape(name)}</text>"
    )
