"""The command as it runs: a port, a kill, a damaged file, slow and greedy clients."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")


@pytest.fixture
def start(tmp_path):
    """Start `codomain serve` and return its address and process."""
    running = []

    def call(*arguments, code="from codomain.cli import main; main()"):
        with (tmp_path / "err.txt").open("ab") as err:
            process = subprocess.Popen(
                [sys.executable, "-c", code, "serve", "--no-browser", *map(str, arguments)],
                stdout=subprocess.PIPE, stderr=err, text=True,
            )  # fmt: skip
        running.append(process)
        address = process.stdout.readline().strip()
        assert address.startswith("http"), (tmp_path / "err.txt").read_text()
        return address, process

    yield call
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def ask(address, method="GET", body=None, **headers):
    """Status and JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    if data:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(address, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or "null")


def fetch(address):
    """Status of an answer, whatever it holds."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def typed(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "codomain", "serve", "--no-browser", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def place(address):
    host, port = re.fullmatch(r"http://([\d.]+):(\d+)/.*", address).groups()
    return host, int(port)


def test_a_free_port_is_taken_and_a_taken_one_is_refused_with_what_to_type(start, studied):
    address, _ = start(studied)
    assert ask(address)[1]["spaces"][0]["space"] == "docs"
    done = typed(studied, "--port", place(address)[1])
    assert done.returncode == 2 and "is taken" in done.stderr and "without --port" in done.stderr


def test_a_space_that_cannot_be_opened_ends_with_2_before_anything_listens(copied):
    os.truncate(next(copied.glob("vectors-*.npy")), 1000)
    done = typed(copied)
    assert done.returncode == 2 and "vectors-" in done.stderr and done.stdout == ""
    assert typed(copied.with_name("nothing")).returncode == 2


def test_notes_survive_a_kill_and_the_same_command_goes_on(start, studied, tmp_path):
    address, process = start(studied, "--notes", tmp_path / "notes")
    row = ask(address + "docs/groups/0")[1]["rows"][0]
    for number in range(5):
        assert ask(f"{address}docs/{row['url']}/note", "PUT", {"star": True, "note": f"note {number}"})[0] == 200
    process.kill()
    process.wait()
    again, _ = start(studied, "--notes", tmp_path / "notes", "--port", place(address)[1])
    assert again == address
    assert ask(again + "docs/notes")[1]["notes"][0]["note"] == "note 4"
    assert ask(f"{again}docs/{row['url']}/note", "PUT", {"note": "after"})[0] == 200


def test_a_kill_in_the_middle_of_writing_leaves_the_old_notes_or_the_new_ones(start, studied, tmp_path):
    address, process = start(studied, "--notes", tmp_path / "notes")
    rows = ask(address + "docs/groups/0")[1]["rows"]
    assert ask(f"{address}docs/{rows[0]['url']}/note", "PUT", {"star": True, "note": "first"})[0] == 200
    host, port = place(address)
    body = json.dumps({"star": True, "note": "x" * 9000}).encode()
    for row in rows[1:40]:
        with socket.create_connection((host, port)) as client:
            client.sendall(
                f"PUT /docs/{row['url']}/note HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
    process.kill()
    process.wait()
    kept = json.loads((tmp_path / "notes/docs.json").read_text())["rows"]
    assert kept[rows[0]["id"]]["note"] == "first"
    assert all(len(note["note"]) in (5, 9000) for note in kept.values())
    again, _ = start(studied, "--notes", tmp_path / "notes")
    assert len(ask(again + "docs/notes")[1]["notes"]) == len(kept)


def test_a_file_that_is_cut_while_it_is_served_ends_no_process(start, copied, tmp_path):
    address, process = start(copied)
    assert ask(address + "docs/search?q=read")[0] == 200
    os.truncate(next(copied.glob("vectors-*.npy")), 100)
    for path in ("search?q=read", "groups/0", "rows.parquet", "dates/day"):
        status, answer = ask(f"{address}docs/{path}")
        assert status == 503 and "vectors-" in answer["error"]
    assert process.poll() is None
    assert "vectors-" in (tmp_path / "err.txt").read_text()


@pytest.mark.parametrize("pattern", ["vectors-*.npy", "rows-*.parquet", "parts/index*/*.sqlite"])
def test_a_file_that_is_cut_under_load_ends_no_process_and_every_answer_is_200_or_503(start, copied, pattern):
    address, process = start(copied)
    paths = ("search?q=read+a+file&where=group+%3E+-2", "rows.csv?where=group+%3E+-2", "groups/0") * 12
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(fetch, f"{address}docs/{path}") for path in paths]
        asked[8].result()
        os.truncate(next(copied.glob(pattern)), 100)
        statuses = [one.result() for one in asked]
    assert process.poll() is None
    assert set(statuses) == {200, 503}


def test_a_stranger_by_name_is_refused(start, studied):
    address, _ = start(studied)
    assert ask(address + "docs/groups", Host="evil.example")[0] == 421


def test_other_machines_need_the_token_that_is_printed(start, studied):
    address, _ = start(studied, "--host", "0.0.0.0")
    port, token = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(\S{20,})", address).groups()
    here = f"http://127.0.0.1:{port}/docs/groups"
    assert ask(here)[0] == 401
    assert ask(here, Authorization=f"Bearer {token}")[0] == 200
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(f"{here}?token={token}") as answer:
        assert answer.status == 200 and "token" not in answer.url
    assert typed(studied, "--token", "short").returncode == 2


def test_a_body_of_a_gigabyte_is_refused_and_not_read(start, studied, tmp_path):
    address, _ = start(studied, "--notes", tmp_path / "notes")
    with socket.create_connection(place(address), timeout=30) as client:
        client.sendall(
            b"PUT /docs/rows/x/note HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000000000\r\n\r\n" + b"x" * 1000
        )
        answer = read_all(client)
    assert b" 413 " in answer.split(b"\r\n")[0] and b"connection: close" in answer.lower()
    with socket.create_connection(place(address), timeout=30) as client:
        client.sendall(
            b"PUT /docs/rows/x/note HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        sent, began = 0, time.monotonic()
        try:
            while sent < 10**9 and time.monotonic() - began < 30:
                client.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
        except OSError:
            pass
    assert sent < 50 * 10**6, "the connection was closed long before"
    assert ask(address + "docs/groups")[0] == 200


def test_an_address_that_is_too_long_is_refused_in_words(start, studied):
    address, _ = start(studied)
    status, answer = ask(address + "docs/search?q=" + "a" * 200_000)
    assert status == 414 and "too long" in answer["error"]
    status, answer = ask(address + "docs/search?q=" + "%C3%A9" * 10_001)
    assert status == 422 and "10000" in answer["error"]


PATIENT = "import codomain.serve.run as run; run.PatientProtocol.patience = 1.5\nfrom codomain.cli import main; main()"


@pytest.mark.parametrize("half", [
    b"", b"GET /docs/groups HTTP/1.1\r\nHost: local",
    b"PUT /docs/rows/x/note HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
])  # fmt: skip
def test_a_client_that_does_not_end_its_request_is_cut_off_and_others_are_answered(start, studied, tmp_path, half):
    address, _ = start(studied, "--notes", tmp_path / "notes", code=PATIENT)
    slow = [socket.create_connection(place(address), timeout=30) for _ in range(20)]
    for client in slow:
        client.sendall(half)
    assert ask(address + "docs/groups")[0] == 200
    for client in slow:
        with client:
            read_all(client)  # returns when the server has closed it
    assert ask(address + "docs/groups")[0] == 200


def test_a_client_that_does_not_take_its_answer_is_cut_off(start, studied):
    address, _ = start(studied, code=PATIENT)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(30)
        client.connect(place(address))
        client.sendall(b"GET /docs/ HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n" * 200)
        time.sleep(8)
        got = read_all(client)
    assert len(got) < 100 * 150_000, "the rest of the answers was given up"
    assert ask(address + "docs/groups")[0] == 200


def test_a_client_in_no_hurry_between_two_requests_is_served(start, studied):
    address, _ = start(studied, code=PATIENT)
    with socket.create_connection(place(address), timeout=30) as client:
        for _ in range(3):
            client.sendall(b"GET /docs/groups HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            left = int(re.search(rb"content-length: (\d+)", head)[1])
            while left:
                left -= len(client.recv(left))
            time.sleep(2)


def test_ctrl_c_ends_it_at_once(start, studied, ctrl_c):
    address, process = start(studied)
    ask(address)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (0, 130)


def read_all(client):
    found = b""
    try:
        while piece := client.recv(1 << 16):
            found += piece
    except OSError as error:
        assert not isinstance(error, TimeoutError), "the server does not close it"
    return found
