"""Long texts, joined lists and scores of questions, on pairs of a question and the text that answers it.

    python -m benchmarks.texts                    60 long docstrings of scipy, numpy and scikit-learn
    python -m benchmarks.texts FILE.jsonl         lines with "question" and "text"
    python -m benchmarks.texts --debian LISTS     600 Debian packages: summary against description; apt's lists
    python -m benchmarks.texts ... --rows 150     so many of them
    python -m benchmarks.texts ... --late         questions are sentences from the second half of the texts
    python -m benchmarks.texts ... --readings     also 128 and 512 tokens, and windows without weights

Printed are: the share of questions whose own text is the first hit, for each reading of MiniLM and by words, joined by
places (reciprocal ranks, 60) and by scores; milliseconds a text; and the share of unrelated pairs of question and text
that lie above what the null says is 1 in 10, 100, 1,000, 10,000, by questions held against themselves and without.
"""

import argparse
import ast
import json
import re
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np

from codomain.core import unit_rows
from codomain.data import debian_descriptions
from codomain.encode.encoders import minilm, onnx
from codomain.encode.encoders.windows import pooled
from codomain.search import Keywords, Null, fuse

DEEP = 50  # rows on each list, as a search for ten hits takes them


def docstrings():
    import numpy
    import scipy
    import sklearn

    found = {}
    for library in (numpy, scipy, sklearn):
        for path in sorted(Path(library.__file__).parent.rglob("*.py")):
            if "tests" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                doc = ast.get_docstring(node) if isinstance(node, ast.ClassDef | ast.FunctionDef) else None
                line, _, rest = (doc or "").partition("\n\n")
                line = " ".join(line.split())
                if 25 < len(line) < 120 and 2200 < len(rest) < 6000:
                    found.setdefault(line, rest)
    return sorted(found.items())


def packages(lists):
    rows = ((row["summary"], row["text"].partition("\n")[2].strip()) for row in debian_descriptions(lists).to_pylist())
    return list({text: (line, text) for line, text in rows if len(text) > 200 and len(line) > 15}.values())


def late(text):
    half = " ".join(text[len(text) // 2 :].split())
    there = (one for one in re.split(r"(?<=[.])\s+", half) if 50 < len(one) < 160 and ">>>" not in one)
    return next(there, half[:100])


class Model:
    """MiniLM with another reading of long texts."""

    def __init__(self, max_tokens, long, weighted=True):
        tokenizer = Path(minilm.__file__).with_name("tokenizer.json").read_text("utf-8")
        self.model = onnx.OnnxModel(str(minilm._installed()), tokenizer, max_tokens=max_tokens, long=long)
        self.weighted = weighted

    def encode(self, texts, *, query=False):
        if self.weighted:
            return self.model.encode(texts)
        with patch.object(onnx, "pooled", lambda vectors, tokens, windows: pooled(vectors, [1] * len(tokens), windows)):
            return self.model.encode(texts)


def places(lists):
    earned = {}
    for rows in lists:
        for place, row in enumerate(rows.tolist(), 1):
            earned[row] = earned.get(row, 0) + 1 / (60 + place)
    return np.array(sorted(earned, key=lambda row: (-earned[row], row)), np.int64)


def first(lists):
    return f"{np.mean([len(rows) > 0 and rows[0] == row for row, rows in enumerate(lists)]):.3f}"


def calibrated(null, S, held):
    own = np.array([null.percentile_of_question(scores, scores.mean(), scores.std()) for scores in S])
    for name, below in (("each against itself", own), ("as they come", null.percentile(S, asked="question"))):
        rare = 1 - below[held]
        shares = "  ".join(f"1 in {round(1 / said):,}: {np.mean(rare <= said):.5f}" for said in (0.1, 0.01, 1e-3, 1e-4))
        print(f"  unrelated pairs, questions {name:20} {shares}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?")
    parser.add_argument("--debian")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--late", action="store_true")
    parser.add_argument("--readings", action="store_true")
    options = parser.parse_args()
    if options.file:
        lines = map(json.loads, Path(options.file).read_text("utf-8").splitlines())
        pairs, most = [(line["question"], line["text"]) for line in lines], None
    else:
        pairs, most = (packages(options.debian), 600) if options.debian else (docstrings(), 60)
    if most := options.rows or most:
        pairs = [pairs[row] for row in np.random.default_rng(0).permutation(len(pairs))[:most]]
    texts = [text for _, text in pairs]
    questions = [late(text) if options.late else question for question, text in pairs]
    readings = {"cut at 256": (256, "cut"), "windows of 256, by tokens": (256, "mean")}
    if options.readings:
        readings |= {
            "cut at 128": (128, "cut"),
            "cut at 512": (512, "cut"),
            "windows, no weights": (256, "mean", False),
        }
    with tempfile.TemporaryDirectory() as folder, Keywords.build(texts, f"{folder}/words.sqlite") as words:
        by_words = [words.search(re.sub(r'["-]', " ", question), DEEP) for question in questions]
    counts = Model(256, "mean").model.count(texts)
    print(f"{len(texts)} texts, {np.median(counts.read):.0f} tokens (median), {counts.windowed.mean():.0%} in windows")
    print(f"  {'words':28} first hit right {first([rows for rows, _ in by_words])}")
    Q = Model(256, "mean").encode(questions)
    for name, how in readings.items():
        encoder = Model(*how)
        began = time.perf_counter()
        X = encoder.encode(texts)
        spent = 1e3 * (time.perf_counter() - began) / len(texts)
        S = Q @ X.T
        by_meaning = np.argsort(-S, axis=1, kind="stable")[:, :DEEP]
        joined = {"by places": [], "by scores": []}
        for row, (rows, scores) in enumerate(by_words):
            near, end = S[row, by_meaning[row]], scores[-1] if len(scores) == DEEP else 0.0
            joined["by places"].append(places([by_meaning[row], rows]))
            joined["by scores"].append(fuse([(by_meaning[row], near, near[-1]), (rows, scores, end)]))
        shown = "  ".join(f"{way} {first(lists)}" for way, lists in joined.items())
        print(f"  {name:28} first hit right {first(by_meaning)}  joined {shown}  {spent:.0f} ms a text", flush=True)
        if how == readings["windows of 256, by tokens"]:
            null = Null.fit(unit_rows(X), texts=texts, encoder=encoder)
            calibrated(null, S, ~np.eye(len(texts), dtype=bool))


if __name__ == "__main__":
    main()
