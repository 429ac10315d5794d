"""A report of 100,000 rows in Chromium: `python -m benchmarks page [--rows=100000]`.

Prints the size of the file, when the browser first paints and when the map stands, the frames per second of panning and
zooming, and the time of a step across all filters. Drawing is by software: the browser is told to use no graphics card.
"""

import datetime
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from codomain.data import stdlib_docstrings
from codomain.workbench.report import ReportData, render

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def made(rows: int, groups: int = 100, k: int = 15, seed: int = 0) -> ReportData:
    """Return a report whose texts are docstrings of Python, each with a word of its own, in round groups on the map."""
    rng = np.random.default_rng(seed)
    table = stdlib_docstrings()
    words, package = table["text"].to_pylist(), table["package"].to_pylist()
    label = rng.integers(groups, size=rows)
    label[rng.random(rows) < 0.1] = -1
    turn = 2.399963 * label
    middle = np.sqrt(label + 1)[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    xy = np.where(label[:, None] < 0, rng.normal(0, 4, (rows, 2)), middle + rng.normal(0, 0.35, (rows, 2)))
    start = datetime.datetime(2020, 1, 1)
    named = [
        {"id": number, "name": f"group, number, {number}", "words": [f"number{number}"], "size": int(size),
         "stability": 0.9, "name_score": 0.8, "examples": []}
        for number, size in enumerate(np.bincount(label[label >= 0], minlength=groups))
    ]  # fmt: skip
    return ReportData(
        title="100,000 rows", source="made.parquet", n=rows, d=384, encoder="minilm, 384-d", generated="today",
        texts=[f"{words[row % len(words)][:280]} {row * 7919 % 100003}" for row in range(rows)],
        ids=[f"row-{row}" for row in range(rows)], labels=label, xy=xy, kept=rng.integers(0, k + 1, rows) / k,
        groups={"groups": named, "coverage": 0.9, "how": "Drawn at random for this benchmark."},
        neighbors=rng.integers(0, rows, (rows, k)), scores=-np.sort(-rng.uniform(0.3, 1, (rows, k)), 1),
        user_labels=[package[row % len(package)] for row in range(rows)],
        columns={
            "package": [package[row % len(package)] for row in range(rows)],
            "stars": rng.integers(1, 6, rows).tolist(),
            "price": np.exp(rng.normal(3, 1, rows)).round(2).tolist(),
            "score": rng.normal(0, 1, rows).round(4).tolist(),
            "day": [(start + datetime.timedelta(days=int(day))).date() for day in rng.integers(0, 2000, rows)],
            "moment": [start + datetime.timedelta(minutes=int(minute)) for minute in rng.integers(0, 10**6, rows)],
            "country": [f"country {number}" for number in rng.zipf(1.5, rows) % 200],
            "sold": (rng.random(rows) < 0.3).tolist(),
        },
    )  # fmt: skip


def frame_times(page: Any, step: str, frames: int = 60) -> list[float]:
    """Return milliseconds between frames of the browser while each frame runs `step`, an expression in i and map."""
    run = f"""async () => {{
      const {{ map }} = codomain;
      const times = [];
      let last = await new Promise(requestAnimationFrame);
      for (let i = 0; i < {frames}; i++) {{
        {step};
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
      }}
      return times;
    }}"""
    return page.evaluate(run)


def fps(times: list[float]) -> str:
    """Return the median and the slowest tenth as frames per second."""
    slow = sorted(times)[int(0.9 * len(times))]
    return f"{1000 / statistics.median(times):5.0f} frames/s (slowest tenth {1000 / slow:.0f})"


def main() -> None:
    from playwright.sync_api import sync_playwright

    rows = next((int(word.split("=")[1]) for word in sys.argv if word.startswith("--rows=")), 100_000)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        began = time.perf_counter()
        path = render(made(rows), Path(folder) / "report.html")
        print(f"{rows:,} rows: {path.stat().st_size / 1e6:.1f} MB, written in {time.perf_counter() - began:.1f} s")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened: dict[str, list[float]] = {"first paint": [], "map drawn": [], "all ready": []}
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached")
            page.wait_for_timeout(300)
            paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
            marks = "['map drawn', 'ready'].map((name) => performance.getEntriesByName(name)[0].startTime)"
            for name, value in zip(opened, [page.evaluate(paint), *page.evaluate(marks)], strict=True):
                opened[name].append(value / 1000)
            if len(opened["all ready"]) < 5:
                page.close()
        for name, seconds in opened.items():
            print(f"{name:<34} {statistics.median(seconds):6.2f} s   (of 5: {min(seconds):.2f} to {max(seconds):.2f})")
        page.evaluate("document.querySelector('#map').scrollIntoView({ behavior: 'instant' })")
        for name, step in (
            ("pan, whole map", "map.pan(i % 20 < 10 ? 6 : -6, 3 - i % 7)"),
            ("zoom in and out", "map.zoom(i < 30 ? 1.08 : 1 / 1.08)"),
            ("pan, 4 times enlarged", "if (!i) map.zoom(4); map.pan(i % 20 < 10 ? 6 : -6, 3 - i % 7)"),
        ):
            page.evaluate("codomain.map.whole()")
            print(f"{name:<34} {fps(frame_times(page, step))}")
        page.evaluate("codomain.map.whole()")
        brush = "codomain.change({ filters: new Map([['score', { from: -2 + i / 30, to: i / 30 }]]) }, { live: true })"
        step = f"const began = performance.now(); {brush}; (globalThis.took ??= []).push(performance.now() - began)"
        print(f"{'brush a histogram, all follow':<34} {fps(frame_times(page, step))}")
        print(f"{'one step across all filters':<34} {statistics.median(page.evaluate('took')):6.1f} ms, then one frame")
        browser.close()


if __name__ == "__main__":
    main()
