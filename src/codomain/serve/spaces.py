"""The spaces that are served: each opened once a generation, and looked at again when a file of it has changed."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock, local
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import codomain.space
from codomain.core import EncoderIdentity, UserError, say
from codomain.encode import Encoder
from codomain.search import Keywords, Null
from codomain.space import AuditPart, GroupsPart, IndexPart, Space
from codomain.workbench.encoders import check_studied, encoder_of
from codomain.workbench.found import found_columns
from codomain.workbench.search import find_studied, index_of

RESERVED = {"beside", "openapi.json"}  # addresses of the server's own
IN_MEMORY = 2**30  # bytes of vectors that are read whole; of a larger space they are read through a map
Look = dict[Path, tuple[int, int, int]]  # of each file: its number on the disk, its size, when it was written


class UnreadableError(Exception):
    """A space cannot be read now; the cause says why."""

    def __init__(self, cause: UserError) -> None:
        self.cause = cause
        super().__init__(str(cause))


class Encoders:
    """Encoders, loaded when first needed and kept; one question at a time is encoded."""

    def __init__(self) -> None:
        self._one = Lock()
        self._kept: dict[EncoderIdentity, Encoder] = {}

    def of(self, space: Space) -> Encoder | None:
        """Return a space's encoder, or None when its vectors came without one.

        Raises
        ------
        UserError
            When it is not installed, not the one that made the space, or not trusted on this machine.
        """
        with self._one:
            if space.encoder not in self._kept:
                maker = encoder_of(space)
                if maker is None:
                    return None
                self._kept[space.encoder] = maker
            return _Alone(self._kept[space.encoder], self._one)


@dataclass(frozen=True)
class _Alone:
    """An encoder that one thread uses at a time: of several libraries, some are not made for more."""

    encoder: Encoder
    lock: Any

    @property
    def identity(self) -> EncoderIdentity:
        return self.encoder.identity

    @property
    def batch_rows(self) -> int:
        return self.encoder.batch_rows

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        with self.lock:
            return self.encoder.encode(texts, query=query)


class Opened:
    """One generation of a space, with what is kept between requests.

    Parameters
    ----------
    name : str
        What the space is called here.
    space : Space
        A studied generation.
    notes : list of str
        What a person should know about it, such as that a study is under way.
    encoders : Encoders
        Where its encoder is kept.

    Attributes
    ----------
    when : str
        When this generation was written, in ISO format.
    """

    def __init__(self, name: str, space: Space, notes: list[str], encoders: Encoders) -> None:
        self.name, self.space, self.notes = name, space, notes
        self.when = {entry.number: entry.when for entry in space.log()}[space.generation]  # gc may forget it later
        self._encoders, self._mine = encoders, local()

    def encoder(self) -> Encoder | None:
        """Return what made its vectors; see `Encoders.of`."""
        return self._encoders.of(self.space)

    @property
    def keywords(self) -> Keywords | None:
        """The index of words; each thread has the file open for itself, as sqlite answers one question at a time."""
        part = self.space.parts.find(IndexPart)
        if part is None or IndexPart.keywords not in part:
            return None
        if not hasattr(self._mine, "keywords"):
            self._mine.keywords = Keywords(part.keywords)
        found: Keywords = self._mine.keywords
        return found

    @cached_property
    def null(self) -> Null | None:
        """What unrelated rows and questions score here."""
        part = self.space.parts.find(IndexPart)
        return Null.from_dict(part.null) if part and IndexPart.null in part else None

    @cached_property
    def index(self) -> Any:
        """What names the candidates in a very large space; see `index_of`."""
        return index_of(self.space)

    @cached_property
    def found(self) -> dict[str, pa.Array]:
        """What the study found of each row, by column."""
        found = found_columns(self.space)
        return {name: pa.concat_arrays([values, values[:0]]) for name, values in found.items()}  # copies, no maps

    @cached_property
    def schema(self) -> pa.Schema:
        """Names and types of the columns of the table."""
        return self.space.take([0]).schema

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Each row's group, -1 for none."""
        part = self.space.parts.find(GroupsPart)
        return np.full(len(self.space), -1) if part is None else np.array(part.labels, np.int64)

    @cached_property
    def group_records(self) -> list[Any]:
        """The groups, the largest first."""
        part = self.space.parts.find(GroupsPart)
        return list(part.groups) if part else []

    @cached_property
    def group_names(self) -> dict[int, str]:
        """Their names by number."""
        return {group["id"]: group["name"] for group in self.group_records}

    @cached_property
    def flags(self) -> NDArray[np.int64]:
        """Each row's flags, a sum of the bits of `codomain.space.FLAGS`."""
        part = self.space.parts.find(AuditPart)
        return np.zeros(len(self.space), np.int64) if part is None else np.array(part.flags, np.int64)


