"""Data for the report's tests: real docstrings, vectors made from their words, and everything a study finds in them."""

import ast
import inspect
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from codomain.workbench.report import ReportData

MODULES = (
    "argparse",
    "asyncio.events",
    "calendar",
    "collections",
    "concurrent.futures._base",
    "configparser",
    "csv",
    "ctypes",
    "datetime",
    "decimal",
    "difflib",
    "email.message",
    "fractions",
    "ftplib",
    "functools",
    "gzip",
    "heapq",
    "http.client",
    "http.cookies",
    "imaplib",
    "inspect",
    "ipaddress",
    "json.decoder",
    "logging",
    "logging.handlers",
    "mailbox",
    "multiprocessing.pool",
    "os",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "platform",
    "poplib",
    "queue",
    "random",
    "shutil",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "statistics",
    "string",
    "subprocess",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "tkinter",
    "trace",
    "turtle",
    "typing",
    "unittest.case",
    "unittest.mock",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "wave",
    "weakref",
    "xml.dom.minidom",
    "xml.etree.ElementTree",
    "zipfile",
)


def docstrings() -> list[tuple[str, str, str]]:
    """Dotted name, module and docstring of what these modules define."""

    def walk(module: str, node: ast.AST, name: str) -> Iterator[tuple[str, str, str]]:
        text = ast.get_docstring(node)
        if text:
            yield name, module, " ".join(text.split())
        for child in getattr(node, "body", []):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                yield from walk(module, child, f"{name}.{child.name}")

    found = []
    for module in MODULES:
        try:
            source = inspect.getsource(import_module(module))
        except (ImportError, OSError):
            continue
        found += list(walk(module, ast.parse(source), module))
    return found


def make(n: int | None = None, n_groups: int = 24, repeat: bool = False) -> ReportData:
    """A report over docstrings; with `repeat`, n rows by going round them with a word changed."""
    rows = docstrings()
    base = len(rows)
    if n is not None:
        rows = [rows[i % base] for i in range(n)] if repeat else rows[:n]
    n = len(rows)
    rng = np.random.default_rng(0)
    texts = [
        text if i < base else f"{text[:200]} {rows[(i * 7) % base][2][:90]}" for i, (_, _, text) in enumerate(rows)
    ]
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2)
    counted = words.fit_transform(texts[:base])
    X = TruncatedSVD(64, random_state=0).fit_transform(counted).astype(np.float32)
    if n > base:
        X = X[np.arange(n) % base] + rng.normal(0, 0.01, (n, 64)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True) + 1e-9
    clusters = KMeans(n_groups, n_init=1, random_state=0).fit(X[:base])
    distances = clusters.transform(X)
    labels = np.argmin(distances, axis=1).astype(np.int32)
    labels[distances.min(axis=1) > np.quantile(distances.min(axis=1), 0.88)] = -1
    labels = renumbered(labels)
    k = min(15, n - 1)
    if n <= 8000:
        order = NearestNeighbors(n_neighbors=k + 1, metric="cosine").fit(X).kneighbors(X)
        indices, scores = order[1][:, 1:].astype(np.int32), (1 - order[0][:, 1:]).astype(np.float32)
    else:
        indices = rng.integers(0, n, (n, k)).astype(np.int32)
        scores = -np.sort(-rng.uniform(0.3, 1, (n, k)).astype(np.float32), axis=1)
    wide = PCA(2, random_state=0).fit_transform(X)
    turn = labels[:, None] * 2.399963
    spread = np.where(
        labels[:, None] < 0, 0.0, np.hstack([np.cos(turn), np.sin(turn)]) * np.sqrt(labels[:, None] + 1) * 0.16
    )
    xy = (wide * 0.16 + spread + rng.normal(0, 0.035 if n < 8000 else 0.06, (n, 2))).astype(np.float32)
    xy /= np.abs(xy).max()
    kept = rng.beta(2, 5, n).astype(np.float32)
    groups = [described(g, labels, texts, words) for g in range(labels.max() + 1)]
    audit = audited(texts, indices, scores)
    flagged = np.zeros(n, np.uint8)
    for bit, found in zip((1, 2, 4, 8), audit["checks"], strict=True):
        flagged[found["rows"]] |= bit
    return ReportData(
        title="docstrings.csv",
        source="docstrings.csv",
        n=n,
        d=384,
        encoder="minilm, 384-d, weights 9c3f1b7a20de",
        generated="2026-11-22 17:20 UTC",
        versions={"python": "3.12.4", "codomain": "0.1.0", "numpy": "2.4.6", "faiss-cpu": "1.11.0"},
        health=HEALTH,
        certificate=certificate(),
        labels=labels,
        xy=xy,
        kept=kept,
        groups={
            "groups": groups,
            "coverage": float(np.mean(labels >= 0)),
            "how": (
                "Groups are the dense parts of the graph of nearest rows. Stability is the overlap (0 to 1) "
                "with the best matching group when the search is repeated on resampled graphs."
            ),
        },
        map_info={
            "method": "graph",
            "kept": float(kept.mean()),
            "how": f"Of each row's {k} nearest rows, {kept.mean():.0%} are near it on the map.",
        },
        audit=audit,
        flags=flagged,
        neighbors=indices,
        scores=scores,
        texts=[text[:300] for text in texts],
        ids=[name if i < base else f"{name}#{i}" for i, (name, _, _) in enumerate(rows)],
        columns={"module": [module for _, module, _ in rows], "length": [len(text) for text in texts]},
        user_labels=[module.split(".")[0] for _, module, _ in rows],
        search_command='codomain search docstrings.space "{query}"',
        commands={
            "More like a row": "codomain search docstrings.space --like ID",
            "Add new rows": "codomain add docstrings.space new-rows.csv",
        },
    )


