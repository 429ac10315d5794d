"""The page of a space, which is the report that may ask its server."""

from threading import Lock
from weakref import WeakKeyDictionary

from codomain.serve.spaces import Opened, Shelf
from codomain.workbench.report import render_page
from codomain.workbench.report.opened import report_of


class Pages:
    """The page of each opened space, rendered once a generation."""

    def __init__(self, shelf: Shelf, notes: bool) -> None:
        self._shelf, self._notes, self._one = shelf, notes, Lock()
        self._kept: WeakKeyDictionary[Opened, bytes] = WeakKeyDictionary()

    def of(self, opened: Opened) -> bytes:
        """Return the HTML."""
        with self._one:
            if opened not in self._kept:
                server = {
                    "space": opened.name, "spaces": self._shelf.names, "notes": self._notes,
                    "encodes": opened.space.encoder.encodes,
                }  # fmt: skip
                page = render_page(report_of(opened.space), server)
                self._kept[opened] = page.encode("utf-8", "replace")
            return self._kept[opened]
