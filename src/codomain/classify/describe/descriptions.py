"""What each class looks like, in sentences: from a file, a language model, WordNet or the classes' own texts."""

import csv
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.classify.describe.sentences import typical_sentences
from codomain.core import UserError
from codomain.core.sentences import sentences

PROMPT = (
    "What tells {name} apart from similar things? Answer with five short descriptions, one on each line, "
    "without numbering and without the words {name}."
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])?\s*")


class Descriptions(Mapping[str, list[str]]):
    """Sentences that describe each class, in the order in which they came.

    Parameters
    ----------
    of : Mapping of str to sequence of str
        Class to its sentences, at least one each.

    Raises
    ------
    UserError
        When a class has no sentence or something else is not text.

    Examples
    --------
    >>> birds = Descriptions({"robin": ["a red breast"], "crow": ["black all over", "a loud call"]})
    >>> texts, classes = birds.rows("{name}, which has {text}")
    >>> texts[-1], classes[-1]
    ('crow, which has a loud call', np.str_('crow'))
    """

    def __init__(self, of: Mapping[str, Sequence[str]]) -> None:
        for name, texts in of.items():
            whole = isinstance(texts, Sequence) and not isinstance(texts, str)
            if not (isinstance(name, str) and whole and texts and all(isinstance(one, str) and one for one in texts)):
                raise UserError(f"The class {name!r} has {texts!r}.", needed="a list of at least one sentence")
        self._of = {name: list(texts) for name, texts in of.items()}

    def __getitem__(self, name: str) -> list[str]:
        return self._of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)

    def rows(self, form: str = "{text}") -> tuple[list[str], NDArray[np.str_]]:
        """Return all sentences in a form that may hold {name} and {text}, and the class of each."""
        pairs = [(name, text) for name, texts in self.items() for text in texts]
        texts = [form.replace("{name}", name).replace("{text}", text) for name, text in pairs]
        return texts, np.array([name for name, _ in pairs], dtype=np.str_)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read .json or .toml (class to list of sentences) or .csv (columns class and description)."""
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
            if file.suffix == ".csv":
                table: dict[str, list[str]] = {}
                for row in csv.DictReader(text.splitlines()):
                    table.setdefault(row["class"], []).append(row["description"])
                return cls(table)
            if file.suffix in (".json", ".toml"):
                return cls(json.loads(text) if file.suffix == ".json" else tomllib.loads(text))
        except (OSError, KeyError, AttributeError, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
            raise UserError(
                f"{file} cannot be read as descriptions: {error!r}.",
                needed="class to list of sentences in .json or .toml, or the columns class and description in .csv",
            ) from None
        raise UserError(f"{file} ends in {file.suffix!r}.", needed=".json, .toml or .csv")

    def save(self, path: str | Path) -> Path:
        """Write .json, .toml or .csv, as the path ends; `from_file` reads it again."""
        file = Path(path)
        if file.suffix == ".csv":
            with file.open("w", encoding="utf-8", newline="") as out:
                rows = [(name, text) for name, texts in self.items() for text in texts]
                csv.writer(out, lineterminator="\n").writerows([("class", "description"), *rows])
        elif file.suffix == ".json":
            file.write_text(json.dumps(self._of, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        elif file.suffix == ".toml":  # a JSON string is a TOML string, but for the delete character
            lines = [f"{_json(name)} = [{', '.join(map(_json, texts))}]\n" for name, texts in self.items()]
            file.write_text("".join(lines), encoding="utf-8")
        else:
            raise UserError(f"{file} ends in {file.suffix!r}.", needed=".json, .toml or .csv")
        return file

    @classmethod
    def from_endpoint(
        cls, classes: Iterable[str], url: str, model: str, *, prompt: str = PROMPT, **options: Any
    ) -> Self:  # fmt: skip
        """Ask an OpenAI-compatible server about each class; each line of an answer is a description.

        Parameters
        ----------
        classes : iterable of str
            Names to put at {name} in the prompt; nothing but the prompts is sent to the server.
        url, model : str
            As in "http://localhost:8000/v1"; the key is read from the environment variable CODOMAIN_API_KEY.
        prompt : str
            The question, with {name}.
        **options : Any
            `tries`, `pause` and `timeout` in seconds.

        Returns
        -------
        Descriptions
            Without numbering and bullets.

        Raises
        ------
        UserError
            When the server gives no answer, or an empty one.
        """
        from codomain.classify.describe.chat import Chat

        if "{name}" not in prompt:
            raise UserError(f"The prompt {prompt!r} asks the same about every class.", needed="{name} in it")
        chat = Chat(url, model, **options)
        found = {}
        for name in classes:
            lines = [_BULLET.sub("", line).strip() for line in chat.ask(prompt.replace("{name}", name)).splitlines()]
            found[name] = [line for line in lines if line]
            if not found[name]:
                raise UserError(f"The answer about {name!r} is empty.", todo="word the prompt differently")
        return cls(found)

    @classmethod
    def from_glosses(
        cls, classes: Iterable[str], *, lexname: str | None = None, folder: str | Path | None = None
    ) -> Self:  # fmt: skip
        """Take the definitions of every sense that WordNet has of each class's name.

        Parameters
        ----------
        classes : iterable of str
            Words or phrases as WordNet spells them, in any case.
        lexname : str, default=None
            Keep only senses of one topic, such as "noun.animal"; None keeps all.
        folder : str or Path, default=None
            Where WordNet's data files are; None takes the place where Debian installs them.

        Returns
        -------
        Descriptions
            Definitions in WordNet's order.

        Raises
        ------
        UserError
            When WordNet is not installed or lacks a name.
        """
        from codomain.data import wordnet_glosses

        names = list(classes)
        found: dict[str, list[str]] = {name.lower(): [] for name in names}
        table = wordnet_glosses(folder) if folder else wordnet_glosses()
        for words, gloss, topic in zip(*(table[key].to_pylist() for key in ("words", "gloss", "lexname")), strict=True):
            for word in {word.lower() for word in words} & found.keys() if lexname in (None, topic) else ():
                found[word].append(gloss)
        if missing := [name for name in names if not found[name.lower()]]:
            where = f" among {lexname}" if lexname else ""
            raise UserError(f"WordNet has no {', '.join(map(repr, missing))}{where}.", todo="use other words for them")
        return cls({name: found[name.lower()] for name in names})

    @classmethod
    def from_texts(cls, texts: Sequence[str], labels: ArrayLike, encoder: Any, n_kept: int = 5) -> Self:
        """Keep each class's most typical sentences: those whose vectors are most similar to the mean of all of them.

        Parameters
        ----------
        texts : sequence of str
            Texts of the classes.
        labels : array-like of str of shape (n_texts,)
            Their classes.
        encoder : Encoder
            Makes vectors of sentences: an object with `encode`.
        n_kept : int, default=5
            Sentences of each class at most.

        Returns
        -------
        Descriptions
            The most typical sentence of each class first, no sentence twice.
        """
        cut = {str(label): dict[str, None]() for label in np.asarray(labels)}
        for text, label in zip(texts, np.asarray(labels), strict=True):
            cut[str(label)] |= dict.fromkeys(sentences(text))
        return cls({name: typical_sentences(list(texts), encoder, n_kept) for name, texts in cut.items()})


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
