"""What a study found, drawn with matplotlib: each function draws on axes and returns them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from codomain.core import UserError, need, visible
from codomain.space import HealthPart, LabelsPart, MapPart, ShrinkPart, Space
from codomain.workbench.found import found_columns
from codomain.workbench.screen import GREY, color_of, names_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED = 12  # groups whose names stand on the map
_COLORED = 12  # values of a column that have a color of their own
_INK, _SOFT, _MARK = "#13201d", "#4d5d58", "#0a6b5a"


def _axes(ax: "Axes | None", width: float, height: float) -> "Axes":
    need("matplotlib", "plot")
    if ax is not None:
        return ax
    return need("matplotlib.pyplot", "plot").subplots(figsize=(width, height), layout="constrained")[1]


def plot_map(space: Space, ax: "Axes | None" = None, *, color: str = "group") -> "Axes":
    """Draw the map: a dot a row, and the names of the largest groups where their rows lie.

    Parameters
    ----------
    space : Space
        A studied space.
    ax : Axes, optional
        Where to draw; a new figure by default.
    color : str, default="group"
        Column, of the table or of what the study found, by whose values dots are colored: a scale for numbers, a
        color each for the 12 most frequent values of another.

    Returns
    -------
    Axes
        Of the map; its two directions have no meaning of their own.

    Raises
    ------
    UserError
        When there is no map, no such column, or no matplotlib.
    """
    part = space.part(MapPart.name)
    assert isinstance(part, MapPart)
    xy, how = np.asarray(part.xy), f"{float(part.record['kept']):.0%} of neighbours kept"
    found = found_columns(space)
    if color not in (*found, *space.columns):
        raise UserError(f"There is no column {color!r}.", needed=f"one of {', '.join((*space.columns, *found))}")
    ax = _axes(ax, 8, 6)
    size = float(np.clip(8000 / len(xy), 2, 24))
    if color == "group":
        values = np.asarray(found["group"])
        ax.scatter(xy[:, 0], xy[:, 1], s=size, c=[color_of(value) for value in values], alpha=0.6, linewidths=0)
        halo = need("matplotlib.patheffects", "plot").withStroke(linewidth=2.5, foreground="white")
        for name, (x, y) in names_on(space, xy, _NAMED):
            text = ax.text(x, y, name.replace("$", r"\$"), ha="center", va="center", fontsize=8, color=_INK)
            text.set_path_effects([halo])
    else:
        column = found[color] if color in found else space.rows([color]).column(color)
        _color_by(column, color, xy, size, ax)
    ax.set_title(f"{space.path.stem}: {len(xy):,} rows, {how}", loc="left", color=_INK, fontsize=11)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal", adjustable="datalim")
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def _color_by(column: Any, name: str, xy: Any, size: float, ax: Any) -> None:
    values = np.asarray(column.to_pylist(), dtype=object)
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) and len(numbers) + sum(value is None for value in values) == len(values):
        scale = ax.scatter(xy[:, 0], xy[:, 1], s=size, c=values.astype(float), cmap="viridis", alpha=0.7, linewidths=0)
        ax.figure.colorbar(scale, ax=ax, label=name, shrink=0.7)
        return
    words = np.array(["none" if value is None else visible(str(value)) for value in values])
    kinds, counts = np.unique(words, return_counts=True)
    top = kinds[np.argsort(-counts, kind="stable")[:_COLORED]]
    rest = ~np.isin(words, top)
    if rest.any():
        ax.scatter(
            xy[rest, 0], xy[rest, 1], s=size, c=GREY, alpha=0.4, linewidths=0, label=f"{len(kinds) - len(top):,} others"
        )
    for number, kind in enumerate(top):
        ax.scatter(
            xy[words == kind, 0],
            xy[words == kind, 1],
            s=size,
            c=color_of(number),
            alpha=0.7,
            linewidths=0,
            label=kind[:30],
        )
    ax.legend(title=name, fontsize=8, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def plot_front(space: Space, ax: "Axes | None" = None) -> "Axes":
    """Draw the certificate: recall against bytes a row of every form that was tried, with its 95 % interval.

    Parameters
    ----------
    space : Space
        A studied space.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Bytes on a logarithmic axis; the winner and the target are marked.

    Raises
    ------
    UserError
        When there is no certificate, or no matplotlib.
    """
    part = space.part(ShrinkPart.name)
    assert isinstance(part, ShrinkPart)
    certificate = part.certificate
    rows, winner = certificate["rows"], certificate["winner"]
    ax = _axes(ax, 7.5, 4.5)
    for front in (False, True):
        some = [row for row in rows if bool(row["front"]) is front]
        size, recall = ([row[name] for row in some] for name in ("bytes", "recall"))
        spread = [[max(0.0, row["recall"] - (row["lower"] or row["recall"])) for row in some],
                  [max(0.0, (row["upper"] or row["recall"]) - row["recall"]) for row in some]]  # fmt: skip
        ax.errorbar(size, recall, spread, fmt="o", ms=5 if front else 3.5, lw=1, color=_MARK if front else GREY,
                    label="fewest bytes at its recall" if front else "other forms")  # fmt: skip
    line = sorted((row["bytes"], row["recall"]) for row in rows if row["front"])
    ax.plot(*zip(*line, strict=True), color=_MARK, lw=1, alpha=0.5)
    if winner is not None:
        ax.plot(rows[winner]["bytes"], rows[winner]["recall"], "*", ms=15, color="#c98a2b", mec=_INK, mew=0.6,
                label=f"chosen: {rows[winner]['bytes']:,.0f} bytes", zorder=5)  # fmt: skip
    else:
        ax.plot([], [], " ", label="none is proved to reach it")
    ax.axhline(certificate["target"], color=_SOFT, lw=1, ls="--", label=f"target {certificate['target']:.2f}")
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_xlabel("bytes a row")
    ax.set_ylabel(f"recall of the {certificate['k']} nearest")
    ax.set_title(f"{space.path.stem}: how small it can be", loc="left", color=_INK, fontsize=11)
    ax.legend(fontsize=8, loc="lower right", frameon=False)
    return ax


_VERDICTS = {"good": "#1a7341", "watch": "#8a5600", "bad": "#b3261c"}


def plot_health(space: Space, ax: "Axes | None" = None) -> "Axes":
    """Draw each measure of health with its 95 % interval, beside what chance gives.

    Parameters
    ----------
    space : Space
        A studied space.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        A line a measure, each on a scale of its own that ends at its largest mark; the number stands at the right.

    Raises
    ------
    UserError
        When its health was not measured, or there is no matplotlib.
    """
    part = space.part(HealthPart.name)
    assert isinstance(part, HealthPart)
    measures = part.measures[::-1]
    ax = _axes(ax, 8, 0.42 * len(measures) + 1.3)
    for place, one in enumerate(measures):
        marks = {name: one[name] for name in ("value", "low", "high", "null") if one[name] is not None}
        low, high = min(0.0, *marks.values()), max(0.0, *marks.values())
        at = {name: (mark - low) / ((high - low) or 1.0) for name, mark in marks.items()}
        color = _VERDICTS.get(one["verdict"], _SOFT)
        ax.plot([0, 1], [place, place], color="#d7dfdc", lw=1, zorder=1)
        if "low" in at and "high" in at:
            ax.plot([at["low"], at["high"]], [place, place], color=color, lw=4, alpha=0.4, solid_capstyle="round")
        ax.plot(at["value"], place, "o", color=color, ms=7, zorder=3)
        if "null" in at:
            ax.plot(at["null"], place, "|", color=_INK, ms=14, mew=1.6, zorder=2)
        says = f"{one['value']:.3g} {one['unit']}"
        says = says if len(says) <= 45 else f"{says[:44]}…"
        ax.text(1.04, place, says, va="center", fontsize=8, color=color)
    ax.set_yticks(range(len(measures)), [one["title"] for one in measures], fontsize=9)
    ax.set_ylim(-0.8, len(measures) - 0.2)
    ax.set_xlim(-0.03, 1.95)
    ax.set_xticks([])
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    legend = "dot: this space, with its interval; upright line: by chance; each measure from 0 to its largest mark"
    ax.set_xlabel(legend, fontsize=8, color=_SOFT, loc="left")
    ax.set_title(f"{space.path.stem}: health", loc="left", color=_INK, fontsize=11)
    return ax


def plot_learning_curve(space: Space, ax: "Axes | None" = None) -> "Axes":
    """Draw accuracy on rows left out against the number of labels, with its 95 % interval.

    Parameters
    ----------
    space : Space
        A space that `codomain label` has labelled.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The dashed line is the share right of always saying the commonest class.

    Raises
    ------
    UserError
        When the space has no labels or too few for a curve, or there is no matplotlib.
    """
    part = space.part(LabelsPart.name)
    assert isinstance(part, LabelsPart)
    curve = part.record["curve"]
    if curve is None:
        raise UserError(
            f"{space.path} has no learning curve.", needed="more labels that people gave",
            todo=f"codomain label {space.path}",
        )  # fmt: skip
    ax = _axes(ax, 7, 4.2)
    ax.fill_between(curve["n"], curve["low"], curve["high"], color=_MARK, alpha=0.15, lw=0)
    ax.plot(curve["n"], curve["accuracy"], "o-", color=_MARK, ms=5, label="accuracy")
    ax.plot(curve["n"], curve["balanced"], "s--", color="#6f6fa8", ms=4, lw=1, label="mean over classes")
    ax.axhline(curve["majority"], color=_SOFT, lw=1, ls=":", label="always the commonest class")
    ax.set_xlabel("labels that heads were fitted to")
    ax.set_ylabel("share right on rows left out")
    ax.set_title(f"{space.path.stem}: what more labels would give", loc="left", color=_INK, fontsize=11)
    ax.legend(fontsize=8, loc="lower right", frameon=False)
    return ax
