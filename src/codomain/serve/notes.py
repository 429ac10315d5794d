"""Stars and notes on rows: one JSON file a space, in a folder of the person's choice and never in the space."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from codomain.core import DamagedError, UserError, locked, written_aside

LONGEST = 10_000  # characters of a note
MOST = 100_000  # rows with a note
Note = dict[str, Any]


class Notes:
    """What people have noted on rows.

    Parameters
    ----------
    folder : Path
        Where the files are; made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UserError(f"{folder} is not a folder.", needed="a folder for notes") from None
        self.folder = folder

    def read(self, space: str) -> dict[str, Note]:
        """Return the notes on a space by id of the row.

        Raises
        ------
        DamagedError
            When the file is not what was written. It is left as it is.
        """
        path = self.folder / f"{space}.json"
        try:
            rows = json.loads(path.read_bytes())["rows"]
            return {id: {"star": bool(note["star"]), "note": str(note["note"]), "when": str(note["when"])}
                    for id, note in rows.items()}  # fmt: skip
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DamagedError(f"{path} is damaged.", todo="mend it or move it away; it is not written over") from None

    def put(self, space: str, id: str, *, star: bool, note: str) -> Note:
        """Write the note on a row, in place of the one before.

        Parameters
        ----------
        space, id : str
            Names of the space and of the row.
        star : bool
            Whether it is starred.
        note : str
            Any text of up to 10,000 characters.

        Returns
        -------
        dict
            The note with its time.
        """
        if len(note) > LONGEST:
            raise UserError(f"The note has {len(note):,} characters.", needed=f"at most {LONGEST:,}")
        made = {"star": star, "note": note, "when": datetime.now(UTC).isoformat(timespec="seconds")}

        def add(rows: dict[str, Note]) -> None:
            if id not in rows and len(rows) >= MOST:
                raise UserError(f"{len(rows):,} rows have a note.", needed=f"at most {MOST:,}")
            rows[id] = made

        self._change(space, add)
        return made

    def remove(self, space: str, id: str) -> None:
        """Forget the note on a row; nothing happens where there is none."""
        self._change(space, lambda rows: rows.pop(id, None))

    def _change(self, space: str, change: Callable[[dict[str, Note]], object]) -> None:
        """Read, change and replace the file while nobody else does, in this process or another."""
        with self._lock(space):
            rows = self.read(space)
            change(rows)
            with written_aside(self.folder / f"{space}.json") as new:
                text = json.dumps({"space": space, "rows": rows}, ensure_ascii=False, indent=1)
                new.write_text(text, encoding="utf-8", errors="replace")

    @contextmanager
    def _lock(self, space: str) -> Iterator[None]:
        with (self.folder / f".{space}.lock").open("ab") as file:
            locked(file, wait=True)
            yield
