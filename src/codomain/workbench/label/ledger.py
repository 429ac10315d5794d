"""What a person has answered: one line an answer, on the disk before the next question is asked."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from codomain.core import UserError, locked

# Beside the sealed files, not in the scratch folder: a study or a gc in between must not take a person's work away.
NAME = "answers.jsonl"


@dataclass(frozen=True)
class Answer:
    """What was said of one row.

    Parameters
    ----------
    row : int
        Its number.
    label : str or None
        The class; None when the person passed.
    fair : bool
        Whether the row was drawn at random.
    guess : str or None
        What the head of that moment would have said.
    hash : str
        Content hash of the row: an answer is about this content, wherever it stands.
    """

    row: int
    label: str | None
    fair: bool
    guess: str | None
    hash: str


class Ledger:
    """The answers of a session that is not sealed yet; a killed one goes on from here.

    Parameters
    ----------
    space : Path
        Folder of the space.
    hashes : ndarray of shape (n_rows,)
        Content hashes of its rows.

    Attributes
    ----------
    answers : list of Answer
        In order, less those taken back.
    lost : int
        Answers about rows whose content has changed since; they are left out.

    Raises
    ------
    UserError
        When another session has it open.
    """

    def __init__(self, space: Path, hashes: NDArray[Any]) -> None:
        self.path, self._hashes = space / NAME, hashes
        self._file = self.path.open("ab+")
        if not locked(self._file):
            self._file.close()
            raise UserError(f"Another session is labelling {space}.", needed="one person at a time")
        self._file.seek(0)
        data = self._file.read()
        whole = data.rfind(b"\n") + 1  # what follows was cut short by a kill in mid-write
        self._file.truncate(whole)
        answers: list[Answer] = []
        for line in data[:whole].decode().splitlines():
            record = json.loads(line)
            if "undo" in record:
                at = max(place for place, answer in enumerate(answers) if answer.row == record["undo"])
                del answers[at]
            else:
                answers.append(Answer(**record))
        self.answers = [a for a in answers if a.row < len(hashes) and self.hash_of(a.row) == a.hash]
        self.lost = len(answers) - len(self.answers)

    def hash_of(self, row: int) -> str:
        """Return the content hash of a row as text."""
        return bytes(self._hashes[row]).decode()

    def add(self, row: int, label: str | None, *, fair: bool = False, guess: str | None = None) -> None:
        """Write an answer down; it is on the disk when this returns."""
        answer = Answer(row, label, fair, guess, self.hash_of(row))
        self._write(asdict(answer))
        self.answers.append(answer)

    def undo(self) -> Answer | None:
        """Take the last answer back, or return None when there is none."""
        if not self.answers:
            return None
        self._write({"undo": self.answers[-1].row})
        return self.answers.pop()

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def remove(self) -> None:
        """Forget the answers once they are sealed elsewhere."""
        if os.name == "nt":  # where no open file can be removed; elsewhere the lock holds until it is gone
            self._file.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the next session open it; an empty one leaves no file."""
        if not self.answers:
            self.remove()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
