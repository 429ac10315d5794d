"""The catalogue as Markdown: a table of methods and a page for each, from records and sources; imports no method."""

import ast
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from codomain.core.catalogue import LEGEND, PACKAGE, Entry, methods
from codomain.core.claims import SOURCES
from codomain.core.errors import UserError

COLUMNS = (
    "ours: the method's score, higher is better. floor: that of the paper's own rival with the same data and budget. "
    "peer: that of the strongest simple thing that one would otherwise do; it has no part in the verdict, but where it "
    "is the highest, the simple thing is the better choice. Scores are medians over five seeds; the verdict goes by "
    "the interval of ours minus floor over all of them."
)


def number(score: float | None) -> str:
    """Write a score for a table."""
    return "" if score is None else f"{score:.3f}"


def legend(entries: Sequence[Entry]) -> list[str]:
    """Return a line for each verdict that occurs: how often, and what it means."""
    counts = Counter(entry.verdict for entry in entries)
    return [f"{verdict} ({counts[verdict]}): {words}" for verdict, words in LEGEND.items() if counts[verdict]]


def sources(entries: Sequence[Entry]) -> str:
    """Return a sentence that counts what the methods were checked against."""
    counts = Counter(entry.words.get("checked") for entry in entries)
    said = [f"{words} ({counts[name]})" for words, name in SOURCES.items() if counts[name]]
    return f"Checked against {', '.join(said)}." if said else ""


def table(entries: Sequence[Entry], *, links: bool = False) -> str:
    """Return the table of methods with what its verdicts mean; `links` lead to the pages beside it."""
    lines = [
        "# Methods and their claims", "",
        f"{len(entries)} methods, each from a paper; the verdict is that of a claim which can be measured again.", "",
        *(f"- {line}" for line in legend(entries)), "",
        COLUMNS, "",
        sources(entries), "",
        "| method | room | verdict | ours | floor | peer |", "|---|---|---|---:|---:|---:|",
    ]  # fmt: skip
    for entry in entries:
        scores = [number(entry.to_dict()[who]) for who in ("ours", "floor", "peer")]
        name = f"[{entry.object}]({entry.slug}.md)" if links else entry.object
        lines.append(f"| {name} | {entry.room} | {entry.verdict} | {' | '.join(scores)} |")
    return "\n".join(lines) + "\n"


def page(entry: Entry) -> str:
    """Return the page of one method: what it does, its paper, its claim with every score, its documentation."""
    paper, words, record = entry.paper, entry.words, entry.record
    documentation, excused = _source(entry)
    where = f"[arXiv:{paper.arxiv}](https://arxiv.org/abs/{paper.arxiv})" if paper.arxiv else "not on arXiv"
    lines = [
        f"# {entry.object}", "",
        documentation.splitlines()[0], "",
        f"`from codomain.{entry.room} import {entry.object}`", "",
        f"{paper.authors} ({paper.year}), *{paper.title}*, {where}.", "",
    ]  # fmt: skip
    if paper.theirs:
        lines += [f"The paper's own number, in its own setting: {paper.theirs}.", ""]
    if record:
        lines += [
            "## Its claim", "", words["says"], "",
            f"**{entry.verdict}**: {LEGEND[entry.verdict]}.", "",
            *_found(entry), f"- floor: {words['floor']}", f"- peer: {words['peer']}", f"- score: {words['unit']}",
            *([f"- needs: {', '.join(words['needs'])}"] if "needs" in words else []),
            f"- again: `codomain claims run {entry.room}/{entry.slug}`", "",
            "| seed | premise | ours | floor | peer | chance |", "|---:|---:|---:|---:|---:|---:|",
        ]  # fmt: skip
        rows = zip(record.seeds, record.premise, record.ours, record.floor, record.peer, record.chance, strict=True)
        lines += [f"| {seed} | {' | '.join(map(number, scores))} |" for seed, *scores in rows]
        made = ", ".join(f"{library} {version}" for library, version in record.versions.items())
        lines += [f"\n{name}: {', '.join(map(number, values))}" for name, values in record.also.items()]
        lines += ["", f"Measured {record.date}: {made}.", ""]
    else:
        lines += [f"**{entry.verdict}**: {entry.no_claim or LEGEND[entry.verdict]}.", ""]
    lines += [f"Excused from scikit-learn's `{check}`: {why}.\n" for check, why in excused.items()]
    return "\n".join([*lines, "## Documentation", "", "```text", documentation, "```", ""])


def _found(entry: Entry) -> list[str]:
    """Return the premise and the gap of a claim that was run, a line each."""
    gap, words, record = entry.gap, entry.words, entry.record
    if not gap or not record:
        return []
    return [
        f"- premise: {words['premise']}: {number(record.middle('premise'))}, needed {words['least']:g}",
        f"- ours - floor: {number(gap.mean)}, 95 % interval {number(gap.low)} to {number(gap.high)}; "
        f"margin {words['margin']:g}",
    ]


def _source(entry: Entry) -> tuple[str, dict[str, str]]:
    """Return the docstring of a method and the checks that it is excused from, read from its source."""
    path = PACKAGE / entry.room / entry.slug.replace("-", "_")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.exists():
        raise UserError(f"{entry.path} belongs to no method.", needed=str(path))
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == entry.object:
            values = {ast.unparse(part.target): part.value for part in node.body if isinstance(part, ast.AnnAssign)}
            excused = values.get("excused")
            return ast.get_docstring(node) or "", ast.literal_eval(excused) if excused else {}
    raise UserError(f"{path} defines no {entry.object}, which {entry.path} names.", needed="its class or function")


def write_pages(folder: Path) -> None:
    """Write `index.md` and `<slug>.md` of every method into a folder, which is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = methods()
    for entry in entries:
        (folder / f"{entry.slug}.md").write_text(page(entry), encoding="utf-8")
    (folder / "index.md").write_text(table(entries, links=True), encoding="utf-8")
