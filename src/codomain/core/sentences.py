"""Cut texts into sentences."""

import re


def sentences(text: str) -> list[str]:
    """Cut a text at full stops, question and exclamation marks before white space, and at empty lines.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        Its sentences, white space made single, none empty.
    """
    return [" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n\s*\n", text) if part.strip()]
