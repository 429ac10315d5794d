"""The command that lists the generations of a space."""

from dataclasses import asdict

import codomain
from codomain.cli.options import AsJson, SpacePath
from codomain.cli.printing import print_json


def log(space: SpacePath, as_json: AsJson = False) -> None:
    """List what was written when."""
    entries = codomain.open(space).log()
    if as_json:
        print_json([asdict(entry) for entry in entries])
    else:
        for entry in entries:
            print(entry)