class Shelf:
    """Spaces by name.

    Parameters
    ----------
    paths : sequence of Path
        Their folders.

    Raises
    ------
    UserError
        When one of them cannot be opened, or has not been studied.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._encoders = Encoders()
        self._places = {name: _Place(name, path, self._encoders) for name, path in name_spaces(paths).items()}
        for name in self._places:
            try:
                self._places[name].open(aloud=False)
            except UnreadableError as error:
                raise error.cause from None

    @property
    def names(self) -> list[str]:
        """What the spaces are called, in the order given."""
        return list(self._places)

    def open(self, name: str) -> Opened:
        """Return the present generation of a space.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        Opened
            The one of before where no file has changed.

        Raises
        ------
        KeyError
            When no space has this name.
        UnreadableError
            When it is damaged, of a newer version, or gone.
        """
        return self._places[name].open()

    def check(self, name: str) -> None:
        """Raise UnreadableError when a space cannot be read any longer, as an error of another kind may have shown."""
        if name in self._places:
            self.open(name)


class _Place:
    """One space: what was opened last, and how its files looked then."""

    def __init__(self, name: str, path: Path, encoders: Encoders) -> None:
        self.name, self.path, self._encoders = name, path, encoders
        self._one = Lock()
        self._look: Look | None = None
        self._opened: Opened | None = None
        self._failure: UserError | None = None

    def open(self, *, aloud: bool = True) -> Opened:
        look, opened = self._look, self._opened
        if opened is not None and look and all(_stat(path) == seen for path, seen in look.items()):
            return opened
        with self._one:  # the others wait for the one who opens it
            now = look_at(self.path)
            if now != self._look:
                self._reopen(now)
                if aloud and self._failure is not None:
                    say(f"{self.name}: {self._failure}")
            if self._opened is None:
                assert self._failure is not None  # `_reopen` has set one of them
                raise UnreadableError(self._failure)
            return self._opened

    def _reopen(self, look: Look) -> None:
        try:
            space, notes = find_studied(codomain.space.open(self.path))
            if not space.studied:
                check_studied(space)
                raise UserError(f"{self.path} is not studied.", todo=f"codomain study {shlex.quote(str(self.path))}")
            if len(space) * space.shape[1] * space.vectors.dtype.itemsize <= IN_MEMORY:
                space.vectors.load()
            self._opened, self._failure = Opened(self.name, space, notes, self._encoders), None
        except (UserError, OSError) as error:
            self._opened, self._failure = None, _in_words(error, self.path)
        self._look = look


def _in_words(error: UserError | OSError, path: Path) -> UserError:
    if isinstance(error, UserError):
        return error
    return UserError(f"{path} cannot be read: {error.strerror or error}.", needed="a space that can be read")


def look_at(root: Path) -> Look:
    """Return how the files of a space look, without scratch and locks.

    Parameters
    ----------
    root : Path
        Folder of the space.

    Returns
    -------
    dict
        Of each file its number on the disk, its size in bytes, and when it was written.
    """
    found = Look()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "work" and not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and (seen := _stat(path)):
                found[path] = seen
    return found


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


def name_spaces(paths: Sequence[Path]) -> dict[str, Path]:
    """Return a name for each space that can stand in an address: that of its folder, and a number where two are alike.

    Parameters
    ----------
    paths : sequence of Path
        Folders.

    Returns
    -------
    dict of str to Path
        In the order given.
    """
    named: dict[str, Path] = {}
    for path in paths:
        stem = re.sub(r"[^\w-]+", "-", path.resolve().stem).strip("-") or "space"
        stem = f"{stem}-space" if stem in RESERVED else stem
        name, number = stem, 2
        while name in named:
            name, number = f"{stem}-{number}", number + 1
        named[name] = path
    return named
