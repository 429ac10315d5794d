"""Run what a page shows."""

import re


def run_blocks(page):
    """Run a page's blocks of Python one after another, as a reader would."""
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict = {"__name__": "__page__"}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    return len(blocks)
