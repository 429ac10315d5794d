"""Who may ask, what a page may do, and what a stranger's cell can become."""

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fastapi")

from codomain.serve.guard import Rules
from codomain.serve.html import link_cell
from codomain.serve.markdown import safe
from served import connect

NOTE = "/docs/rows/{}/note"


@pytest.fixture
def row(client):
    return client.get("/docs/groups/0").json()["rows"][0]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.1.2.3", "",
                                  "[::1", "127.0.0.1@evil.example:80x"])  # fmt: skip
def test_a_request_by_a_strangers_name_is_refused(client, host):
    answer = client.get("/docs/groups", headers={"host": host})
    assert answer.status_code == 421 and "not known" in answer.json()["error"]


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:80", "[::1]:9", "LOCALHOST"])
def test_a_request_by_a_name_of_this_machine_is_answered(client, host):
    assert client.get("/docs/groups", headers={"host": host}).status_code == 200


def test_a_server_for_others_is_known_by_numbers_and_not_by_strange_names():
    rules = Rules("0.0.0.0", "token")
    assert rules.knows("192.168.1.5:8000") and not rules.knows("evil.example")
    assert not Rules("127.0.0.1").knows("192.168.1.5:8000")


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_page_of_another_place_cannot_write(client, row, method):
    send = getattr(client, method)
    body = {"json": {"note": "x"}} if method == "put" else {}
    address = f"/docs/{row['url']}/note"
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9", "https://127.0.0.1:8000"):
        assert send(address, headers={"origin": origin}, **body).status_code == 403
    assert send(address, headers={"origin": "http://127.0.0.1:8000"}, **body).status_code in (200, 204)
    assert send(address, **body).status_code in (200, 204)


def test_no_other_page_reads_an_answer_unless_it_is_named(client, studied):
    asked = {"origin": "http://localhost:3000"}
    assert "access-control-allow-origin" not in client.get("/docs/groups", headers=asked).headers
    open_one = connect([studied], origins=("http://localhost:3000",), token="a long token")
    asked |= {"authorization": "Bearer a long token"}
    assert open_one.get("/docs/groups", headers=asked).headers["access-control-allow-origin"] == asked["origin"]
    other = {**asked, "origin": "http://evil.example"}
    assert "access-control-allow-origin" not in open_one.get("/docs/groups", headers=other).headers
    before = {"origin": asked["origin"], "access-control-request-method": "PUT"}
    assert open_one.options("/docs/groups", headers=before).status_code == 200


def test_a_token_opens_by_address_cookie_or_header_and_nothing_else_does(studied):
    client = connect([studied], token="the right token")
    closed = client.get("/docs/groups")
    assert closed.status_code == 401 and closed.headers["www-authenticate"] == "Bearer"
    for wrong in ("", "the right toke", "the right token ", "é"):
        assert client.get("/docs/groups", params={"token": wrong}).status_code == 401
    assert client.get("/docs/groups", headers={"authorization": "Bearer the right token"}).status_code == 200
    assert client.get("/docs/groups", headers={"authorization": "Basic the right token"}).status_code == 401
    first = client.get("/docs/search?q=a+b&token=the+right+token&k=3")
    assert first.status_code == 303 and first.headers["location"] == "/docs/search?q=a+b&k=3"
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.get(first.headers["location"]).status_code == 200  # the client keeps the cookie


def test_a_redirection_stays_on_this_server(studied):
    client = connect([studied], token="the right token")
    answer = client.get("http://127.0.0.1:8000//evil.example/?token=the+right+token")
    assert answer.status_code == 303 and not answer.headers["location"].startswith("//")


@pytest.mark.parametrize("address", ["/", "/docs/", "/docs/search?q=a", "/docs/groups", "/nothing/", "/openapi.json"])
def test_every_answer_carries_the_headers_that_bind_a_browser(client, address):
    for accept in ("text/html", "*/*"):
        headers = client.get(address, headers={"accept": accept}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("address", ["/", "/docs/", "/docs/search?q=a", "/docs/groups/0", "/docs/dates/day"])
def test_a_page_has_no_style_and_no_script_but_those_in_its_policy(client, address):
    page = client.get(address, headers={"accept": "text/html"})
    policy = page.headers["content-security-policy"]
    inline = re.findall(r"<(style|script)>(.*?)</\1>", page.text, re.DOTALL)
    for kind, content in inline:
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert inline and not re.search(r"\son\w+=|\sstyle=", re.sub(r"<script.*?</script>", "", page.text, flags=re.S))


def test_an_address_of_the_web_can_be_clicked_and_a_script_cannot(client, studied):
    import codomain

    ids = codomain.open(studied).ids.to_pylist()
    web = client.get(f"/docs/rows/{ids[0]}", headers={"accept": "text/html"}).text
    assert 'href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer"' in web
    script = client.get(f"/docs/rows/{ids[1]}", headers={"accept": "text/html"}).text
    assert "javascript:alert(1)" in script and 'href="javascript' not in script


@given(st.one_of(st.text(), st.text().map("http://{}".format), st.sampled_from([
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", " https://a.b", "https://a.b/\"onload=x",
    "http://a<b>", "vbscript:x", "https:a", "//a.b", "http://",
])))  # fmt: skip
def test_a_cell_is_escaped_and_only_http_becomes_a_link(text):
    shown = str(link_cell(text))
    found = re.search(r'href="([^"]*)"', shown)
    assert ("<a " in shown) == bool(found)
    if found:
        assert re.match("https?://[^/]", found[1], re.I)
    assert "<" not in re.sub(r'^<a href="[^"<>]*" rel="noopener noreferrer" target="_blank">|</a>$', "", shown)


@given(st.text())
def test_text_is_never_markup_in_markdown(text):
    plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", safe(text))
    assert not re.search(r"[`*_\[\]()<>#|]", plain) and "\n" not in plain


def test_a_client_may_ask_for_the_head_alone(client):
    head = client.head("/docs/groups")
    assert head.status_code == 200 and head.headers["content-type"] == "application/json"
    assert client.post("/docs/groups").status_code == 405


def test_a_large_body_is_refused_however_it_comes(client, row):
    address = f"/docs/{row['url']}/note"
    assert client.put(address, content=b"x" * 70_000).status_code == 413
    assert client.put(address, content=(b"x" * 1000 for _ in range(70))).status_code == 413
    assert client.put(address, content=b"x" * 100).status_code == 422