def labelled() -> dict[str, Any]:
    """What `codomain label` seals, of three classes."""
    counts = {"network": (12, 410, 7), "parsing <b>": (14, 1402, 31), "rest": (10, 388, 0)}
    return {
        "summary": "spread blend .81 (nearest prototype .72), 36 labels, 3 classes",
        "accuracy": 0.8056,
        "baseline": 0.7222,
        "interval": [0.657, 0.901],
        "majority": {"name": "parsing <b>", "share": 0.3889},
        "balanced": {"accuracy": 0.7912, "interval": [0.641, 0.892]},
        "from": None,
        "says": ["Nothing is promised about one class."],
        "classes": [
            {"name": name, "given": given, "labelled": rows, "rejected": rejected, "found": 0.8}
            for name, (given, rows, rejected) in counts.items()
        ],
    }


def renumbered(labels: Any) -> Any:
    order = [g for g, _ in Counter(labels[labels >= 0].tolist()).most_common()]
    new = {g: i for i, g in enumerate(order)}
    return np.array([new.get(int(g), -1) for g in labels], np.int32)


def described(group: int, labels: Any, texts: list[str], words: Any) -> dict[str, Any]:
    rows = np.flatnonzero(labels == group)
    weights = np.asarray(words.transform([texts[i] for i in rows[:400]]).mean(axis=0)).ravel()
    top = [str(words.get_feature_names_out()[i]) for i in np.argsort(-weights)[:8]]
    return {
        "id": group,
        "name": ", ".join(top[:3]),
        "words": top,
        "size": len(rows),
        "stability": 0.99 - 0.03 * group % 0.6,
        "name_score": 0.9 - 0.02 * group % 0.5,
        "examples": rows[:3].tolist(),
    }


def audited(texts: list[str], indices: Any, scores: Any) -> dict[str, Any]:
    nearest = np.argsort(-scores[:, 0])
    same = [int(i) for i in nearest if texts[i] == texts[indices[i, 0]] and i < indices[i, 0]]
    close = [int(i) for i in nearest if texts[i] != texts[indices[i, 0]] and scores[i, 0] > 0.9 and i < indices[i, 0]][
        :400
    ]
    odd = np.argsort(scores[:, -1])[:40].tolist()

    def pairs(rows: list[int], why: str) -> list[dict[str, Any]]:
        return [
            {"row": i, "other": int(indices[i, 0]), "score": float(scores[i, 0]), "why": why.format(scores[i, 0])}
            for i in rows
        ]

    return {
        "checks": [
            check(
                "duplicate",
                "Duplicates",
                "Rows whose vector another row has too, number for number.",
                same,
                pairs(same, "The same vector and the same words."),
            ),
            check(
                "near_duplicate",
                "Near duplicates",
                "Pairs closer than almost any pair of unrelated rows.",
                close,
                pairs(close, "Cosine {:.3f}, above the level that one random pair in a million reaches."),
            ),
            check(
                "outlier",
                "Odd rows",
                "Rows far from everything else.",
                odd,
                [
                    {
                        "row": int(i),
                        "other": None,
                        "score": float(scores[i, -1]),
                        "why": f"Its nearest rows are only at cosine {scores[i, -1]:.2f}.",
                    }
                    for i in odd
                ],
            ),
            check("label", "Doubtful labels", "Rows whose neighbours carry another label.", [], []),
        ]
    }


