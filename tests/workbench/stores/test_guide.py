"""The blocks of the guide that need a server run as they are written, at an address of the tests."""

import contextlib
import re
import threading
from pathlib import Path

import pytest

import codomain

TEXT = (Path(__file__).parents[3] / "docs/guide/export.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(?:py|python)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What the page's first block makes."""
    found: dict = {}
    with contextlib.chdir(tmp_path_factory.mktemp("guide")):
        exec(BLOCKS[0], found)
        found["space"] = codomain.open(Path("papers.space").resolve())
    return found


def block(about):
    (found,) = (one for one in BLOCKS[1:] if about in one)
    return found


def nearest(names):
    """Ids of the three rows nearest to the page's question, by the definition of the cosine."""
    vectors = names["space"].vectors[:].astype(float)
    cosines = vectors @ names["question"] / (vectors**2).sum(axis=1) ** 0.5
    return [names["space"].ids[int(row)].as_py() for row in (-cosines).argsort()[:3]]


def test_the_block_for_postgresql_finds_the_nearest_rows(names, postgres, server, capsys):
    postgres.run("alter database mine set search_path to public, extras")  # as where the extension is usually made
    shown = block("psycopg")
    assert "postgres://me@localhost/mydb" in shown
    exec(shown.replace("postgres://me@localhost/mydb", server), dict(names))
    hits = eval(capsys.readouterr().out, {})
    assert [hit[0] for hit in hits] == nearest(names) and hits[0][2] in (*names["space"].parts.groups.names, None)
    assert 0.3 < hits[1][3] <= hits[0][3] <= 1


def test_the_block_for_qdrant_finds_the_nearest_rows(names, qdrant, capsys):
    shown = block("qdrant_client")
    assert shown.count("http://localhost:6333") == 2
    exec(shown.replace("http://localhost:6333", qdrant.url), dict(names))
    for thread in threading.enumerate():
        if "_check_compatibility" in thread.name:  # the client asks for the server's version beside its work
            thread.join()
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines] == nearest(names)
