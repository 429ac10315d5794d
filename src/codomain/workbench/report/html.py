"""One HTML file whose own policy lets a browser run its script and nothing else, and how it writes numbers."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader
from markupsafe import Markup

from codomain.core import written_aside
from codomain.workbench.label.words import compare_to_majority
from codomain.workbench.report.figures import scale
from codomain.workbench.report.recipes import explain


def write_page(
    path: str | Path, template: str, styles: Sequence[str], scripts: Sequence[str], **values: object
) -> Path:
    """Write a page whose own policy lets a browser run its script and nothing else.

    Parameters
    ----------
    path : str or Path
        The HTML file to write.
    template : str
        A file of the folder `page`.
    styles, scripts : sequence of str
        Files that are put into it, in this order.
    **values
        What the template prints; text is escaped.

    Returns
    -------
    Path
        The file.
    """
    html = page_html(template, styles, scripts, **values)
    target = Path(path)
    with written_aside(target) as new:
        new.write_text(html, encoding="utf-8", errors="replace", newline="\n")
    return target


def page_html(template: str, styles: Sequence[str], scripts: Sequence[str], **values: object) -> str:
    """Return a page whose own policy lets a browser run its script and nothing else.

    Parameters
    ----------
    template : str
        A file of the folder `page`.
    styles, scripts : sequence of str
        Files that are put into it, in this order.
    **values
        What the template prints; text is escaped.

    Returns
    -------
    str
        The HTML.
    """
    script = '(() => {\n"use strict";\n' + "\n".join(map(page_file, scripts)) + "\n})();"
    style = "\n".join(map(page_file, styles))
    return (
        environment(page_file)
        .get_template(template)
        .render(
            **values, script=Markup(script), style=Markup(style), script_hash=Markup(policy_hash(script)),
            style_hash=Markup(policy_hash(style)),
        )
    )  # fmt: skip


def page_file(name: str) -> str:
    """Return the text of a file of the folder `page`."""
    return files(__package__).joinpath("page", name).read_text("utf-8")


def environment(read: Callable[[str], str]) -> Environment:
    """Return what renders templates: every text in them is escaped, and figures are written as in a report.

    Parameters
    ----------
    read : callable
        Gives the text of a template by its name.

    Returns
    -------
    Environment
        With the filters for numbers.
    """
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_replace_controls, loader=FunctionLoader(read)
    )
    environment.globals |= {"scale": scale, "compare_to_majority": compare_to_majority}
    environment.filters |= {
        "thousands": lambda value: f"{value:,.0f}", "figure": figure, "share": share, "bytes": size, "anchor": anchor,
        "tenths": lambda value: "–" if value is None else "under 0.1%" if 0 < value < 0.0005 else f"{value:.1%}",
        "explain": explain,
        "hundredths": lambda value: "–" if value is None else f"{value:.2f}",
        "plural": lambda count, one, many=None: one if count == 1 else many or f"{one}s",
    }  # fmt: skip
    return environment


def policy_hash(content: str) -> str:
    """Return what the page's own policy lists, so that a browser runs this script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _replace_controls(value: Any) -> Any:
    """Replace what HTML cannot hold, such as NUL, in text that the template prints."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "\ufffd", value)
    return value


def figure(value: float | None) -> str:
    """Return a number with three significant digits and thousands separated; with one digit below 0.001.

    Parameters
    ----------
    value : float or None
        Any number.

    Returns
    -------
    str
        "not measured" when there is none.
    """
    if value is None or value != value:
        return "not measured"
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    if 0 < abs(value) < 1e-4:
        return "about 0"
    return f"{value:.1g}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"


def share(value: float | None) -> str:
    """Return a share of 0 to 1 in percent, finer near both ends and never rounded up to 100%."""
    if value is None or value != value:
        return "not measured"
    if 0 < value < 0.0005:
        return "under 0.1%"
    if not (0 < value < 0.1 or 0.9 < value < 1):
        return f"{value:.0%}"
    return f"{min(value, 0.999):.1%}".replace(".0%", "%")


def size(value: float) -> str:
    """Return bytes per vector for people."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def anchor(kind: str) -> str:
    """Return the name of a check's place on the page."""
    return "check-" + re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")
