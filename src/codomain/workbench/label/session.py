"""A session of questions on a space, with what the answers are worth said on the way."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from codomain.classify import LearningCurve
from codomain.core import say
from codomain.space import GroupsPart, Space
from codomain.workbench.label.choose import Asker
from codomain.workbench.label.dialogue import Dialogue
from codomain.workbench.label.fit import curve_of
from codomain.workbench.label.given import Given
from codomain.workbench.label.keyboard import Keyboard
from codomain.workbench.label.ledger import Ledger


class Session:
    """Questions, answers, and a learning curve that is drawn while the person reads.

    Parameters
    ----------
    space : Space
        Whose rows are asked about.
    given : Given
        Labels that there are already.
    classes : sequence of str
        Classes that get a key from the start.
    ledger : Ledger
        Where answers go.
    """

    def __init__(self, space: Space, given: Given, classes: Sequence[str], ledger: Ledger) -> None:
        self.space, self.given, self.ledger = space, given, ledger
        self.endless = True
        self._thread = ThreadPoolExecutor(1)
        self._curve: Future[LearningCurve | None] | None = None
        part = space.parts.find(GroupsPart)
        asker = Asker(space.vectors, groups=part.labels if part and part.fresh else None)
        self.dialogue = Dialogue(space, asker, ledger, given.by_row, classes, Keyboard())

    def run(self, limit: int | None = None) -> Given:
        """Ask until the person stops, `limit` answers are there, or without one until more would not help."""
        if self.ledger.lost:
            say(f"{self.ledger.lost:,} answers are about rows that have changed since: left out")
        if self.ledger.answers:
            say(f"going on after {len(self.ledger.answers):,} answers of a session that was not sealed")
        self.endless = limit is None
        try:
            with self.dialogue.keyboard:
                self.dialogue.run(self._progress, limit)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)
        return self.given.with_answers(self.ledger.answers)

    def _progress(self, labels: dict[int, str]) -> bool:
        """Say how good the guesses are and what more labels would buy; True when they would not buy anything."""
        given = self.given.with_answers(self.ledger.answers)
        right, asked = given.checked
        if asked:
            most = max(np.unique(given.labels, return_counts=True)[1]) / len(given.labels)
            say(f"of {asked} rows drawn at random the guess was right for {right}; the commonest class is {most:.0%}")
        if self._curve is None:
            self._curve = self._thread.submit(curve_of, np.asarray(self.space.vectors[given.rows]), given.labels)
        if self.dialogue.keyboard.live and not self._curve.done():
            return False  # nobody waits for a curve: it is told after the next ten answers
        curve, self._curve = self._curve.result(), None
        if curve is None:
            return False
        for line in curve.says[:2]:
            say(line)
        return bool(curve.flat) and self.endless


@contextmanager
def questions(space: Space, given: Given, classes: Sequence[str]) -> Iterator[Session]:
    """Open the ledger of a space for one session."""
    with Ledger(space.path, space.hashes) as ledger:
        yield Session(space, given, classes, ledger)
