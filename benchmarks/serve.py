"""The server under load: 1,000 searches at 32 at once over 100,000 rows, and its memory over 10,000 requests.

    python -m benchmarks.serve                 studies 100,000 made-up texts first, which takes minutes
    python -m benchmarks.serve MINE.space      over a space that is there

The server is a process of its own, started with `codomain serve`; the clients are threads of this one. Half of the
10,000 requests are searches, the others rows, groups and flags. Memory is the resident set: pages of files that the
system keeps for it, and what the process itself holds.
"""

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import codomain
from codomain.data import stdlib_docstrings

ROWS, SEARCHES, REQUESTS, AT_ONCE, WARM = 100_000, 1_000, 10_000, 32, 100


def sentences():
    texts = stdlib_docstrings()["text"].to_pylist()
    return sorted({" ".join(one.split()) for text in texts for one in re.split(r"(?<=[.!?])\s", text) if len(one) > 20})


def study(folder):
    rng, said = np.random.default_rng(0), np.array(sentences())
    picked = said[rng.integers(len(said), size=(ROWS, 3))]
    texts = [" ".join(three) for three in picked.tolist()]
    parquet.write_table(pa.table({"id": np.arange(ROWS), "text": texts}), folder / "made-up.parquet")
    done = codomain.study(folder / "made-up.parquet", text="text", id="id", encoder="static:wordllama",
                          space=folder / "made-up.space", report=folder / "report.html")  # fmt: skip
    return done.space.path


def memory(process):
    """Resident megabytes: all, and those that are no pages of files."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in ("VmRSS", "RssAnon")]


class Client:
    """Connections that are kept, one a thread."""

    def __init__(self, address):
        self.address, self.mine = urlsplit(address), local()

    def get(self, path):
        """Seconds until the answer was there."""
        if not hasattr(self.mine, "connection"):
            self.mine.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=120)
        began = time.perf_counter()
        self.mine.connection.request("GET", path)
        answer = self.mine.connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} for {path}: {body[:300]!r}")
        return seconds

    def get_all(self, paths):
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            taken = np.array(list(pool.map(self.get, paths)))
        return taken, time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("space", nargs="?", type=Path)
    given = parser.parse_args().space
    with tempfile.TemporaryDirectory() as folder:
        path = given or study(Path(folder))
        command = [sys.executable, "-m", "codomain", "serve", path, "--no-browser"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                measure(process, path)
            finally:
                process.kill()


def measure(process, path):
    address = process.stdout.readline().strip()
    client, space = Client(address), codomain.open(path)
    with urlopen(address) as answer:
        name = json.load(answer)["spaces"][0]["space"]
    print(f"{len(space):,} x {space.shape[1]}, {space.encoder.describe()}")
    print(f"started: {memory(process)[0]:,.0f} MB resident, {memory(process)[1]:,.0f} of its own")
    rng, said = np.random.default_rng(1), sentences()
    groups = [group["id"] for group in space.parts.groups.groups]
    ids = space.ids.to_pylist()

    def search(mode="both"):
        words = re.findall(r"[A-Za-z]{2,}", said[rng.integers(len(said))]) or ["nothing"]
        return f"/{name}/search?" + urlencode({"q": " ".join(words[: rng.integers(2, 8)]), "mode": mode})

    def other():
        return f"/{name}/" + (f"rows/{ids[rng.integers(len(ids))]}", f"groups/{groups[rng.integers(len(groups))]}",
                              "flags/near_duplicate", "groups")[rng.integers(4)]  # fmt: skip

    client.get_all([search() for _ in range(WARM)])
    alone = np.array([client.get(search()) for _ in range(50)])
    print(f"one at a time: p50 {1000 * np.median(alone):,.0f} ms")
    for mode in ("both", "meaning", "words"):
        taken, seconds = client.get_all([search(mode) for _ in range(SEARCHES)])
        p50, p99 = 1000 * np.quantile(taken, [0.5, 0.99])
        print(f"{SEARCHES:,} searches, mode {mode}, {AT_ONCE} at once: p50 {p50:,.0f} ms, p99 {p99:,.0f} ms, "
              f"{SEARCHES / seconds:,.1f} a second", flush=True)  # fmt: skip
    before = memory(process)
    for part in range(4):
        asked = [search() if rng.random() < 0.5 else other() for _ in range(REQUESTS // 4)]
        client.get_all(asked)
        print(f"after {REQUESTS // 4 * (part + 1):,} requests: {memory(process)[0]:,.0f} MB resident, "
              f"{memory(process)[1]:,.0f} of its own; before {before[0]:,.0f} and {before[1]:,.0f}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
