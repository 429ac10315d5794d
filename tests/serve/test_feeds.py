"""Feeds have what their formats require, and hostile texts stay texts."""

import json
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

pytest.importorskip("fastapi")

ATOM = "{http://www.w3.org/2005/Atom}"
ADDRESSES = (
    "/docs/search?q=read+a+file", "/docs/groups/0", "/docs/labels/class", "/docs/flags/outlier",
    "/docs/dates/day?by=month",
)  # fmt: skip


def check_time(text):
    assert datetime.fromisoformat(text).tzinfo is not None


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_atom_feed_has_what_rfc_4287_requires(client, address):
    answer = client.get(address, headers={"accept": "application/atom+xml"})
    root = ElementTree.fromstring(answer.content)
    assert root.tag == f"{ATOM}feed"
    rows = client.get(address).json()
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == len(rows.get("hits", rows.get("rows")))
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1 and element.find(f"{ATOM}{name}").text
        assert urlsplit(element.find(f"{ATOM}id").text).scheme == "urn"
        check_time(element.find(f"{ATOM}updated").text)
        links = [link for link in element.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert len(links) == 1 and client.get(links[0].get("href")).status_code == 200
    assert root.find(f"{ATOM}author/{ATOM}name").text
    assert len({entry.find(f"{ATOM}id").text for entry in entries}) == len(entries)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_json_feed_has_what_version_1_1_requires(client, address):
    answer = client.get(address, headers={"accept": "application/feed+json"})
    assert answer.headers["content-type"] == "application/feed+json"
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["title"]
    assert client.get(feed["feed_url"]).json()["items"] == feed["items"]
    for item in feed["items"]:
        assert item["id"] and item["content_text"]
        check_time(item["date_published"])


def test_the_dates_of_rows_are_those_of_their_column(client):
    items = client.get("/docs/dates/day?format=feed").json()["items"]
    assert items[0]["date_published"] == "2024-05-29T00:00:00Z"


def test_signs_that_xml_cannot_hold_do_not_break_a_feed():
    from codomain.serve.feeds import Feed

    row = {"id": "a\x00b", "text": "\x00\x1b]0;<script>\ud800\ufffe&", "url": "rows/1"}
    feed = Feed("t\x01", "s", "http://h/s/", "http://h/s/x", "http://h/s/y", "2024-01-01T00:00:00", [row])
    entry = ElementTree.fromstring(feed.atom()).find(f"{ATOM}entry")
    assert "<script>" in entry.find(f"{ATOM}content").text
    assert json.dumps(feed.json())
