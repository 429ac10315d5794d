"""Each stage of a study, timed one by one, with the peak memory so far: `python -m benchmarks stages [--full]`."""

import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codomain.data import stdlib_docstrings
from codomain.space import Parts
from codomain.workbench.stages import STAGES, Inputs, Settings


def clustered(rows: int, dims: int = 384, seed: int = 0) -> tuple[NDArray[np.float32], list[str]]:
    """Vectors with 100 groups inside 10 larger ones, a falling spectrum, and their group as a label."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, dims + 1) ** -0.5
    coarse = rng.standard_normal((10, dims)) * spectrum
    fine = coarse[np.arange(100) % 10] + 0.7 * rng.standard_normal((100, dims)) * spectrum
    label = rng.integers(100, size=rows)
    X = np.empty((rows, dims), dtype=np.float32)
    for at in range(0, rows, 20_000):
        part = label[at : at + 20_000]
        X[at : at + 20_000] = fine[part] + 0.6 * rng.standard_normal((len(part), dims)) * spectrum
    return X / np.linalg.norm(X, axis=1, keepdims=True), [f"group {number}" for number in label]


def run(title: str, X: NDArray[np.float32], texts: list[str] | None, labels: list[str]) -> None:
    print(f"{title}: {X.shape[0]:,} x {X.shape[1]}")
    total = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        inputs = Inputs(X, texts, labels, Settings(), None, Path(scratch))
        for stage in STAGES:
            began = time.perf_counter()
            made = stage.part(stage.run(inputs))
            inputs = replace(inputs, parts=Parts({**inputs.parts, stage.name: made}))
            seconds = time.perf_counter() - began
            total += seconds
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(f"  {stage.name:<10} {seconds:8.2f} s   peak so far {peak:5.2f} GB", flush=True)
    print(f"  {'all':<10} {total:8.2f} s")


if __name__ == "__main__":
    from codomain.encode import resolve

    table = stdlib_docstrings()
    texts = table["text"].to_pylist()
    encoder = resolve("static:wordllama")
    began = time.perf_counter()
    vectors = encoder.encode(texts)
    print(f"encode with {encoder.identity.name}: {len(texts) / (time.perf_counter() - began):,.0f} texts/s")
    minilm = resolve("builtin:minilm")
    began = time.perf_counter()
    minilm.encode(texts[::12])
    print(f"encode with {minilm.identity.name}: {len(texts[::12]) / (time.perf_counter() - began):,.0f} texts/s")
    run("demo", vectors, texts, table["package"].to_pylist())
    if "--full" in sys.argv:
        run("given vectors with labels", *(lambda X, y: (X, None, y))(*clustered(100_000)))
