"""Find rows by the words in their text: one sqlite file, ranked by BM25."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.search.engine.language import Query, phrase, quoted

_VERSION = 2  # of how texts are cut into words; an older index cannot answer for every script
_BM25_FIRST = "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? ORDER BY bm25(words), rowid LIMIT ?"


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
            self._version = self._sqlite.execute("PRAGMA user_version").fetchone()[0]
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
            sqlite.execute(f"PRAGMA user_version = {_VERSION}")
            # content='' keeps the index alone: the texts are in the space already. sqlite only splits at the blanks
            # between our words: its own tokenizers know neither words without spaces nor the vowels of Indian scripts.
            sqlite.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='ascii')")
            sqlite.execute("BEGIN")
            sqlite.executemany(
                "INSERT INTO words(rowid, text) VALUES (?, ?)",
                ((row, phrase(text or "")) for row, text in enumerate(texts)),
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
        match = " OR ".join(map(quoted, parts))
        found = self._ask("SELECT rowid, 0 FROM words WHERE words MATCH ? LIMIT ?", match, -1) if match else []
        return np.sort(np.array([row for row, _ in found], np.int64))

    def together(self, query: str) -> bool:
        """Whether some row holds all the query's telling words within ten words of each other."""
        asked = Query.parse(query)
        parts = [*asked.words, *asked.phrases]
        if not parts:
            return False
        match = "NEAR(" + " ".join(map(quoted, parts)) + ", 10)" if len(parts) > 1 else quoted(parts[0])
        match += "".join(f" NOT {quoted(part)}" for part in asked.without)
        return bool(self._ask("SELECT rowid, 0 FROM words WHERE words MATCH ? LIMIT ?", match, 1))

    def _ask(self, sql: str, match: str, limit: int) -> list[tuple[int, float]]:
        if self._version < _VERSION and not match.isascii():
            raise UserError(
                f"The index of words {self.path} was made by an earlier version, which misses words of some scripts.",
                todo="codomain study SPACE, which makes it again",
            )
        try:
            return self._sqlite.execute(sql, (match, limit)).fetchall()
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
