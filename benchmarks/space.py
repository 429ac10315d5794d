"""A space against the same arrays saved by hand (np.save and parquet), in turn in one process.

    python benchmarks/space.py --rows 100000 --width 384 --rounds 5

By hand nothing is checked, hashed or forced to the disk: the ratio is the price of the seal.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import codomain
from codomain.core import EncoderIdentity
from codomain.space import Roles, Space, write

PEAK = """
import sys, threading, time
import numpy as np, codomain, codomain.space
def anonymous():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
X = np.load(sys.argv[1], mmap_mode="r")
before, peak, done = anonymous(), [0], threading.Event()
def watch():
    while not done.is_set():
        peak[0] = max(peak[0], anonymous()); time.sleep(0.002)
thread = threading.Thread(target=watch); thread.start()
codomain.write(sys.argv[2], None, X)
done.set(); thread.join()
print((peak[0] - before) / 1024)
"""


def rows_of(first: int, count: int) -> pa.Table:
    numbers = range(first, first + count)
    words = {"key": [f"k{n}" for n in numbers], "year": [n % 30 for n in numbers]}
    return pa.table(
        words | {"text": [f"{n} some words about the row that carries the number {n * n}" for n in numbers]}
    )


class ByHand:
    """What a careful person does without a space."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, table: pa.Table, X: np.ndarray, name: str = "0") -> None:
        self.path.mkdir(exist_ok=True)
        np.save(self.path / f"{name}.npy", X)
        pq.write_table(table, self.path / f"{name}.parquet", compression="zstd")

    def open(self) -> None:
        np.load(self.path / "0.npy", mmap_mode="r")
        pq.ParquetFile(self.path / "0.parquet")

    def take(self, chosen: np.ndarray) -> None:
        np.load(self.path / "0.npy", mmap_mode="r")[chosen]
        pq.read_table(self.path / "0.parquet").take(pa.array(chosen))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def work_of(space: list[Space], hand: ByHand, path: Path, table: pa.Table, more: pa.Table, X: np.ndarray) -> dict:
    """Name each piece of work and give it twice: with a space, and by hand."""
    encoder, roles, tenth = EncoderIdentity.given(X.shape[1]), Roles(text="text", id="key"), X[: len(X) // 10]
    chosen = np.random.default_rng(1).choice(len(X), min(len(X), 1000), replace=False)

    def take() -> None:
        space[1].take(chosen)
        space[1].vectors[chosen]

    return {
        "write": (lambda: space.append(write(path, table, X, encoder=encoder, roles=roles)),
                  lambda: hand.write(table, X)),
        "open": (lambda: space.append(codomain.open(path)), hand.open),
        "take 1,000 rows, first time": (take, lambda: hand.take(chosen)),
        "take 1,000 rows, again": (take, lambda: hand.take(chosen)),
        "append a tenth": (lambda: space[1].append(more, tenth, encoder=encoder), lambda: hand.write(more, tenth, "1")),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 100_000), ("width", 384), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    n = args.rows
    X = np.random.default_rng(0).standard_normal((n, args.width), dtype=np.float32)
    table, more = rows_of(0, n), rows_of(n, n // 10)
    times: dict[str, tuple[list[float], list[float]]] = {}
    for turn in range(args.rounds):
        folder = Path(tempfile.mkdtemp())
        work = work_of([], ByHand(folder / "hand"), folder / "space", table, more, X)
        for name, both in work.items():
            for side in (0, 1) if turn % 2 else (1, 0):  # neither always goes first
                times.setdefault(name, ([], []))[side].append(timed(both[side]))
        shutil.rmtree(folder)
    print(f"{n:,} x {args.width}, {X.nbytes / 1e6:,.0f} MB of vectors, {os.cpu_count()} cores, {args.rounds} rounds")
    print(f"{'':30}{'space ms':>10}{'by hand ms':>12}{'ratio':>8}")
    for name, (ours, theirs) in times.items():
        a, b = statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3
        print(f"{name:30}{a:10,.1f}{b:12,.1f}{a / b:8.2f}")
    print(f"write: {X.nbytes / 1e6 / statistics.median(times['write'][0]):,.0f} MB/s of vectors")
    folder = Path(tempfile.mkdtemp())
    np.save(folder / "X.npy", X)
    argv = [sys.executable, "-c", PEAK, str(folder / "X.npy"), str(folder / "space")]
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    print(f"write from a memory map of {X.nbytes / 2**20:,.0f} MiB: {float(found):,.0f} MiB of memory at most")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
