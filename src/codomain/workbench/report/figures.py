"""Where marks stand in the report's small drawings, worked out once and drawn by the template."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def scale(measure: dict[str, Any]) -> dict[str, float | None] | None:
    """Place a measure's value, interval and chance value on a line.

    Parameters
    ----------
    measure : dict
        With "value", and "low", "high", "null", any of which may be None.

    Returns
    -------
    dict or None
        Positions from 3 to 97 for each of them, None where there is no number, and the numbers at both ends, "least"
        and "most"; None when a line says nothing, because the value has nothing to be compared with.
    """
    marks = {name: _number(measure.get(name)) for name in ("value", "low", "high", "null")}
    known = [mark for mark in marks.values() if mark is not None]
    if marks["value"] is None or len(set(known)) < 2:
        return None
    low, high = min(known), max(known)
    least = 0.0 if low >= 0 else -math.inf
    if marks["null"] is None:  # nothing to compare with: leave room on both sides of the interval
        low, high = max(least, 2 * low - high), 2 * high - low
    if 0 < low <= 0.6 * high or high < 0:
        low, high = min(low, 0.0), max(high, 0.0)
    if 0.8 < high <= 1 and low >= 0:
        high = 1.0
    return {name: None if mark is None else 3 + 94 * (mark - low) / (high - low) for name, mark in marks.items()} | {
        "least": low,
        "most": high,
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def front_plot(certificate: Mapping[str, Any], width: int = 760, height: int = 330) -> dict[str, Any] | None:
    """Place recipes on a plot of recall against bytes per vector, bytes on a logarithmic axis.

    Parameters
    ----------
    certificate : dict
        With "rows", "winner" and "target".
    width, height : int
        Size of the drawing in its own units.

    Returns
    -------
    dict or None
        Points, the front as a path, ticks and the height of the target; None without two recipes.
    """
    rows: Sequence[dict[str, Any]] = certificate.get("rows") or []
    rows = [row for row in rows if _number(row.get("recall")) is not None and row.get("bytes")]
    if len(rows) < 2:
        return None
    left, right, top, bottom = 56, 22, 20, 44
    sizes = [math.log2(row["bytes"]) for row in rows]
    smallest, largest = math.floor(min(sizes)), math.ceil(max(sizes) + 1e-9)
    lowest = min([row["recall"] for row in rows] + [certificate["target"]])
    floor = max(0.0, math.floor((lowest - 0.02) * 10) / 10)

    def x(size: float) -> float:
        return left + (math.log2(size) - smallest) / max(largest - smallest, 1) * (width - left - right)

    def y(recall: float) -> float:
        return top + (1 - max(recall, floor)) / (1 - floor or 1) * (height - top - bottom)

    winner = certificate.get("winner")
    chosen = (certificate.get("rows") or [])[winner] if winner is not None else None
    points: list[dict[str, Any]] = [
        {
            "x": x(row["bytes"]), "y": y(row["recall"]), "lower": y(row.get("lower") or row["recall"]),
            "upper": y(row.get("upper") or row["recall"]), "front": bool(row.get("front")), "winner": row is chosen,
            "row": row,
        }
        for row in rows
    ]  # fmt: skip
    line = sorted((point for point in points if point["front"]), key=lambda point: point["x"])
    step = 0.1 if 1 - floor > 0.35 else 0.05
    ticks = [round(floor + step * i, 4) for i in range(round((1 - floor) / step) + 1)]
    return {
        "width": width, "height": height, "left": left, "right": width - right, "bottom": height - bottom, "top": top,
        "points": sorted(points, key=lambda point: (point["winner"], point["front"])),
        "front": " ".join(f"{'L' if i else 'M'}{point['x']:.1f} {point['y']:.1f}" for i, point in enumerate(line)),
        "x_ticks": [(x(2**power), 2**power) for power in range(smallest, largest + 1)],
        "y_ticks": [(y(tick), tick) for tick in ticks], "target": y(certificate["target"]),
    }  # fmt: skip
