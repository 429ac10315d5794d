"""Ask a person about one row after another; every answer is on the disk before the next row is shown."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from codomain.space import Space
from codomain.workbench.label.choose import Asker, Question
from codomain.workbench.label.classes import spelling_key
from codomain.workbench.label.keyboard import COMMANDS, Keyboard, key_of
from codomain.workbench.label.ledger import Ledger

LINES = 4  # of the terminal that a row's text may fill
EVERY = 10  # answers between two looks at the learning curve


class Dialogue:
    """A session of questions on a terminal or over a pipe; it talks on stderr.

    Parameters
    ----------
    space : Space
        Whose rows are asked about.
    asker : Asker
        What chooses them.
    ledger : Ledger
        Where answers go.
    given : dict of int to str
        Labels of earlier sessions, by row.
    classes : sequence of str
        Classes that get a key from the start.
    keyboard : Keyboard
        Where answers come from.
    """

    def __init__(
        self, space: Space, asker: Asker, ledger: Ledger, given: dict[int, str], classes: Sequence[str],
        keyboard: Keyboard,
    ) -> None:  # fmt: skip
        self.space, self.asker, self.ledger, self.keyboard = space, asker, ledger, keyboard
        self.before = given
        self.console = Console(stderr=True, highlight=False, markup=False)
        self.keys: dict[str, str] = {}  # by class
        for name in [*classes, *given.values(), *(answer.label for answer in ledger.answers if answer.label)]:
            self._meet(name)

    @property
    def labels(self) -> dict[int, str]:
        """Every label so far, by row."""
        return self.before | {answer.row: answer.label for answer in self.ledger.answers if answer.label is not None}

    def run(self, progress: Callable[[dict[int, str]], bool], limit: int | None = None) -> None:
        """Ask until the person stops, the limit is met, or `progress` says that it is enough.

        Parameters
        ----------
        progress : callable
            Called with all labels after every ten answers; it reports, and returns whether to stop.
        limit : int, optional
            Answers to this session at most.
        """
        first, looked = len(self.labels), len(self.labels)
        while limit is None or len(self.labels) - first < limit:
            labels = self.labels
            if len(labels) - looked >= EVERY:
                looked = len(labels)
                if progress(labels):
                    return
            passed = [answer.row for answer in self.ledger.answers if answer.label is None]
            question = self.asker.ask(labels, passed)
            if question is None:
                self._tell("Every row that could be asked about has been.")
                return
            self._show(question)
            if not self._settle(question):
                return

    def _settle(self, question: Question) -> bool:
        """Read keys until one of them settles the question; False when the person stops."""
        while True:
            typed = self.keyboard.key()
            if typed is None or typed == "q":
                return False
            if typed == "u":
                self._undo()
                return True  # the row whose answer was taken back comes up again
            if typed == "s":
                self.ledger.add(question.row, None)
                return True
            by_key = {key: name for name, key in self.keys.items() if key}
            name = by_key.get(typed) or (typed if typed in self.keys else None)
            name = self._new() if typed == "n" else name
            if name:
                self._tell(f"= {name}")
                self.ledger.add(question.row, name, fair=question.fair, guess=question.guess)
                return True
            if typed and typed != "n":
                self._tell(f"{typed!r} is no key here: {self._legend()}")

    def _undo(self) -> None:
        answer = self.ledger.undo()
        self._tell(f"taken back: {answer.label or 'skipped'}" if answer else "nothing to take back")

    def _new(self) -> str | None:
        """Ask for a name; one that differs from a known one only in capitals or Unicode form is that one."""
        self.console.print("name of the class: ", end="")
        name = " ".join((self.keyboard.line() or "").split())
        if not spelling_key(name):
            self._tell("a class needs a name")
            return None
        name = next((known for known in self.keys if spelling_key(known) == spelling_key(name)), name)
        self._meet(name)
        return name

    def _meet(self, name: str) -> None:
        if name not in self.keys:
            self.keys[name] = key_of(name, list(self.keys.values()))

    def _legend(self) -> str:
        classes = [f"[{key}] {name}" if key else f"[n] {name}" for name, key in self.keys.items()]
        return "  ".join([*classes, *(f"[{key}] {what}" for key, what in COMMANDS.items())])

    def _show(self, question: Question) -> None:
        """Show the row, what the head thinks of it unless the answer is to measure the head, and the keys."""
        self._tell("")
        self._tell(self._row(question.row, LINES), style="bold")
        if question.fair:
            self._tell("drawn at random to measure the guesses, so none is shown", style="dim")
        elif question.guess is not None and question.nearest is not None:
            like = f"{self.labels[question.nearest]}: {self._row(question.nearest, 1)}"
            self._tell(f"guess {question.guess} ({question.sure:.2f}); nearest labelled row is {like}", style="dim")
        self._tell(f"{len(self.labels)} labelled   {self._legend()}")

    def _row(self, row: int, lines: int) -> str:
        """Return id and text of a row, cut to so many lines, without characters that would move the cursor."""
        roles = self.space.roles
        table = self.space.take([row], [name for name in self.space.columns if name != roles.label])
        values = {name: table[name][0].as_py() for name in table.column_names}
        key = values.pop(self.space.columns[0])
        text = values[roles.text] if roles.text else ", ".join(f"{name}: {value}" for name, value in values.items())
        return cut(f"[{key}] {text}", lines * self.console.width - 2 * lines - (20 if lines == 1 else 0))

    def _tell(self, line: str, style: str = "") -> None:
        self.console.print(Text(line, style=style))


def cut(text: str, most: int) -> str:
    """Return text on one line of at most so many characters, and nothing in it that is not printed.

    Parameters
    ----------
    text : str
        Anything.
    most : int
        Characters.

    Returns
    -------
    str
        With an ellipsis where something was cut off.
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"
