"""Find rows by the words in their text: one sqlite file, ranked by BM25."""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError

# Words that say nothing of the subject; a question made of them alone is still looked up.
STOP_WORDS = frozenset(
    "a about after all an and any are as at be been but by can could did do does for from had has have how i if in "
    "into is it its me my no not of on or our should so some than that the their them then there these they this "
    "those to was we were what when where which who why will with would you your".split()
)
MOST_WORDS = 64  # sqlite refuses expressions that are nested much deeper
_BM25_FIRST = "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? ORDER BY bm25(words), rowid LIMIT ?"


@dataclass(frozen=True)
class Query:
    """A question as the person typed it, taken apart."""

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    without: tuple[str, ...]
    wanted: str  # the question less what is not wanted, as an encoder should read it

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split plain words, "quoted phrases" and -unwanted ones; nothing else has a meaning."""
        words: list[str] = []
        phrases: list[str] = []
        without: list[str] = []
        wanted: list[str] = []
        for found in re.finditer(r'(?:(?<=\s)|^)(-?)"([^"]*)"|(\S+)', text.replace("\0", " ")):
            minus, quoted, bare = found.groups(default="")
            if bare:
                minus, bare = (bare[0], bare[1:]) if bare[0] == "-" else ("", bare)
            part = (quoted or bare).replace('"', " ").strip()
            telling = any(letter.isalnum() for letter in part)
            if not (minus and telling):
                wanted.append(found[0])
            if telling:
                (without if minus else phrases if quoted else words).append(part)
        subject = [word for word in words if word.lower().strip(".,;:!?()") not in STOP_WORDS] or words
        few, close, gone = (tuple(dict.fromkeys(parts))[:MOST_WORDS] for parts in (subject, phrases, without))
        return cls(few, close, gone, " ".join(wanted) if without else text)

    def match(self) -> str:
        """Write it for sqlite: any word, every phrase, none of the unwanted."""
        parts = [f'"{phrase}"' for phrase in self.phrases]
        if self.words:
            parts.append("(" + " OR ".join(f'"{word}"' for word in self.words) + ")")
        wanted = " AND ".join(parts)
        return f"({wanted})" + "".join(f' NOT "{word}"' for word in self.without) if wanted else ""


class Keywords:
    """Full text of a space.

    Parameters
    ----------
    path : str or Path
        What `build` wrote. It is opened read-only, and nothing is written beside it.

    Raises
    ------
    UserError
        When the file is not there or is no index of words.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with Keywords.build(["read a file", "parse json"], folder.name + "/words.sqlite") as words:
    ...     words.search("JSON")[0].tolist()
    [1]
    >>> folder.cleanup()
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise UserError(f"{self.path} is not there.", needed="an index of words", todo="codomain study")
        uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
        self._sqlite = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            self._sqlite.execute("SELECT rowid FROM words WHERE words MATCH 'a' LIMIT 1").fetchall()
        except sqlite3.Error as error:
            self.close()
            raise UserError(f"{self.path} is no index of words ({error}).", todo="codomain study") from None

    @classmethod
    def build(cls, texts: Iterable[str | None], path: str | Path) -> Self:
        """Write the index: equal texts give equal bytes with equal versions of sqlite.

        Parameters
        ----------
        texts : iterable of str or None
            Text of row 0, 1, ...; None is a row without text.
        path : str or Path
            File to write; one that is there is replaced.

        Returns
        -------
        Keywords
            The index, opened.
        """
        path = Path(path)
        path.unlink(missing_ok=True)
        sqlite = sqlite3.connect(path, isolation_level=None)
        try:
            sqlite.execute("PRAGMA page_size = 4096")
            sqlite.execute("PRAGMA journal_mode = OFF")
            sqlite.execute("PRAGMA synchronous = OFF")
            # content='' keeps the index alone: the texts are in the space already.
            sqlite.execute(
                "CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
            )
            sqlite.execute("BEGIN")
            sqlite.executemany(
                "INSERT INTO words(rowid, text) VALUES (?, ?)",
                ((row, (text or "").encode("utf-8", "replace").decode()) for row, text in enumerate(texts)),
            )
            sqlite.execute("INSERT INTO words(words) VALUES ('optimize')")
            sqlite.execute("COMMIT")
            sqlite.execute("VACUUM")
        finally:
            sqlite.close()
        return cls(path)

    def search(
        self, query: str, k: int = 10, *, among: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rank the rows that hold a word of the query.

        Parameters
        ----------
        query : str
            Plain words; "quoted words" must stand together; -word must be absent. Common words such as "the" count
            only when there are no others.
        k : int, default=10
            Most rows to return.
        among : ndarray of bool, shape (n_samples,), optional
            Rows that may be returned.

        Returns
        -------
        rows : ndarray of int64, shape (at most k,)
            Best first, ties by lower number.
        scores : ndarray of float32
            BM25, higher is better.
        """
        match = Query.parse(query).match()
        found = self._ask(_BM25_FIRST, match, k if among is None else -1) if match else []
        rows = np.array([row for row, _ in found], np.int64)
        scores = np.array([score for _, score in found], np.float32)
        if among is not None:
            allowed = among[rows]
            rows, scores = rows[allowed][:k], scores[allowed][:k]
        return rows, scores

    def holding(self, parts: Sequence[str]) -> NDArray[np.int64]:
        """Rows that hold one of some words or phrases, ascending."""
        match = " OR ".join(f'"{part}"' for part in parts)
        found = self._ask("SELECT rowid, 0 FROM words WHERE words MATCH ? LIMIT ?", match, -1) if match else []
        return np.sort(np.array([row for row, _ in found], np.int64))

    def together(self, query: str) -> bool:
        """Whether some row holds all the query's telling words within ten words of each other."""
        asked = Query.parse(query)
        parts = [*asked.words, *asked.phrases]
        if not parts:
            return False
        match = "NEAR(" + " ".join(f'"{part}"' for part in parts) + ", 10)" if len(parts) > 1 else f'"{parts[0]}"'
        match += "".join(f' NOT "{part}"' for part in asked.without)
        return bool(self._ask("SELECT rowid, 0 FROM words WHERE words MATCH ? LIMIT ?", match, 1))

    def _ask(self, sql: str, match: str, limit: int) -> list[tuple[int, float]]:
        try:
            return self._sqlite.execute(sql, (match.encode("utf-8", "replace").decode(), limit)).fetchall()
        except sqlite3.DatabaseError as error:
            raise UserError(
                f"The index of words {self.path} cannot be read ({error}).", todo="codomain study"
            ) from None

    def close(self) -> None:
        """Close the file."""
        self._sqlite.close()

    def __del__(self) -> None:
        if hasattr(self, "_sqlite"):
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