def check(kind: str, title: str, says: str, rows: list[int], findings: list[dict[str, Any]]) -> dict[str, Any]:
    how = (
        "Each row is compared with its exact nearest rows; the level comes from pairs drawn at random from this space."
    )
    return {
        "kind": kind,
        "title": title,
        "says": says,
        "how": how,
        "count": len(rows),
        "rows": rows[:1000],
        "findings": findings[:1000],
    }


def measure(
    name: str, title: str, value: float, unit: str, low: Any, high: Any, null: Any, best: str, verdict: str, says: str
) -> dict[str, Any]:
    how = "Computed on all rows; the interval is from 200 resamples, the chance value from shuffled coordinates."
    return {
        "name": name,
        "title": title,
        "value": value,
        "unit": unit,
        "low": low,
        "high": high,
        "null": null,
        "best": best,
        "verdict": verdict,
        "says": says,
        "how": how,
        "smallest_n": 500,
    }


HEALTH = [
    measure(
        "effective_rank",
        "Effective rank",
        143.2,
        "of 384 numbers",
        138.0,
        148.9,
        352.0,
        "high",
        "good",
        "The vectors really use 143 of their 384 directions.",
    ),
    measure(
        "anisotropy",
        "Mean cosine of random pairs",
        0.081,
        "cosine",
        0.078,
        0.084,
        0.0,
        "low",
        "good",
        "Unrelated rows point in almost unrelated directions.",
    ),
    measure(
        "hubness",
        "Hubness",
        2.41,
        "skewness",
        2.20,
        2.71,
        0.42,
        "low",
        "watch",
        "A few rows turn up in very many neighbour lists.",
    ),
    measure(
        "orphans",
        "Rows in no list",
        0.062,
        "share of rows",
        0.057,
        0.067,
        0.011,
        "low",
        "watch",
        "6 % of the rows are nobody's neighbour, so search rarely finds them.",
    ),
    measure(
        "dimension",
        "Intrinsic dimension",
        17.8,
        "directions",
        16.9,
        18.8,
        None,
        "none",
        "good",
        "Near any row, the data spreads in about 18 directions.",
    ),
    measure(
        "duplicates",
        "Exact duplicates",
        0.19,
        "share of rows",
        None,
        None,
        0.0,
        "low",
        "bad",
        "One row in five has exactly the vector of another: count them once before you count anything.",
    ),
    measure(
        "norms",
        "Spread of lengths",
        0.0,
        "coefficient of variation",
        None,
        None,
        None,
        "none",
        "good",
        "All vectors have the same length.",
    ),
]


def certificate(refused: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    rows = []
    for width, code, size in (
        (384, "f32", 1536),
        (384, "int8", 384),
        (256, "int8", 256),
        (192, "int8", 192),
        (128, "int8", 128),
        (64, "int8", 64),
        (384, "binary", 48),
        (384, "pq96", 96),
        (384, "pq48", 48),
        (192, "pq32", 32),
        (128, "pq16", 16),
    ):
        project = 0.0 if width == 384 else 0.012 * (384 / width) ** 1.1 - 0.01
        coarse = {"f32": 0.0, "int8": 0.004}.get(code, 0.9 / size**0.72)
        recall = 1 - project - coarse - rng.uniform(0, 0.004) * (code != "f32")
        rows.append(
            {
                "recipe": f"pca{width}+{code}" if width < 384 else code,
                "bytes": size,
                "recall": recall,
                "lower": recall - 0.011,
                "upper": min(1, recall + 0.008),
                "n_queries": 300,
                "k": 10,
                "fresh": False,
                "losses": {"project": project, "code": coarse, "index": 1 - recall - project - coarse},
                "front": False,
            }
        )
    for row in rows:
        row["front"] = not any(
            o["bytes"] <= row["bytes"] and o["recall"] >= row["recall"] and o is not row for o in rows
        )
    passing = [i for i, row in enumerate(rows) if row["lower"] >= 0.95]
    winner = min(passing, key=lambda i: rows[i]["bytes"])
    rows[winner] |= {"n_queries": 1000, "fresh": True}
    refusal = (
        "No recipe keeps 0.95 of the 10 nearest rows at 16 bytes a vector: the best keeps 0.86." if refused else None
    )
    return {
        "target": 0.95,
        "k": 10,
        "queries": 1000,
        "winner": None if refused else winner,
        "refusal": refusal,
        "rows": rows,
    }
