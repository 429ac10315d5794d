"""Rows as a feed that a reader can follow: Atom (RFC 4287) and JSON Feed 1.1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from codomain.core import visible

_ATOM = "http://www.w3.org/2005/Atom"
_TITLE = 100  # characters


@dataclass(frozen=True)
class Feed:
    """What both kinds of feed say.

    Parameters
    ----------
    title : str
        What it is about.
    space : str
        Name of the space.
    base : str
        Address of the space, with a slash at its end.
    here, page : str
        Addresses of the feed and of the page with the same rows.
    updated : str
        When the rows were written, in ISO form.
    rows : sequence of dict
        With `id`, `text`, `url`, and `date` where there is one.
    """

    title: str
    space: str
    base: str
    here: str
    page: str
    updated: str
    rows: Sequence[dict[str, Any]]

    def atom(self) -> bytes:
        """Return an Atom feed."""
        ElementTree.register_namespace("", _ATOM)
        root = ElementTree.Element(f"{{{_ATOM}}}feed")
        _add(root, "id", urn(self.here))
        _add(root, "title", self.title)
        _add(root, "updated", rfc3339(self.updated))
        _add(root, "link", rel="self", href=self.here)
        _add(root, "link", rel="alternate", type="text/html", href=self.page)
        _add(_add(root, "author"), "name", self.space)
        for row in self.rows:
            entry = _add(root, "entry")
            _add(entry, "id", urn(self.base + row["url"]))
            _add(entry, "title", title_of(row))
            _add(entry, "updated", rfc3339(row.get("date") or self.updated))
            _add(entry, "link", rel="alternate", type="text/html", href=self.base + row["url"])
            _add(entry, "content", row["text"] or row["id"], type="text")
        return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)

    def json(self) -> dict[str, Any]:
        """Return a JSON Feed."""
        return {
            "version": "https://jsonfeed.org/version/1.1", "title": self.title, "home_page_url": self.page,
            "feed_url": self.here,
            "items": [
                {
                    "id": urn(self.base + row["url"]), "url": self.base + row["url"], "title": title_of(row),
                    "content_text": row["text"] or row["id"],
                    "date_published": rfc3339(row.get("date") or self.updated),
                }
                for row in self.rows
            ],
        }  # fmt: skip


def title_of(row: dict[str, Any]) -> str:
    """Return the first words of a row's text, or its id."""
    text = " ".join((row["text"] or "").split()) or row["id"]
    return text if len(text) <= _TITLE else text[: _TITLE - 1] + "…"


def urn(address: str) -> str:
    """Return a name that is the same for one address each time."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, address)}"


def rfc3339(when: str) -> str:
    """Return a time with its zone; one without is in UTC."""
    day, _, time = when.partition("T")
    time = time or "00:00:00"
    zoned = time.endswith("Z") or "+" in time or "-" in time
    return f"{day}T{time}{'' if zoned else 'Z'}"


def _add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    """Add an element; what XML cannot hold is written as its code."""
    child = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    if text is not None:
        child.text = visible(text).replace("\ufffe", "").replace("\uffff", "")
    return child
