"""The command that lists the generations of a space."""

from dataclasses import asdict

import codomain
from codomain.cli.options import AsJson, SpacePath
from codomain.cli.printing import local_time, one_line, print_json, print_table, size


def log(space: SpacePath, as_json: AsJson = False) -> None:
    """List what was written when."""
    opened = codomain.open(space)
    entries = opened.log()
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    lines = [
        [
            f"{entry.number}{' (now)' if entry.number == opened.generation else ''}",
            local_time(entry.when),
            f"{entry.rows:,}",
            size(entry.bytes),
            "yes" if entry.studied else "no",
            one_line(entry.note),
        ]
        for entry in entries
    ]
    print_table(("generation", "written", "rows", "size", "studied", "what was done"), lines)
    print(f"To return to one of them: codomain rollback {one_line(str(space))} NUMBER")
