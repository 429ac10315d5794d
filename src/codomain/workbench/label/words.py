"""What a labelled space says to the person who labelled it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codomain.space import Space


@dataclass(frozen=True)
class Labelled:
    """What `label` leaves behind.

    Parameters
    ----------
    space : Space
        With the part "labels".
    record : dict
        What was measured, as `labels.json` of the part holds it.
    """

    space: Space
    record: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the record with the path of the space."""
        return {"space": str(self.space.path), **self.record}

    def __rich_console__(self, console: Any, options: Any) -> Any:
        """Draw the classes with the share of each found among labelled rows left out, and what was measured."""
        from rich.box import SIMPLE
        from rich.table import Table

        table = Table("class", "given", "found", "labelled", "rejected", box=SIMPLE)
        for column in table.columns[1:]:
            column.justify = "right"
        for one in self.record["classes"]:
            rejected = "" if one["rejected"] is None else f"{one['rejected']:,}"
            found = "" if one["found"] is None else f"{one['found']:.0%}"
            table.add_row(one["name"], f"{one['given']:,}", found, f"{one['labelled']:,}", rejected)
        yield self.record["summary"]
        yield table
        yield "\n".join(self.record["says"])


def sentences(record: dict[str, Any], notes: Sequence[str]) -> list[str]:
    """Say what a record means to the person who labelled.

    Parameters
    ----------
    record : dict
        As `labels.json` holds it, without "says".
    notes : sequence of str
        What the head says about the labels.

    Returns
    -------
    list of str
        Accuracy, promise, curve, new classes and doubtful labels.
    """
    said = [*notes]
    if record["accuracy"] is not None:
        low, high = record["interval"]
        said.append(
            f"Right on labelled rows left out: {record['accuracy']:.1%} ({low:.1%} to {high:.1%}); "
            f"the nearest prototype: {record['baseline']:.1%}."
        )
        said += compare_to_majority(record)
    if record["blind"]["asked"]:
        said.append(
            "Of {asked} rows drawn at random the guess before the answer was right for {right}.".format(
                **record["blind"]
            )
        )
    said.append(record["promise"])
    if record["curve"]:
        said.append("Learning curve of a head that sees labels alone: " + " ".join(record["curve"]["says"]))
    for one in record["new"]:
        ids = ", ".join(map(str, one["ids"]))
        said.append(
            f"New class? {one['name']!r}: {one['size']:,} rows, {one['rejected']:.0%} of them rejected, with "
            f"{one['labelled']} labels where chance gives {one['expected']:.1f}; e.g. {ids}."
        )
    for one in record["doubtful"][:5]:
        said.append(
            f"Wrong label? {one['id']} is given {one['given']!r}; a head that has not seen it says {one['better']!r} "
            f"({one['probability']:.2f} against {one['of_given']:.2f})."
        )
    if more := len(record["doubtful"]) - 5:
        said += [f"And {more:,} more such labels: labels.json of the part has them."] if more > 0 else []
    return said


def compare_to_majority(record: dict[str, Any]) -> list[str]:
    """Hold the accuracy against always saying the commonest class.

    Parameters
    ----------
    record : dict
        As `codomain.workbench.label_space` seals it.

    Returns
    -------
    list of str
        Two sentences; none where nothing was measured, or where codomain 0.1 did not measure this.
    """
    if record.get("majority") is None or record["accuracy"] is None:
        return []
    most, balanced = record["majority"], record["balanced"]
    if most["share"] is None:
        return []
    said = f"Always saying the commonest class, {most['name']!r}, is right for {most['share']:.1%}"
    said += ": the head is not surely better." if record["interval"][0] <= most["share"] else "."
    low, high = balanced["interval"]
    even = 1 / sum(one["found"] is not None for one in record["classes"])
    return [
        said,
        f"Balanced accuracy, the mean share found of a class: {balanced['accuracy']:.1%} ({low:.1%} to {high:.1%}); "
        f"always the commonest: {even:.1%}.",
    ]
