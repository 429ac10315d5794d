"""Migrating a space against copying its files, and our bridges against a plain ridge regression.

    python -m benchmarks migrate            (100,000 rows; --full for a million)

Copying reads and writes the old vectors and forces them to the disk. A migration also multiplies every row by the
bridge and by the signs of its doubt, and seals what it writes: sha256 of the whole file and of each 64 MiB. Two peers
are in between: a copy with the same hashes, one thing after the other, which is what sealed files cost by hand, and
`rewrite`, the space's own way of writing as many vectors, without any bridge. All four take turns. A run of a million
rows needs 12 GB of disk.
"""

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import codomain
from codomain.align import Doubt, Ridge
from codomain.core import EncoderIdentity, unit_rows
from codomain.core.sealed import BLOCK
from codomain.data import stdlib_docstrings
from codomain.encode import resolve
from codomain.space import exchange
from codomain.workbench.migrate.carry import Moved
from codomain.workbench.migrate.figures import measure
from codomain.workbench.migrate.kept import lists, share_found

WIDTH = 384


def copied(source: Path, target: Path) -> None:
    """Copy a file a few megabytes at a time, and wait until it is on the disk."""
    with source.open("rb") as old, target.open("wb") as new:
        shutil.copyfileobj(old, new, 8 * 2**20)
        os.fsync(new.fileno())
    target.unlink()


def sealed_copy(source: Path, target: Path) -> None:
    """Copy a file and hash it as a space does, in one thread."""
    whole, block, size = hashlib.sha256(), hashlib.sha256(), 0
    with source.open("rb") as old, target.open("wb") as new:
        while piece := old.read(8 * 2**20):
            new.write(piece)
            whole.update(piece)
            block.update(piece)
            size += len(piece)
            if size % BLOCK == 0:
                block = hashlib.sha256()
        new.flush()
        os.fsync(new.fileno())
    target.unlink()


def speed(rows: int, rounds: int) -> None:
    """Compare disk copy, plain rewrite and migration of `rows` x 384."""
    folder = Path(tempfile.mkdtemp())
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (rows, WIDTH))
    rng = np.random.default_rng(0)
    for start in range(0, rows, 50_000):
        X[start : start + 50_000] = rng.standard_normal((len(X[start : start + 50_000]), WIDTH), dtype=np.float32)
    texts = {"text": [f"row {number}" for number in range(rows)]}
    codomain.write(folder / "X.space", texts, X, roles=codomain.space.Roles(text="text"))
    turn = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0].astype(np.float32)
    A = np.array(X[:2000])
    B = unit_rows(A @ turn + 0.3 * rng.standard_normal(A.shape, dtype=np.float32))
    began = time.perf_counter()
    bridge = Ridge().fit(A, B)
    doubt = Doubt().fit(A, B, bridge)
    print(f"{rows:,} x {WIDTH}, {X.nbytes / 1e6:,.0f} MB; fitting 2,000 pairs: {time.perf_counter() - began:.1f} s")

    new, space = EncoderIdentity("new", "ab" * 32, WIDTH), codomain.open(folder / "X.space")

    def move() -> None:
        nonlocal space
        space = exchange(space, Moved(space, bridge, new, doubt), encoder=new, note="")

    def rewrite() -> None:
        nonlocal space
        space = exchange(space, space.vectors, encoder=new, note="")

    roads = {
        "migrate": move, "rewrite": rewrite, "copy": lambda: copied(folder / "X.npy", folder / "Y.npy"),
        "copy with the same hashes": lambda: sealed_copy(folder / "X.npy", folder / "Y.npy"),
    }  # fmt: skip
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in roads}
    for turn_number in range(rounds + 1):
        for name, road in roads.items():
            began, work = time.perf_counter(), time.process_time()
            road()
            if turn_number:  # the first warms up
                taken[name].append((time.perf_counter() - began, time.process_time() - work))
        space.gc()
    ours = statistics.median(seconds for seconds, _ in taken["migrate"])
    for name, times in taken.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"  {name:26} {wall:7.2f} s   processor {cpu:7.2f} s   {wall / ours:5.2f} x migrate", flush=True)
    shutil.rmtree(folder)


def kept(texts: int) -> None:
    """Print what bridges keep between two real encoders, beside scikit-learn's ridge on the same pairs."""
    from sklearn.linear_model import RidgeCV

    rng = np.random.default_rng(0)
    rows = list(dict.fromkeys(stdlib_docstrings()["text"].to_pylist()))
    rows = [rows[number] for number in rng.choice(len(rows), min(texts, len(rows)), replace=False)]
    spaces = {name: resolve(name).encode(rows) for name in ("builtin:minilm", "static:wordllama")}
    print(
        f"\n{'from':18}{'pairs':>7}  {'bridge':22}{'recall@10':>10}{'RidgeCV':>9}  {'+10 % again':>11}{'any 10 %':>9}"
    )
    for old, new in (("builtin:minilm", "static:wordllama"), ("static:wordllama", "builtin:minilm")):
        for count in (500, 1000, 2000):
            if count > len(rows):
                continue
            A, B = spaces[old][:count], spaces[new][:count]
            found = measure(A, B)
            order = np.random.default_rng(0).permutation(count)  # the split that `measure` makes
            learn, test = order[: int(0.65 * count)], order[int(0.65 * count) :]
            plain = RidgeCV(np.logspace(-4, 2, 13)).fit(A[learn], B[learn]).predict(A[test])
            truth = lists(B[test], B[test], found.k)
            theirs = share_found(lists(B[test], plain, found.k), truth).mean()
            best = found.chosen
            print(
                f"{old:18}{count:7,}  {best.name + f' x{best.stretch:g}':22}{best.recall.value:10.3f}{theirs:9.3f}  "
                f"{found.gain:+11.3f}{found.random_gain:+9.3f}", flush=True,
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=1000, help="docstrings to encode; 0 skips that part")
    parser.add_argument("--full", action="store_true", help="a million rows, 2,000 texts")
    args = parser.parse_args()
    speed(1_000_000 if args.full else args.rows, args.rounds)
    kept(2000 if args.full else args.texts)


if __name__ == "__main__":
    main()
