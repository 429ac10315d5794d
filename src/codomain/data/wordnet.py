"""Words and what they mean, from the WordNet that a machine has."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from codomain.core import UserError
from codomain.data.identity import hash_files

DEBIAN = Path("/usr/share/wordnet")  # where the package wordnet-base puts it
# What lexicographers' files 00 to 44 hold, in the order of WordNet's manual page lexnames(5).
_LEXNAMES = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person "
    "noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state "
    "noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition "
    "verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social "
    "verb.stative verb.weather adj.ppl"
).split()
_PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_MARK = re.compile(r"\((a|p|ip)\)$")  # where an adjective may stand; not part of the word


def _meaning(text: str) -> tuple[str, list[str]]:
    """Split a gloss into the definition and the quoted examples behind it."""
    cut = re.search(r'[;:]\s*(?=")', text)
    if not cut:
        return text, []
    return text[: cut.start()], re.findall(r'"([^"]+)"', text[cut.end() :])


def _synset(line: str, part: str) -> dict[str, Any]:
    """Read one line of a data file: numbers, words (counted in base 16), pointers (in base 10), the gloss."""
    head, _, tail = line.partition("|")
    fields = head.split()
    n_words = int(fields[3], 16)
    first = 4 + 2 * n_words
    pointers = fields[first + 1 : first + 1 + 4 * int(fields[first])]
    targets = zip(pointers[::4], pointers[1::4], pointers[2::4], strict=True)
    gloss, examples = _meaning(tail.strip())
    return {
        "id": part + fields[0],
        "words": [_MARK.sub("", word).replace("_", " ") for word in fields[4:first:2]],
        "gloss": gloss,
        "examples": examples,
        "lexname": _LEXNAMES[int(fields[1])],
        "hypernyms": [kind + number for sign, number, kind in targets if sign in ("@", "@i")],
    }


def _synsets(path: Path, part: str) -> Iterator[dict[str, Any]]:
    """Yield what a data file holds, in its order; lines of the licence begin with two spaces."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.startswith("  ") or not line.strip():
                continue
            try:
                yield _synset(line, part)
            except (IndexError, ValueError):
                raise UserError(
                    f"Line {number} of {path} is not a synset.",
                    needed="a data file of WordNet 3 as wndb(5) describes it",
                    todo="install wordnet-base again",
                ) from None


def wordnet_glosses(folder: str | Path = DEBIAN) -> pa.Table:
    """Return every sense of WordNet with its words, its definition and what it is a kind of.

    Parameters
    ----------
    folder : str or Path, default="/usr/share/wordnet"
        Where data.noun, data.verb, data.adj and data.adv are; the default is Debian's place for them.

    Returns
    -------
    pyarrow.Table
        Columns `id` (n, v, a or r and eight digits, as in n02084071), `words` (list: the synonyms), `gloss` (the
        definition), `examples` (list), `lexname` (one of 45 topics, as in noun.animal) and `hypernyms` (list of ids of
        what it is a kind of), nouns first. WordNet 3.0 has 117,659 rows; reading them takes about three seconds.

    Raises
    ------
    UserError
        When a file is missing or is not WordNet's.
    """
    root = Path(folder)
    if missing := [f"data.{name}" for name in _PARTS if not (root / f"data.{name}").is_file()]:
        raise UserError(
            f"{root} has no {', '.join(missing)}.",
            needed="the data files of WordNet 3",
            todo="apt-get install wordnet-base, or give the folder that holds them",
        )
    rows = [row for name, part in _PARTS.items() for row in _synsets(root / f"data.{name}", part)]
    words = pa.list_(pa.string())
    schema = pa.schema(
        [("id", pa.string()), ("words", words), ("gloss", pa.string()), ("examples", words),
         ("lexname", pa.string()), ("hypernyms", words)]
    )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def identity(folder: str | Path = DEBIAN) -> str:
    """Return a hash of the four data files, 16 hex digits, or "absent"."""
    return hash_files(*(Path(folder) / f"data.{name}" for name in _PARTS))
